package external

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	cuetext "github.com/seed-c5f95f19/vela/pkg/cue/text"
)

// maxText is how many bytes a package may have: as many as a definition.
const maxText = 256 << 10

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
//
// The texts stay as they are otherwise: nobody has judged yet what they cost, and
// that is done where it can be stopped.
func join(files map[string]string, name, provider string) (joined, error) {
	var out joined
	if len(files) == 0 {
		return out, errors.New("spec.templates: there are none")
	}
	size := 0
	for _, text := range files {
		size += len(text)
	}
	if size > maxText {
		return out, fmt.Errorf("spec.templates: they have %d bytes, at most %d are allowed", size, maxText)
	}
	imports := map[string]bool{}
	var bodies strings.Builder
	for _, file := range slices.Sorted(maps.Keys(files)) {
		text := files[file]
		f, err := parser.ParseFile(file, text, parser.ParseComments)
		if err != nil {
			fixed, _ := cuetext.Repair(text)
			g, retry := parser.ParseFile(file, fixed, parser.ParseComments)
			if retry != nil {
				return out, fmt.Errorf("spec.templates[%q]: the text is not CUE: %w", file, err)
			}
			f, text = g, fixed
		}
		bodies.WriteString(out.take(f, text, imports, name, provider))
	}
	for _, spec := range slices.Sorted(maps.Keys(imports)) {
		out.text += "import " + spec + "\n"
	}
	out.text += bodies.String()
	return out, nil
}

// take notes what a file declares and imports, and returns the rest of it.
func (j *joined) take(f *ast.File, text string, imports map[string]bool, name, provider string) string {
	begin := 0
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.Package:
			begin = d.End().Offset()
		case *ast.ImportDecl:
			begin = d.End().Offset()
			for _, s := range d.Specs {
				imports[cuetext.ImportName(s)+" "+s.Path.Value] = true
			}
		case *ast.Field:
			if id, ok := d.Label.(*ast.Ident); ok && !strings.HasPrefix(id.Name, "_") {
				j.names = append(j.names, id.Name)
			}
		}
	}
	calls, whose := claims(f, name)
	j.calls = append(j.calls, calls...)
	var out strings.Builder
	for _, lit := range whose {
		at := lit.Pos().Offset()
		out.WriteString(text[begin:at] + strconv.Quote(provider))
		begin = at + len(lit.Value)
	}
	out.WriteString(text[begin:] + "\n")
	return out.String()
}

// claims finds the functions whose provider is called name, and where they say so,
// in the order of the text.
func claims(f *ast.File, name string) (calls []call, whose []*ast.BasicLit) {
	ast.Walk(f, func(n ast.Node) bool {
		s, ok := n.(*ast.StructLit)
		if !ok {
			return true
		}
		who, do := literal(s, "#provider"), literal(s, "#do")
		if who == nil || do == nil {
			return true
		}
		if owner, err := strconv.Unquote(who.Value); err != nil || owner != name {
			return true
		}
		if verb, err := strconv.Unquote(do.Value); err == nil {
			calls, whose = append(calls, call{verb}), append(whose, who)
		}
		return true
	}, nil)
	slices.SortFunc(whose, func(a, b *ast.BasicLit) int { return a.Pos().Offset() - b.Pos().Offset() })
	return calls, whose
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
