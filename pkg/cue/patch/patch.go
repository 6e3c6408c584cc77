// Package patch merges what a trait asks for into an object that exists.
//
// A Patch is read once from a template, together with the markers that its
// author wrote as comments:
//
//	// +patchKey=name                   merge a list by the field name
//	// +patchKey=name,id                … by the first of several keys that fits;
//	                                    several lines do the same
//	// +patchKey=configMapRef.name      … by a nested field
//	// +patchStrategy=retainKeys        the patch replaces the (matched) value
//	// +patchStrategy=replace           the patch replaces the value completely
//	// +patchStrategy=jsonMergePatch    on the whole patch: RFC 7396
//	// +patchStrategy=jsonPatch         on the whole patch: RFC 6902 in operations
//
// A patchKey holds for the lists below its field too. Any other strategy is
// accepted and ignored. Without a marker the patch is unified with the base:
// objects field by field, lists by index, and two different scalars are a
// Conflict. Merging works on Go values; only parts of a patch that are not
// concrete (`replicas: *1 | int`) are left to a Constraint. Package cue makes
// patches, package render applies them.
package patch

import (
	"maps"
	"slices"
	"strings"
)

// A Strategy is how a whole patch is applied.
type Strategy string

// Strategies of a whole patch.
const (
	Unify          Strategy = ""
	JSONMergePatch Strategy = "jsonMergePatch"
	JSONPatch      Strategy = "jsonPatch"
)

// Strategies of one field.
const (
	retainKeys = "retainKeys"
	replace    = "replace"
)

// A Patch is a change of one object. The zero value changes nothing. It is
// immutable and safe for concurrent use.
type Patch struct {
	Strategy Strategy
	root     *Node
	by       string
	owners   *Owners
}

// New returns a patch from a tree.
func New(root *Node, s Strategy) Patch { return Patch{Strategy: s, root: root} }

// Of returns a patch without markers from a JSON-like value.
func Of(v any) Patch { return Patch{root: Concrete(v)} }

// WithoutStrategy returns the patch without its whole-patch strategy, as
// `patchOutputs` wants it.
func (p Patch) WithoutStrategy() Patch {
	p.Strategy = Unify
	return p
}

// By names the writer of the patch for conflicts and, when owners is not nil,
// records there what it wrote.
func (p Patch) By(writer string, owners *Owners) Patch {
	p.by, p.owners = writer, owners
	return p
}

// Owners remembers who wrote which field of one object, so that a conflict can
// name both sides. It is not safe for concurrent use.
type Owners struct {
	base   string
	fields map[string]string
}

// NewOwners starts a record with the writer of the base object.
func NewOwners(base string) *Owners { return &Owners{base: base, fields: map[string]string{}} }

// Of returns the writer of the field at path, such as "spec.replicas".
func (o *Owners) Of(path string) string {
	if o == nil {
		return ""
	}
	for p := path; p != ""; p = parent(p) {
		if w, ok := o.fields[p]; ok {
			return w
		}
	}
	return o.base
}

func (o *Owners) wrote(path, by string) {
	if o != nil {
		o.fields[path] = by
	}
}

func parent(path string) string {
	if i := strings.LastIndexAny(path, ".["); i > 0 {
		return path[:i]
	}
	return ""
}

// A Node is one value of a patch.
type Node struct {
	kind       kind
	scalar     any
	fields     []Field
	elems      []*Node
	rest       *Node // what all further elements of an open list are unified with
	open       bool  // a list that ends with `...`
	constraint Constraint
}

type kind int

const (
	isScalar kind = iota
	isObject
	isList
	isConstraint
)

// A Field is one field of an object in a patch, with its markers.
type Field struct {
	Name  string
	Value *Node
	Markers
}

// Markers are the comments before a field.
type Markers struct {
	// Keys are those of patchKey, split at commas. Of several lines the last comes
	// first; betweenLines stands between them.
	Keys     []string
	Strategy string // patchStrategy
}

// betweenLines separates the keys of two lines.
const betweenLines = ""

// A Constraint is a part of a patch that is not concrete.
type Constraint interface {
	// With returns the constraint unified with what the base has.
	With(base any) (any, error)
	// Default returns the value to use when the base has none.
	Default() (any, error)
}

// Scalar returns a node for nil, a bool, a number or a string.
func Scalar(v any) *Node { return &Node{kind: isScalar, scalar: v} }

// Object returns a node for fields.
func Object(fields ...Field) *Node { return &Node{kind: isObject, fields: fields} }

// List returns a node for a list. open says that the base may have more
// elements; rest, which may be nil, is unified with each of those.
func List(elems []*Node, open bool, rest *Node) *Node {
	return &Node{kind: isList, elems: elems, open: open, rest: rest}
}

// Constrained returns a node for a value that is not concrete.
func Constrained(c Constraint) *Node { return &Node{kind: isConstraint, constraint: c} }

// Concrete returns the tree of a JSON-like value, without markers.
func Concrete(v any) *Node {
	switch v := v.(type) {
	case map[string]any:
		n := &Node{kind: isObject}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			n.fields = append(n.fields, Field{Name: name, Value: Concrete(v[name])})
		}
		return n
	case []any:
		n := &Node{kind: isList}
		for _, e := range v {
			n.elems = append(n.elems, Concrete(e))
		}
		return n
	}
	return Scalar(v)
}

// ParseMarkers reads the markers out of comment lines. A later patchStrategy
// replaces an earlier one; an element that has the key of the last patchKey is
// merged by that, another one by the line before. A value with spaces is not a
// marker.
func ParseMarkers(lines []string) Markers {
	var m Markers
	for _, text := range lines {
		text = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(text), "//"))
		text, ok := strings.CutPrefix(text, "+")
		if !ok {
			continue
		}
		name, value, ok := strings.Cut(text, "=")
		value = strings.TrimSpace(value)
		if !ok || len(strings.Fields(value)) != 1 {
			continue
		}
		switch strings.TrimSpace(name) {
		case "patchKey":
			m.Keys = withLine(strings.Split(value, ","), m.Keys)
		case "patchStrategy":
			m.Strategy = value
		}
	}
	return m
}

// withLine puts the keys of a line before those of earlier lines.
func withLine(line, earlier []string) []string {
	if len(earlier) == 0 {
		return line
	}
	return append(append(line, betweenLines), earlier...)
}

// Whole returns the whole-patch strategy that the markers ask for.
func (m Markers) Whole() Strategy {
	switch s := Strategy(m.Strategy); s {
	case JSONMergePatch, JSONPatch:
		return s
	}
	return Unify
}

// WholeOf finds the whole-patch strategy from the markers of the patch itself.
// CUE gives a comment before the chain `patch: operations: …` to the last field
// of the chain, so operations that stand alone are looked at too. A merge patch
// before a chain is not one: KubeVela does not see it there, and definitions
// that unify would lose what they mean to keep.
func WholeOf(m Markers, root *Node) Strategy {
	if s := m.Whole(); s != Unify || root.kind != isObject || len(root.fields) != 1 {
		return s
	}
	if f := root.fields[0]; f.Name == "operations" && f.Whole() == JSONPatch {
		return JSONPatch
	}
	return Unify
}
