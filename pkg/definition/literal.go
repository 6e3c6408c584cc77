package definition

import (
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"
)

// plain reads syntax that holds only data, as the description of nearly every
// definition does, without evaluating it. ok is false for everything else.
func plain(x ast.Expr) (v any, ok bool) {
	switch x := x.(type) {
	case *ast.StructLit:
		return plainFields(x.Elts)
	case *ast.ListLit:
		out := make([]any, 0, len(x.Elts))
		for _, e := range x.Elts {
			v, ok := plain(e)
			if !ok {
				return nil, false
			}
			out = append(out, v)
		}
		return out, true
	case *ast.BasicLit:
		return plainValue(x)
	}
	return nil, false
}

func plainFields(decls []ast.Decl) (map[string]any, bool) {
	out := make(map[string]any, len(decls))
	for _, d := range decls {
		if _, isComment := d.(*ast.CommentGroup); isComment {
			continue
		}
		f, ok := d.(*ast.Field)
		if !ok || f.Constraint != token.ILLEGAL {
			return nil, false
		}
		name, isIdent, err := ast.LabelName(f.Label)
		if err != nil || (isIdent && strings.HasPrefix(name, "_")) || (isIdent && strings.HasPrefix(name, "#")) {
			return nil, false
		}
		v, ok := plain(f.Value)
		if _, again := out[name]; !ok || again { // unifying is CUE's business
			return nil, false
		}
		out[name] = v
	}
	return out, true
}

func plainValue(x *ast.BasicLit) (any, bool) {
	switch x.Kind {
	case token.STRING:
		s, err := literal.Unquote(x.Value)
		return s, err == nil
	case token.INT:
		i, err := strconv.ParseInt(x.Value, 10, 64)
		return i, err == nil
	case token.TRUE, token.FALSE:
		return x.Kind == token.TRUE, true
	case token.NULL:
		return nil, true
	}
	return nil, false
}
