package text

import (
	"math/big"
	"slices"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/ast/astutil"
	"cuelang.org/go/cue/token"
)

// collapse writes a range that holds one value as that value: `>=1 & <=1` was 1
// up to CUE 0.13 and stays a range since, which nothing can be computed with. It
// returns nil when x is not such a range.
func (m *modernizer) collapse(x *ast.BinaryExpr) ast.Expr {
	parts := operandsOf(x, token.AND)
	whole := slices.ContainsFunc(parts, func(e ast.Expr) bool { return isIdent(e, "int") })
	lower := slices.IndexFunc(parts, func(e ast.Expr) bool { return isBound(e, token.GEQ, token.GTR) })
	upper := slices.IndexFunc(parts, func(e ast.Expr) bool { return isBound(e, token.LEQ, token.LSS) })
	if lower < 0 || upper < 0 {
		return nil
	}
	value := onlyValue(parts[lower].(*ast.UnaryExpr), parts[upper].(*ast.UnaryExpr), whole)
	if value == nil {
		return nil
	}
	parts[lower] = value
	out := conjunction(slices.Delete(parts, upper, upper+1))
	m.warn(x.Pos(), "newer CUE keeps a range of one value as a range; write the value", flat(out))
	return out
}

// onlyValue is the one value between two bounds, nil when there are others.
func onlyValue(lower, upper *ast.UnaryExpr, whole bool) ast.Expr {
	lo, hi := lower.X.(*ast.BasicLit), upper.X.(*ast.BasicLit)
	if lower.Op == token.GEQ && upper.Op == token.LEQ && lo.Value == hi.Value {
		return ast.NewLit(lo.Kind, lo.Value)
	}
	a, okA := new(big.Int).SetString(lo.Value, 10)
	b, okB := new(big.Int).SetString(hi.Value, 10)
	if !whole || !okA || !okB {
		return nil
	}
	if lower.Op == token.GTR {
		a.Add(a, big.NewInt(1))
	}
	if upper.Op == token.LSS {
		b.Sub(b, big.NewInt(1))
	}
	if a.Cmp(b) != 0 || a.Sign() < 0 {
		return nil
	}
	return ast.NewLit(token.INT, a.String())
}

func isBound(x ast.Expr, ops ...token.Token) bool {
	u, ok := x.(*ast.UnaryExpr)
	if !ok || !slices.Contains(ops, u.Op) {
		return false
	}
	lit, ok := u.X.(*ast.BasicLit)
	return ok && (lit.Kind == token.INT || lit.Kind == token.FLOAT)
}

// operandsOf flattens a chain of one operator.
func operandsOf(x ast.Expr, op token.Token) []ast.Expr {
	if b, ok := x.(*ast.BinaryExpr); ok && b.Op == op {
		return append(operandsOf(b.X, op), operandsOf(b.Y, op)...)
	}
	return []ast.Expr{x}
}

// conjunction joins expressions with &.
func conjunction(parts []ast.Expr) ast.Expr {
	out := parts[0]
	for _, p := range parts[1:] {
		if b, ok := p.(*ast.BinaryExpr); ok && b.Op == token.OR {
			p = &ast.ParenExpr{X: p}
		}
		out = ast.NewBinExpr(token.AND, out, p)
	}
	return out
}

// ownChecks writes checks that a choice makes with the name of its own field,
// `x: *45 | int & {if x < 1 {_|_}}`, as bounds: `x: *45 | int & >=1`. Newer CUE
// refuses every value but the default there.
func (m *modernizer) ownChecks(f *ast.Field) {
	name, _, err := ast.LabelName(f.Label)
	if err != nil {
		return
	}
	choice, ok := f.Value.(*ast.BinaryExpr)
	if !ok || choice.Op != token.OR {
		return
	}
	changed := false
	f.Value = astutil.Apply(choice, nil, func(c astutil.Cursor) bool {
		s, ok := c.Node().(*ast.StructLit)
		if !ok {
			return true
		}
		if bounds, ok := boundsOf(s, name); ok {
			c.Replace(bounds)
			changed = true
		}
		return true
	}).(ast.Expr)
	if changed {
		m.warn(f.Pos(), "a choice cannot check the value of its own field in newer CUE; write the bounds", name+": "+flat(f.Value))
	}
}

// boundsOf turns a struct that only checks the field name into bounds.
func boundsOf(s *ast.StructLit, name string) (ast.Expr, bool) {
	var out []ast.Expr
	checks := false
	for _, d := range s.Elts {
		switch d := d.(type) {
		case *ast.EmbedDecl:
			out = append(out, d.Expr)
		case *ast.Comprehension:
			if len(d.Clauses) != 1 || !refuses(d.Value) {
				return nil, false
			}
			cond, ok := d.Clauses[0].(*ast.IfClause)
			if !ok {
				return nil, false
			}
			b := bound(cond.Condition, name, false)
			if b == nil {
				return nil, false
			}
			out = append(out, b)
			checks = true
		default:
			return nil, false
		}
	}
	if !checks {
		return nil, false
	}
	return conjunction(out), true
}

// refuses says that a struct holds nothing but an error.
func refuses(x ast.Expr) bool {
	s, ok := x.(*ast.StructLit)
	if !ok || len(s.Elts) != 1 {
		return false
	}
	e, ok := s.Elts[0].(*ast.EmbedDecl)
	if !ok {
		return false
	}
	_, ok = e.Expr.(*ast.BottomLit)
	return ok
}

// opposite is the comparison that holds when op does not.
func opposite(op token.Token) token.Token {
	switch op {
	case token.LSS:
		return token.GEQ
	case token.GEQ:
		return token.LSS
	case token.GTR:
		return token.LEQ
	case token.LEQ:
		return token.GTR
	case token.EQL:
		return token.NEQ
	case token.NEQ:
		return token.EQL
	case token.MAT:
		return token.NMAT
	case token.NMAT:
		return token.MAT
	}
	return token.ILLEGAL
}

// mirrored is the comparison that says the same with the sides exchanged.
func mirrored(op token.Token) token.Token {
	switch op {
	case token.LSS:
		return token.GTR
	case token.GTR:
		return token.LSS
	case token.LEQ:
		return token.GEQ
	case token.GEQ:
		return token.LEQ
	case token.EQL, token.NEQ:
		return op
	}
	return token.ILLEGAL
}

// bound is the constraint on a field that cond, when holds is true, or its
// opposite puts there; nil when there is no such form.
func bound(cond ast.Expr, name string, holds bool) ast.Expr {
	switch x := cond.(type) {
	case *ast.ParenExpr:
		return bound(x.X, name, holds)
	case *ast.UnaryExpr:
		if x.Op == token.NOT {
			return bound(x.X, name, !holds)
		}
	case *ast.BinaryExpr:
		if x.Op == token.LAND || x.Op == token.LOR {
			a, b := bound(x.X, name, holds), bound(x.Y, name, holds)
			if a == nil || b == nil {
				return nil
			}
			if (x.Op == token.LAND) == holds {
				return conjunction([]ast.Expr{a, b})
			}
			return &ast.ParenExpr{X: ast.NewBinExpr(token.OR, a, b)}
		}
		return comparison(x, name, holds)
	}
	return nil
}

func comparison(x *ast.BinaryExpr, name string, holds bool) ast.Expr {
	op, value := x.Op, x.Y
	if !isIdent(x.X, name) {
		if !isIdent(x.Y, name) {
			return nil
		}
		op, value = mirrored(op), x.X
	}
	if _, constant := value.(*ast.BasicLit); !constant {
		return nil
	}
	if !holds {
		op = opposite(op)
	}
	ast.SetRelPos(value, token.NoSpace)
	switch op {
	case token.ILLEGAL:
		return nil
	case token.EQL:
		return value
	}
	return &ast.UnaryExpr{Op: op, X: value}
}
