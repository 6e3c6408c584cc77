package external

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	cuetext "github.com/seed-c5f95f19/vela/pkg/cue/text"
)

// A call is a function that a text declares.
type call struct{ do string }

// A joined text is all files of a package.
type joined struct {
	text  string
	calls []call
	names []string // of the fields and definitions at the top
}

// join makes one text of the files of a package, in the order of their names.
// Functions of the object's own server get its full name. Package clauses go: the
// path says what a package is called.
func join(files map[string]string, name, provider string) (joined, error) {
	var out joined
	if len(files) == 0 {
		return out, errors.New("spec.templates: there are none")
	}
	imports := map[string]*ast.ImportSpec{}
	var decls []ast.Decl
	for _, file := range slices.Sorted(maps.Keys(files)) {
		f, err := parser.ParseFile(file, files[file], parser.ParseComments)
		if err != nil {
			fixed, _ := cuetext.Repair(files[file])
			if f, err = parser.ParseFile(file, fixed, parser.ParseComments); err != nil {
				return out, fmt.Errorf("spec.templates[%q]: the text is not CUE: %w", file, err)
			}
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.Package:
			case *ast.ImportDecl:
				for _, s := range d.Specs {
					imports[cuetext.ImportName(s)+" "+s.Path.Value] = s
				}
			default:
				decls = append(decls, d)
				if f, ok := d.(*ast.Field); ok {
					if id, ok := f.Label.(*ast.Ident); ok && !strings.HasPrefix(id.Name, "_") {
						out.names = append(out.names, id.Name)
					}
				}
			}
		}
		out.calls = append(out.calls, claim(f, name, provider)...)
	}
	file := &ast.File{}
	if len(imports) > 0 {
		d := &ast.ImportDecl{}
		for _, key := range slices.Sorted(maps.Keys(imports)) {
			d.Specs = append(d.Specs, imports[key])
		}
		file.Decls = append(file.Decls, d)
	}
	file.Decls = append(file.Decls, decls...)
	b, err := format.Node(file)
	if err != nil {
		return out, fmt.Errorf("spec.templates: %w", err)
	}
	out.text = string(b)
	return out, nil
}

// claim finds the functions whose provider is called name, and renames that.
func claim(f *ast.File, name, provider string) (calls []call) {
	ast.Walk(f, func(n ast.Node) bool {
		s, ok := n.(*ast.StructLit)
		if !ok {
			return true
		}
		who, do := literal(s, "#provider"), literal(s, "#do")
		if who == nil || do == nil {
			return true
		}
		whose, err := strconv.Unquote(who.Value)
		if err != nil || whose != name {
			return true
		}
		if verb, err := strconv.Unquote(do.Value); err == nil {
			calls = append(calls, call{verb})
			who.Value = strconv.Quote(provider)
		}
		return true
	}, nil)
	return calls
}

// literal returns the text of a field of a struct, nil if it is something else.
func literal(s *ast.StructLit, field string) *ast.BasicLit {
	for _, d := range s.Elts {
		f, ok := d.(*ast.Field)
		if !ok {
			continue
		}
		if name, _, err := ast.LabelName(f.Label); err != nil || name != field {
			continue
		}
		if lit, ok := f.Value.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			return lit
		}
	}
	return nil
}
