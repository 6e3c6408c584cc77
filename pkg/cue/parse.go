package cue

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"

	"github.com/seed-c5f95f19/vela/pkg/cue/direct"
	"github.com/seed-c5f95f19/vela/pkg/cue/mistake"
	"github.com/seed-c5f95f19/vela/pkg/cue/order"
	"github.com/seed-c5f95f19/vela/pkg/cue/text"
)

// parse reads the text and learns the facts. Cells parse it again: CUE keeps
// and changes the tree that it builds from.
func (t *Template) parse() error {
	f, warnings, err := parseTemplate(t.src, t.engine.limits)
	if err != nil {
		return err
	}
	t.warnings = warnings
	t.facts = text.Learn(f, 2)
	if t.facts.Calls {
		t.order = order.Of(f)
	} else if !t.engine.plain {
		t.program = direct.Compile(f)
	}
	return nil
}

// declarations stand after every template, which may refer to both names
// without declaring them.
const declarations = "\nparameter: _\ncontext: _\n"

func parseTemplate(src Source, limits Limits) (*ast.File, []Warning, error) {
	f, repaired, err := text.Parse(src.Name, src.Text+declarations)
	if err != nil {
		return nil, nil, firstOf(textError(err)) // the rest only follows from it
	}
	warnings := append(repaired, text.Modernize(f)...)
	if err := problems(TemplateK, text.Endless(f)); err != nil {
		return nil, nil, err
	}
	return f, warnings, problems(Limit, text.Bound(f, limits.Repeat))
}

// compiled returns the cell, building it when it was dropped or is worn out.
func (t *Template) compiled() (*cell, error) {
	if c := t.cell.Load(); c != nil {
		return c, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.cell.Load(); c != nil {
		return c, nil
	}
	c, err := t.build()
	if err != nil {
		return nil, err
	}
	t.cell.Store(c)
	return c, nil
}

func (t *Template) build() (*cell, error) {
	f, _, err := parseTemplate(t.src, t.engine.limits)
	if err != nil {
		return nil, err
	}
	ctx := cuecontext.New()
	inst, err := t.packages.instance(f)
	if err != nil {
		return nil, err
	}
	if err := t.packages.undefined(f); err != nil {
		return nil, err
	}
	v := ctx.BuildInstance(inst)
	doubtful := v.Validate() != nil
	if doubtful {
		if err := t.unconditional(); err != nil {
			return nil, err
		}
	}
	return &cell{ctx: ctx, value: v, doubtful: doubtful, bytes: int64(len(t.src.Text)*cellFactor + 16<<10)}, nil
}

// unconditional finds what is wrong in the text whatever the parameters are.
// Without parameters a condition may hold that a default decides, and what
// stands under it may be an error on purpose (kubevela#7222).
func (t *Template) unconditional() error {
	f, err := text.Unconditional(t.src.Name, t.src.Text+declarations)
	if err != nil {
		return textError(err)
	}
	inst, err := t.packages.instance(f)
	if err != nil {
		return err
	}
	if err := cuecontext.New().BuildInstance(inst).Validate(); err != nil {
		return mistake.OfCUE(err)
	}
	return nil
}

// instance prepares a file for building: imports resolve to these packages and
// to CUE's library, nothing else; unused ones are dropped.
func (s *packageSet) instance(f *ast.File) (*build.Instance, error) {
	var unknown []*Error
	var bctx *build.Context
	var load build.LoadFunc
	load = func(pos token.Pos, path string) *build.Instance {
		if text.IsBuiltin(path) {
			return nil
		}
		schema, ok := s.texts[path]
		if !ok {
			unknown = append(unknown, &Error{Kind: TemplateK, DefinitionLine: text.Line(pos), DefinitionColumn: pos.Column(),
				Message: "imports " + strconv.Quote(path) + ", which does not exist here"})
			return nil
		}
		inst := bctx.NewInstance(path, load)
		inst.PkgName = path[strings.LastIndex(path, "/")+1:]
		err := inst.AddFile(path, schema)
		if err == nil {
			err = inst.Complete()
		}
		if err != nil {
			unknown = append(unknown, &Error{Kind: TemplateK, DefinitionLine: text.Line(pos), DefinitionColumn: pos.Column(),
				Message: "imports " + strconv.Quote(path) + ", which does not compile: " + errors.Errors(err)[0].Error()})
		}
		return inst
	}
	bctx = build.NewContext()
	inst := bctx.NewInstance("", load)
	dropUnusedImports(f)
	if err := inst.AddSyntax(f); err != nil {
		return nil, textError(err)
	}
	err := inst.Complete()
	if len(unknown) > 0 {
		return nil, mistake.Join(unknown)
	}
	if err != nil {
		return nil, textError(err)
	}
	return inst, nil
}

func dropUnusedImports(f *ast.File) {
	used, named := map[string]bool{}, map[ast.Node]bool{}
	ast.Walk(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportDecl:
			return false
		case *ast.Field:
			named[n.Label] = true // a name, as is what stands behind a dot: neither refers to an import
		case *ast.SelectorExpr:
			named[n.Sel] = true
		case *ast.Ident:
			used[n.Name] = used[n.Name] || !named[n]
		}
		return true
	}, nil)
	var decls []ast.Decl
	for _, d := range f.Decls {
		imp, ok := d.(*ast.ImportDecl)
		if !ok {
			decls = append(decls, d)
			continue
		}
		imp.Specs = slices.DeleteFunc(imp.Specs, func(s *ast.ImportSpec) bool { return !used[text.ImportName(s)] })
		if len(imp.Specs) > 0 {
			decls = append(decls, d)
		}
	}
	f.Decls = decls
}

// textError turns a syntax or build error into ours.
func textError(err error) error {
	if e := mistake.OfCUE(err); e != nil {
		return e
	}
	return &Error{Kind: TemplateK, Message: "does not compile"}
}

// problems makes errors of what was found in a text.
func problems(kind Kind, found []text.Problem) error {
	var out []*Error
	for _, p := range found {
		out = append(out, &Error{Kind: kind, DefinitionLine: p.Line, Message: p.Message})
	}
	return mistake.Join(out)
}

// firstOf returns the mistake that comes first in the text.
func firstOf(err error) error {
	all := Errors(err)
	if len(all) == 0 {
		return err
	}
	return slices.MinFunc(all, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.DefinitionLine, b.DefinitionLine), cmp.Compare(a.DefinitionColumn, b.DefinitionColumn))
	})
}
