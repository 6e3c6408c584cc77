package text

import (
	"sort"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
)

// Facts are what the text alone says about a template.
type Facts struct {
	Parameter    bool
	Calls        bool     // may contain provider calls
	Context      []string // fields of context that are read, sorted
	WholeContext bool
	Names        map[string]bool // the fields that may stand at the top
	AnyName      bool            // … and others, whose names are computed
}

// Learn reads the facts out of a file whose last declarations are not the
// author's.
func Learn(f *ast.File, added int) Facts {
	var x Facts
	x.Names = map[string]bool{}
	x.declared(f.Decls[:len(f.Decls)-added])
	x.Parameter = x.Names["parameter"]
	x.Names["parameter"], x.Names["context"] = true, true
	for spec := range f.ImportSpecs() {
		if path, err := strconv.Unquote(spec.Path.Value); err == nil && !IsBuiltin(path) {
			x.Calls = true
		}
	}
	reads := map[string]bool{}
	var visit func(ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if id, ok := n.X.(*ast.Ident); ok && id.Name == "context" {
				if name, _, err := ast.LabelName(n.Sel); err == nil {
					reads[name] = true
					return false
				}
			}
		case *ast.IndexExpr:
			if id, ok := n.X.(*ast.Ident); ok && id.Name == "context" {
				if lit, ok := n.Index.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if name, err := strconv.Unquote(lit.Value); err == nil {
						reads[name] = true
						return false
					}
				}
			}
		case *ast.Field:
			if name, isIdent, _ := ast.LabelName(n.Label); isIdent && name == "#do" {
				x.Calls = true
			}
			if _, ok := n.Label.(*ast.Ident); ok {
				ast.Walk(n.Value, visit, nil)
				return false // a label named context reads nothing
			}
		case *ast.Ident:
			if n.Name == "context" {
				x.WholeContext = true
			}
		}
		return true
	}
	ast.Walk(f, visit, nil)
	for name := range reads {
		x.Context = append(x.Context, name)
	}
	sort.Strings(x.Context)
	return x
}

// declared collects the names of the fields that declarations may give.
func (x *Facts) declared(decls []ast.Decl) {
	for _, d := range decls {
		switch d := d.(type) {
		case *ast.Field:
			name, _, err := ast.LabelName(d.Label)
			if err != nil {
				x.AnyName = true
				continue
			}
			x.Names[name] = true
		case *ast.Comprehension:
			if body, ok := d.Value.(*ast.StructLit); ok {
				x.declared(body.Elts)
				continue
			}
			x.AnyName = true
		case *ast.EmbedDecl:
			x.AnyName = true
		}
	}
}

// IsBuiltin says that the import path belongs to CUE's own library, whose
// packages the engine offers except those that reach outside.
func IsBuiltin(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	switch first {
	case "base64", "crypto", "encoding", "html", "list", "math", "net", "path", "regexp",
		"strconv", "strings", "struct", "text", "time", "uuid":
		return true
	}
	return false
}

// ImportName is the identifier under which the file uses an import.
func ImportName(s *ast.ImportSpec) string {
	if s.Name != nil {
		return s.Name.Name
	}
	path, _ := strconv.Unquote(s.Path.Value)
	if _, after, ok := strings.Cut(path, ":"); ok {
		return after
	}
	return path[strings.LastIndex(path, "/")+1:]
}

// Line is the line of a position, 0 when it has none.
func Line(pos token.Pos) int {
	if !pos.IsValid() {
		return 0
	}
	return pos.Line()
}
