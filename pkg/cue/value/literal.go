// Package value brings Go values into the form that templates and patches work
// on, within limits, and writes them as CUE syntax. It knows nothing of
// templates.
package value

import (
	"maps"
	"slices"
	"strconv"

	cuelang "cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
)

// Encode makes a CUE value of a normalised Go value. It goes through syntax
// and not through the library's conversion of Go values: objects in lists
// that are converted lose their fields when a template embeds or iterates
// over them (cuelang 0.17.1), and nil becomes "any value" instead of null.
func Encode(ctx *cuelang.Context, v any) cuelang.Value { return ctx.BuildExpr(literal(v)) }

// literal writes a normalised value as syntax, with the keys of objects
// sorted.
func literal(v any) ast.Expr {
	switch v := v.(type) {
	case bool:
		return ast.NewBool(v)
	case string:
		return ast.NewString(v)
	case int64:
		return negative(v < 0, ast.NewLit(token.INT, strconv.FormatUint(magnitude(v), 10)))
	case float64:
		text := strconv.FormatFloat(v, 'e', -1, 64)
		if v < 0 {
			text = text[1:]
		}
		return negative(v < 0, ast.NewLit(token.FLOAT, text))
	case []any:
		elems := make([]ast.Expr, len(v))
		for i, e := range v {
			elems[i] = literal(e)
		}
		return ast.NewList(elems...)
	case map[string]any:
		s := &ast.StructLit{Elts: make([]ast.Decl, 0, len(v))}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			// A quoted label is never a definition or hidden, whatever it starts with.
			s.Elts = append(s.Elts, &ast.Field{Label: ast.NewString(name), Value: literal(v[name])})
		}
		return s
	}
	return ast.NewNull()
}

func negative(is bool, x ast.Expr) ast.Expr {
	if is {
		return &ast.UnaryExpr{Op: token.SUB, X: x}
	}
	return x
}

// magnitude is the absolute value, also of the smallest int64.
func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}
