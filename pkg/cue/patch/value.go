package patch

import (
	"fmt"

	cuelang "cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
)

// Decode turns a concrete CUE value, which stands at path, into a JSON-like one
// and reports errors in the caller's words.
type Decode func(v cuelang.Value, path string) (any, error)

// FromValue reads a patch out of an evaluated CUE value that stands at path.
func FromValue(v cuelang.Value, path string, decode Decode) (Patch, error) {
	r := reader{decode: decode}
	root, err := r.node(v, path)
	if err != nil {
		return Patch{}, err
	}
	return New(root, WholeOf(markers(v), root)), nil
}

type reader struct {
	decode Decode
}

func (r reader) node(v cuelang.Value, path string) (*Node, error) {
	if _, hasDefault := v.Default(); hasDefault && !v.IsConcrete() {
		return Constrained(constraint{v, path, r.decode}), nil
	}
	switch v.IncompleteKind() {
	case cuelang.StructKind:
		return r.object(v, path)
	case cuelang.ListKind:
		return r.list(v, path)
	case cuelang.BottomKind:
		_, err := r.decode(v, path)
		return nil, err
	}
	if !v.IsConcrete() {
		return Constrained(constraint{v, path, r.decode}), nil
	}
	scalar, err := r.decode(v, path)
	if err != nil {
		return nil, err
	}
	return Scalar(scalar), nil
}

func (r reader) object(v cuelang.Value, path string) (*Node, error) {
	it, err := v.Fields()
	if err != nil {
		_, err := r.decode(v, path)
		return nil, err
	}
	var fields []Field
	for it.Next() {
		n, err := r.node(it.Value(), join(path, it.Selector().Unquoted()))
		if err != nil {
			return nil, err
		}
		fields = append(fields, Field{Name: it.Selector().Unquoted(), Value: n, Markers: markers(it.Value())})
	}
	return Object(fields...), nil
}

func (r reader) list(v cuelang.Value, path string) (*Node, error) {
	it, err := v.List()
	if err != nil {
		_, err := r.decode(v, path)
		return nil, err
	}
	var elems []*Node
	for it.Next() {
		n, err := r.node(it.Value(), index(path, len(elems)))
		if err != nil {
			return nil, err
		}
		elems = append(elems, n)
	}
	rest := v.LookupPath(cuelang.MakePath(cuelang.AnyIndex))
	if !rest.Exists() {
		return List(elems, false, nil), nil
	}
	if rest.IncompleteKind() == cuelang.TopKind {
		return List(elems, true, nil), nil
	}
	n, err := r.node(rest, path+"[...]")
	if err != nil {
		return nil, err
	}
	return List(elems, true, n), nil
}

func markers(v cuelang.Value) Markers {
	var lines []string
	for _, group := range v.Doc() {
		lines = append(lines, commentLines(group)...)
	}
	return ParseMarkers(lines)
}

func commentLines(group *ast.CommentGroup) []string {
	lines := make([]string, len(group.List))
	for i, c := range group.List {
		lines[i] = c.Text
	}
	return lines
}

// constraint is a part of a patch that CUE has to unify.
type constraint struct {
	v      cuelang.Value
	path   string
	decode Decode
}

func (c constraint) With(base any) (any, error) {
	v, err := c.decode(c.v.FillPath(cuelang.Path{}, base), c.path)
	if err == nil {
		return v, nil
	}
	return nil, fmt.Errorf("expected %v, got %s", c.v, Show(base))
}

func (c constraint) Default() (any, error) { return c.decode(c.v, c.path) }
