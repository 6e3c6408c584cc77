package text

import (
	"slices"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/ast/astutil"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/token"
)

// Templates in use were written for CUE 0.2 to 0.14. What later versions refuse
// is rewritten when a template is loaded, with a warning that gives the modern
// text; the stored definition is not touched.

// Modernize rewrites f in place and says what it did.
func Modernize(f *ast.File) []Warning { return modernize(f, false) }

// modernize leaves alone what means the same today when quiet is set.
func modernize(f *ast.File, quiet bool) []Warning {
	m := newModernizer(f)
	m.quiet = quiet
	m.listName = m.nameForList(f)
	out := astutil.Apply(f, m.before, m.rewrite).(*ast.File)
	if m.usesList {
		m.importList(out)
	}
	slices.SortStableFunc(m.warnings, func(a, b Warning) int { return a.Line - b.Line })
	return m.warnings
}

func newModernizer(f *ast.File) *modernizer {
	m := &modernizer{top: map[string][]ast.Node{}}
	for _, d := range f.Decls {
		if field, ok := d.(*ast.Field); ok {
			if name, _, err := ast.LabelName(field.Label); err == nil {
				m.top[name] = append(m.top[name], field.Value)
			}
		}
	}
	return m
}

// A Warning is something in a text that works but should be changed.
type Warning struct {
	Line    int    // in the definition
	Message string // what and why
	Modern  string // the text to write instead; may be empty
}

type modernizer struct {
	warnings []Warning
	quiet    bool
	listName string
	usesList bool
	imported bool
	top      map[string][]ast.Node // values of the top-level fields
}

// before sees a node before what is in it is rewritten.
func (m *modernizer) before(c astutil.Cursor) bool {
	switch n := c.Node().(type) {
	case *ast.Comprehension:
		m.splitConditions(n)
	case *ast.Field:
		m.ownChecks(n)
	case *ast.BinaryExpr:
		if n.Op == token.AND {
			if value := m.collapse(n); value != nil {
				c.Replace(value)
			}
		}
	}
	return true
}

func (m *modernizer) rewrite(c astutil.Cursor) bool {
	switch n := c.Node().(type) {
	case *ast.BinaryExpr:
		switch n.Op {
		case token.ADD, token.MUL:
			if m.isList(n.X, 0) || m.isList(n.Y, 0) {
				c.Replace(m.listArithmetic(n))
			}
		case token.LAND, token.LOR:
			if choice := m.guardedOperator(n); choice != nil {
				c.Replace(choice)
			}
		}
	case *ast.Field:
		if id, ok := n.Label.(*ast.Ident); ok && id.Name == "error" {
			m.warn(n.Pos(), `the field "error" has the name of a function of newer CUE; put it in quotes`, `"error":`)
			if m.quiet {
				label := ast.NewString("error")
				ast.SetComments(label, id.Comments())
				ast.SetRelPos(label, id.Pos().RelPos())
				n.Label = label
			}
		}
	}
	return true
}

func (m *modernizer) warn(pos token.Pos, message, modern string) {
	m.warnings = append(m.warnings, Warning{Line: Line(pos), Message: message, Modern: modern})
}

// oneLine writes an expression on one line if it is short.
func oneLine(x ast.Expr) string {
	b, err := format.Node(x)
	if err != nil {
		return ""
	}
	return string(b)
}
