package text

import (
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/ast/astutil"
	"cuelang.org/go/cue/token"
)

// Up to CUE 0.9 `a && b` did not look at b when a was false, and `a || b` not
// when a was true. Templates use it to guard a field that may be missing; today
// both sides are evaluated and the missing field is an error (kubevela#6844).

// splitConditions writes `if a && b {…}` as `if a if b {…}`, which is the same
// except that b is not evaluated when a is false. That a guards b is told once.
func (m *modernizer) splitConditions(c *ast.Comprehension) {
	var clauses []ast.Clause
	for _, cl := range c.Clauses {
		cond, ok := cl.(*ast.IfClause)
		if !ok {
			clauses = append(clauses, cl)
			continue
		}
		parts := conjuncts(cond.Condition)
		guarded := false
		for i := range parts[1:] {
			for _, before := range parts[:i+1] {
				guarded = guarded || guards(before, parts[i+1])
			}
		}
		if m.quiet && !guarded {
			clauses = append(clauses, cl)
			continue
		}
		var modern []string
		for _, x := range parts {
			clauses = append(clauses, &ast.IfClause{If: cond.If, Condition: x})
			modern = append(modern, "if "+oneLine(x))
		}
		if guarded {
			m.warn(cond.Pos(), "both sides of && are evaluated by newer CUE; a guard needs an if of its own", strings.Join(modern, " "))
		}
	}
	c.Clauses = clauses
}

func conjuncts(x ast.Expr) []ast.Expr {
	switch x := x.(type) {
	case *ast.BinaryExpr:
		if x.Op == token.LAND {
			return append(conjuncts(x.X), conjuncts(x.Y)...)
		}
	case *ast.ParenExpr:
		if b, ok := x.X.(*ast.BinaryExpr); ok && b.Op == token.LAND {
			return conjuncts(b)
		}
	}
	return []ast.Expr{x}
}

// guardedOperator writes an && or || whose left side guards the right one as a
// choice that leaves the right side alone when the left one decides. It returns
// nil for others.
func (m *modernizer) guardedOperator(n *ast.BinaryExpr) ast.Expr {
	if !guards(n.X, n.Y) {
		return nil
	}
	cond, otherwise := n.X, ast.NewBool(false)
	if n.Op == token.LOR {
		cond, otherwise = &ast.UnaryExpr{Op: token.NOT, X: paren(n.X)}, ast.NewBool(true)
	}
	for _, x := range []ast.Expr{n.X, n.Y} {
		ast.SetRelPos(x, token.NoSpace)
	}
	choice := ast.NewList(
		&ast.Comprehension{
			Clauses: []ast.Clause{&ast.IfClause{Condition: cond}},
			Value:   &ast.StructLit{Lbrace: token.Blank.Pos(), Elts: []ast.Decl{&ast.EmbedDecl{Expr: n.Y}}, Rbrace: token.NoSpace.Pos()},
		}, otherwise)
	out := &ast.IndexExpr{X: choice, Index: ast.NewLit(token.INT, "0")}
	m.warn(n.OpPos, "both sides of "+n.Op.String()+" are evaluated by newer CUE; a guard needs an if", flat(out))
	return out
}

func paren(x ast.Expr) ast.Expr {
	if _, ok := x.(*ast.BinaryExpr); ok {
		return &ast.ParenExpr{X: x}
	}
	return x
}

// flat writes an expression on one line.
func flat(x ast.Expr) string { return strings.Join(strings.Fields(oneLine(x)), " ") }

// Unconditional is a copy of the text without what stands under a condition: what
// is wrong there is wrong whatever the parameters are.
func Unconditional(name, text string) (*ast.File, error) {
	f, _, err := Parse(name, text)
	if err != nil {
		return nil, err
	}
	Modernize(f)
	out := astutil.Apply(f, func(c astutil.Cursor) bool {
		comp, ok := c.Node().(*ast.Comprehension)
		if ok && slices.ContainsFunc(comp.Clauses, func(cl ast.Clause) bool { _, is := cl.(*ast.IfClause); return is }) {
			c.Delete()
			return false
		}
		return true
	}, nil)
	return out.(*ast.File), nil
}

// guards says that right may fail when left does not hold: left asks whether a
// field is there or how long a list is, and right reads it, or left reads a
// field and right one inside it.
func guards(left, right ast.Expr) bool {
	asked, read := map[string]bool{}, map[string]bool{}
	existence(left, asked)
	paths(left, read)
	found := false
	later := map[string]bool{}
	paths(right, later)
	for p := range later {
		if asked[p] {
			found = found || readsValue(right, p)
		}
		for q := range read {
			found = found || strings.HasPrefix(p, q+".") || strings.HasPrefix(p, q+"[")
		}
	}
	return found
}

// existence collects the paths that are compared with _|_.
func existence(x ast.Node, out map[string]bool) {
	ast.Walk(x, func(n ast.Node) bool {
		if p, ok := asksExistence(n); ok {
			out[p] = true
			return false
		}
		return true
	}, nil)
}

func asksExistence(n ast.Node) (string, bool) {
	b, ok := n.(*ast.BinaryExpr)
	if !ok || b.Op != token.EQL && b.Op != token.NEQ {
		return "", false
	}
	if _, ok := b.Y.(*ast.BottomLit); ok {
		return pathOf(b.X), pathOf(b.X) != ""
	}
	if _, ok := b.X.(*ast.BottomLit); ok {
		return pathOf(b.Y), pathOf(b.Y) != ""
	}
	return "", false
}

// readsValue says that x needs the value at path, not only whether it is there.
func readsValue(x ast.Node, path string) bool {
	found := false
	ast.Walk(x, func(n ast.Node) bool {
		if p, ok := asksExistence(n); ok && p == path || isChoice(n) {
			return false
		}
		if e, ok := n.(ast.Expr); ok && pathOf(e) == path {
			found = true
		}
		return !found
	}, nil)
	return found
}

// isChoice says that n is a disjunction: a field that is missing in it is one
// choice less, as in `*x.a | ""`.
func isChoice(n ast.Node) bool {
	b, ok := n.(*ast.BinaryExpr)
	return ok && b.Op == token.OR
}

// paths collects the longest paths that an expression needs.
func paths(x ast.Node, out map[string]bool) {
	ast.Walk(x, func(n ast.Node) bool {
		e, ok := n.(ast.Expr)
		if !ok || isChoice(n) {
			return !isChoice(n)
		}
		p := pathOf(e)
		if p == "" {
			return true
		}
		out[p] = true
		return false
	}, nil)
}

// pathOf writes a reference the same way however it was written; other
// expressions give "".
func pathOf(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.ParenExpr:
		return pathOf(x.X)
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		name, _, err := ast.LabelName(x.Sel)
		if base := pathOf(x.X); base != "" && err == nil {
			return base + "." + name
		}
	case *ast.IndexExpr:
		base := pathOf(x.X)
		if base == "" {
			return ""
		}
		if lit, ok := x.Index.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			return base + "." + strings.Trim(lit.Value, `"`)
		}
		if i := oneLine(x.Index); i != "" {
			return base + "[" + i + "]"
		}
	}
	return ""
}
