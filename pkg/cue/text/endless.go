package text

import (
	"cuelang.org/go/cue/ast"
)

// Endless finds close(x) where x contains the field that the call stands
// in. CUE notices other structs that contain themselves; with close it goes on
// until the stack is full, which ends the whole process and cannot be caught.
func Endless(f *ast.File) []Problem {
	m := newModernizer(f)
	var around []ast.Node // values of the fields around the current node
	var found []Problem
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			ast.Walk(n.Label, visit, nil)
			around = append(around, n.Value)
			ast.Walk(n.Value, visit, nil)
			around = around[:len(around)-1]
			return false
		case *ast.CallExpr:
			if !isIdent(n.Fun, "close") {
				return true
			}
			r := reach{m: m, seen: map[ast.Node]bool{}, wanted: around}
			for _, arg := range n.Args {
				if r.from(arg) {
					found = append(found, Problem{Line: Line(n.Pos()),
						Message: "close contains the field that it stands in, which never ends"})
					break
				}
			}
		}
		return true
	}
	ast.Walk(f, visit, nil)
	return found
}

// reach follows references.
type reach struct {
	m      *modernizer
	seen   map[ast.Node]bool
	wanted []ast.Node
}

// from says that a reference in n leads, over any number of others, to one of
// the wanted values.
func (r *reach) from(n ast.Node) bool {
	found := false
	ast.Walk(n, func(n ast.Node) bool {
		if found {
			return false
		}
		switch x := n.(type) {
		case *ast.Field:
			if r.from(x.Value) {
				found = true
			}
			return false // labels are no references
		case *ast.Ident, *ast.SelectorExpr:
			for _, def := range r.m.definitionsOf(x, 0) {
				if r.isWanted(def) || !r.seen[def] && r.mark(def) && r.from(def) {
					found = true
					return false
				}
			}
			_, isSelector := x.(*ast.SelectorExpr)
			return !isSelector || len(r.m.definitionsOf(x, 0)) == 0
		}
		return true
	}, nil)
	return found
}

func (r *reach) mark(n ast.Node) bool {
	r.seen[n] = true
	return true
}

func (r *reach) isWanted(n ast.Node) bool {
	for _, w := range r.wanted {
		if w == n {
			return true
		}
	}
	return false
}
