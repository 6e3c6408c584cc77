package definition

import (
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
)

// Names of the texts inside a definition that Places finds.
const (
	TemplateText     = "template"
	HealthPolicyText = "healthPolicy"
	CustomStatusText = "customStatus"
	DetailsText      = "details"
)

// A Place says where the lines of a text inside a definition are in the file
// that its author wrote: the line of the file for each line of the text.
type Place []int

// Line returns the line of the file for a line of the text, both counted from
// 1. A line that the text does not have is at its nearest end.
func (p Place) Line(n int) int {
	if len(p) == 0 {
		return 0
	}
	return p[min(max(n, 1), len(p))-1]
}

// Run returns the place of n lines that follow each other from a line of the
// file on.
func Run(first, n int) Place {
	p := make(Place, n)
	for i := range p {
		p[i] = first + i
	}
	return p
}

// Places finds the texts of a definition in a CUE file, as ParseCUE takes them
// out of it. A file that does not parse has none.
func Places(file, text string) map[string]Place {
	f, err := parser.ParseFile(file, text, parser.ParseComments)
	if err != nil {
		return nil
	}
	out := map[string]Place{}
	var imports Place
	for _, decl := range f.Decls {
		switch d := decl.(type) {
		case *ast.ImportDecl:
			if b, err := format.Node(d); err == nil {
				first := d.Pos().Line()
				for _, c := range ast.Comments(d) { // they go with it
					first = min(first, c.Pos().Line())
				}
				imports = append(imports, Run(first, 1+strings.Count(strings.TrimSpace(string(b)), "\n"))...)
			}
		case *ast.Field:
			name, _, err := ast.LabelName(d.Label)
			switch {
			case err != nil:
			case name == TemplateText:
				if s, ok := d.Value.(*ast.StructLit); ok {
					out[TemplateText] = templatePlace(s, text)
				}
			default:
				rulePlaces(out, d.Value)
			}
		}
	}
	if t, ok := out[TemplateText]; ok && len(imports) > 0 {
		out[TemplateText] = append(append(imports, imports[len(imports)-1]), t...)
	}
	return out
}

// templatePlace is where the inside of a template begins: dedent drops the
// empty lines before it.
func templatePlace(s *ast.StructLit, text string) Place {
	from, to := s.Pos().Offset(), s.End().Offset()
	if s.Lbrace.IsValid() {
		from, to = s.Lbrace.Offset()+1, s.Rbrace.Offset()
	}
	inside := text[from:to]
	skipped := len(inside) - len(strings.TrimLeft(inside, "\n"))
	first := 1 + strings.Count(text[:from+skipped], "\n")
	return Run(first, 1+strings.Count(strings.Trim(inside, "\n"), "\n"))
}

// rulePlaces finds the rules under attributes.status, wherever they are.
func rulePlaces(out map[string]Place, x ast.Expr) {
	s, ok := x.(*ast.StructLit)
	if !ok {
		return
	}
	for _, e := range s.Elts {
		f, ok := e.(*ast.Field)
		if !ok {
			continue
		}
		name, _, err := ast.LabelName(f.Label)
		lit, isText := f.Value.(*ast.BasicLit)
		switch {
		case err != nil:
		case !isText:
			rulePlaces(out, f.Value)
		case lit.Kind == token.STRING && (name == HealthPolicyText || name == CustomStatusText || name == DetailsText):
			first := lit.Pos().Line()
			if strings.Contains(lit.Value, "\n") {
				first++ // the text begins below its quotes
			}
			if value, err := literal.Unquote(lit.Value); err == nil {
				out[name] = Run(first, 1+strings.Count(value, "\n"))
			}
		}
	}
}
