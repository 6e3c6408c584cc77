package cue

import (
	"context"
	"fmt"
	"strconv"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"

	"github.com/seed-c5f95f19/vela/pkg/cue/mistake"
	"github.com/seed-c5f95f19/vela/pkg/cue/text"
)

// Err returns what is in conflict anywhere in the result, also in fields that
// nobody reads. A workflow step has no output that would show it, and must not
// succeed with it. Values that are merely not known are no conflict.
func (r *Result) Err() error {
	if err := r.evaluate(context.Background()); r.reading != nil {
		return r.reading.Err()
	} else if err != nil {
		return err
	}
	var err error
	if gerr := r.template.guard(context.Background(), func() { err = r.value.Validate() }); gerr != nil {
		return gerr
	}
	if err == nil {
		return nil
	}
	return r.explain(mistake.OfCUE(err))
}

// undefined finds uses of names that an imported package does not have. CUE
// takes them for something that may become known later.
func (s *packageSet) undefined(f *ast.File) error {
	known := map[string]map[string]bool{}
	var errs []*Error
	ast.Walk(f, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		id, ok := sel.X.(*ast.Ident)
		if !ok {
			return true
		}
		spec, ok := id.Node.(*ast.ImportSpec)
		if !ok {
			return true
		}
		path, _ := strconv.Unquote(spec.Path.Value)
		schema, ours := s.texts[path]
		if !ours {
			return true
		}
		if known[path] == nil {
			known[path] = topNames(schema)
		}
		name, _, err := ast.LabelName(sel.Sel)
		if err == nil && !known[path][name] {
			errs = append(errs, &Error{Kind: TemplateK, DefinitionLine: text.Line(sel.Pos()),
				Message: fmt.Sprintf("package %q has no %s", path, name)})
		}
		return true
	}, nil)
	return mistake.Join(errs)
}

// topNames are the names that a package declares.
func topNames(schema string) map[string]bool {
	out := map[string]bool{}
	f, err := parser.ParseFile("package", schema)
	if err != nil {
		return out
	}
	for _, d := range f.Decls {
		if field, ok := d.(*ast.Field); ok {
			if name, _, err := ast.LabelName(field.Label); err == nil {
				out[name] = true
			}
		}
	}
	return out
}
