package text

import (
	"fmt"
	"strconv"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/ast/astutil"
	numbers "cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"
)

// bounder keeps functions that make large values from nothing within a limit.
// An evaluation cannot be stopped, so this must be done before it starts: a
// constant count beyond the limit is an error in the template, a computed one is
// bound by a constraint that is written into the call.
type bounder struct {
	limit int
	found []Problem
}

// Bound keeps calls that make large values within limit elements. It rewrites f
// in place and returns the ones that never are.
func Bound(f *ast.File, limit int) []Problem {
	b := bounder{limit: limit}
	astutil.Apply(f, func(c astutil.Cursor) bool {
		if call, ok := c.Node().(*ast.CallExpr); ok {
			b.call(call)
		}
		return true
	}, nil)
	return b.found
}

func (b *bounder) call(c *ast.CallExpr) {
	sel, ok := c.Fun.(*ast.SelectorExpr)
	if !ok {
		return
	}
	pkg, _ := sel.X.(*ast.Ident)
	fn, _, _ := ast.LabelName(sel.Sel)
	switch {
	case pkg == nil:
	case fn == "Repeat" && len(c.Args) == 2 && (pkg.Name == "list" || pkg.Name == "list_" || pkg.Name == "strings"):
		c.Args[1] = b.atMost(c.Args[1], pkg.Name+".Repeat")
	case fn == "Range" && len(c.Args) == 3 && (pkg.Name == "list" || pkg.Name == "list_"):
		b.span(c)
	}
}

// atMost writes `n & <=limit`.
func (b *bounder) atMost(n ast.Expr, what string) ast.Expr {
	if v, ok := constant(n); ok {
		if v > float64(b.limit) {
			b.tooMany(n, what, v)
		}
		return n
	}
	return &ast.ParenExpr{X: ast.NewBinExpr(token.AND, n, &ast.UnaryExpr{Op: token.LEQ, X: number64(b.limit)})}
}

// span bounds list.Range(from, to, step): a `to` that is too far away becomes
// an element that does not exist.
func (b *bounder) span(c *ast.CallExpr) {
	from, ok1 := constant(c.Args[0])
	to, ok2 := constant(c.Args[1])
	step, ok3 := constant(c.Args[2])
	if ok1 && ok2 && ok3 {
		if step != 0 && (to-from)/step > float64(b.limit) {
			b.tooMany(c.Args[1], "list.Range", (to-from)/step)
		}
		return
	}
	paren := func(x ast.Expr) ast.Expr { return &ast.ParenExpr{X: x} }
	count := ast.NewBinExpr(token.QUO,
		paren(ast.NewBinExpr(token.SUB, paren(c.Args[1]), paren(c.Args[0]))), paren(c.Args[2]))
	c.Args[1] = &ast.IndexExpr{
		X: ast.NewList(&ast.Comprehension{
			Clauses: []ast.Clause{&ast.IfClause{Condition: ast.NewBinExpr(token.LEQ, count, number64(b.limit))}},
			Value:   &ast.StructLit{Elts: []ast.Decl{&ast.EmbedDecl{Expr: c.Args[1]}}},
		}),
		Index: ast.NewLit(token.INT, "0"),
	}
}

func (b *bounder) tooMany(at ast.Node, what string, n float64) {
	b.found = append(b.found, Problem{Line: Line(at.Pos()),
		Message: fmt.Sprintf("%s makes %.0f elements, at most %d are allowed", what, n, b.limit)})
}

func number64(n int) ast.Expr { return ast.NewLit(token.INT, strconv.Itoa(n)) }

// constant reads a number literal, possibly with a sign.
func constant(x ast.Expr) (float64, bool) {
	switch x := x.(type) {
	case *ast.BasicLit:
		var info numbers.NumInfo
		if x.Kind != token.INT && x.Kind != token.FLOAT || numbers.ParseNum(x.Value, &info) != nil {
			return 0, false
		}
		f, err := strconv.ParseFloat(info.String(), 64)
		return f, err == nil
	case *ast.UnaryExpr:
		f, ok := constant(x.X)
		if x.Op == token.SUB {
			f = -f
		}
		return f, ok
	case *ast.ParenExpr:
		return constant(x.X)
	}
	return 0, false
}
