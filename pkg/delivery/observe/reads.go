package observe

import (
	"slices"
	"sync"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/parser"
)

// reads says which parts of its input a rule looks at.
type reads struct {
	context   [][]string // paths in context, each with everything below it
	parameter bool
}

// A reader knows what rules read. It is safe for concurrent use.
type reader struct{ known sync.Map } // reads by text

func (r *reader) of(text string) reads {
	if v, ok := r.known.Load(text); ok {
		return v.(reads)
	}
	out := analyse(text)
	r.known.Store(text, out)
	return out
}

// analyse finds the selections that start at `context`, such as
// context.output.status.replicas. What is selected by a value that the text
// does not have counts as all of it.
func analyse(text string) reads {
	f, err := parser.ParseFile("rule", text)
	if err != nil {
		return reads{context: [][]string{{}}, parameter: true} // evaluation says what is wrong
	}
	var out reads
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.SelectorExpr, *ast.IndexExpr:
			path, rest, ok := selection(x.(ast.Expr))
			if !ok {
				return true
			}
			out.context = append(out.context, path)
			for _, e := range rest {
				ast.Walk(e, visit, nil)
			}
			return false
		case *ast.Field:
			if _, plain := x.Label.(*ast.Ident); plain { // a label is no reference
				ast.Walk(x.Value, visit, nil)
				return false
			}
		case *ast.Ident:
			switch x.Name {
			case "context":
				out.context = append(out.context, nil)
			case "parameter":
				out.parameter = true
			}
		}
		return true
	}
	ast.Walk(f, visit, nil)
	out.context = outermost(out.context)
	return out
}

// outermost sorts paths and drops those that lie below another.
func outermost(paths [][]string) [][]string {
	slices.SortFunc(paths, slices.Compare)
	var out [][]string
	for _, p := range paths {
		if n := len(out); n == 0 || !isPrefix(out[n-1], p) {
			out = append(out, p)
		}
	}
	return out
}

func isPrefix(a, b []string) bool { return len(a) <= len(b) && slices.Equal(a, b[:len(a)]) }

// selection reads context.a["b"].c as a path. rest are the expressions inside
// brackets that are no literals; the path ends before the first of them.
func selection(x ast.Expr) (path []string, rest []ast.Expr, ok bool) {
	switch x := x.(type) {
	case *ast.Ident:
		return nil, nil, x.Name == "context"
	case *ast.SelectorExpr:
		path, rest, ok = selection(x.X)
		name, _, err := ast.LabelName(x.Sel)
		if ok && err == nil && len(rest) == 0 {
			path = append(path, name)
		}
		return path, rest, ok && err == nil
	case *ast.IndexExpr:
		path, rest, ok = selection(x.X)
		if !ok {
			return nil, nil, false
		}
		if lit, isLit := x.Index.(*ast.BasicLit); isLit && len(rest) == 0 {
			if name, err := literal.Unquote(lit.Value); err == nil {
				return append(path, name), rest, true
			}
		}
		return path, append(rest, x.Index), true
	}
	return nil, nil, false
}

// prune returns the parts of fields that the paths, none of which lies below
// another, lead to. Nothing in fields is modified; lists are taken whole.
func prune(fields map[string]any, paths [][]string) map[string]any {
	out := map[string]any{}
	for _, path := range paths {
		if len(path) == 0 {
			return fields
		}
		take(out, fields, path)
	}
	return out
}

// take copies what path leads to from one object into another. An object on
// the way is there even if nothing follows in it, so that a rule sees that it
// exists.
func take(to, from map[string]any, path []string) {
	v, ok := from[path[0]]
	if !ok {
		return
	}
	below, isObject := v.(map[string]any)
	if len(path) == 1 || !isObject {
		to[path[0]] = v
		return
	}
	next, ok := to[path[0]].(map[string]any)
	if !ok {
		next = map[string]any{}
		to[path[0]] = next
	}
	take(next, below, path[1:])
}
