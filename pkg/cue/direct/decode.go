package direct

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
)

// decode returns the JSON-like form of n; nothing of it is shared.
func (r *Run) decode(n *node) (any, error) {
	if v, ok := n.onlyData(); ok {
		return r.clone(v)
	}
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer r.leave()
	n, err := r.value(n)
	if err != nil {
		return nil, err
	}
	switch n.kind {
	case isScalar:
		return n.scalar, nil
	case isList:
		out := make([]any, len(n.elems))
		for i, e := range n.elems {
			if out[i], err = r.decode(e); err != nil {
				return nil, err
			}
		}
		return out, nil
	case isStruct:
		out := make(map[string]any, len(n.arcs))
		for i := range n.arcs {
			a := &n.arcs[i]
			if !regular(a.name) {
				if err := r.sound(a); err != nil {
					return nil, err
				}
				continue
			}
			if out[a.name], err = r.decode(a.node); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return nil, errMissing
}

// sound looks at a hidden field or definition of a struct that is decoded: what
// is wrong there is wrong with the struct.
func (r *Run) sound(a *arc) error {
	if strings.HasPrefix(a.name, letPrefix) {
		return nil // evaluated when it is used
	}
	return r.check(a.node)
}

// onlyData returns the value of a node that is nothing but input.
func (n *node) onlyData() (any, bool) {
	for n.alias != nil {
		n = n.alias
	}
	if n.err == nil && len(n.conjs) == 1 && n.conjs[0].isData && (n.state == fresh || len(n.constraints) == 0) {
		return n.conjs[0].data, true
	}
	return nil, false
}

// clone copies input. Every part counts as a step, because a template can
// repeat it.
func (r *Run) clone(v any) (any, error) {
	if err := r.step(); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			c, err := r.clone(e)
			if err != nil {
				return nil, err
			}
			out[k] = c
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			c, err := r.clone(e)
			if err != nil {
				return nil, err
			}
			out[i] = c
		}
		return out, nil
	}
	return v, nil
}

// check evaluates everything below n and fails when something does not fit.
// Values that are not known are fine.
func (r *Run) check(n *node) error {
	if _, ok := n.onlyData(); ok {
		return nil
	}
	if err := r.complete(n); err != nil {
		return err
	}
	for n.alias != nil {
		n = n.alias
	}
	if n.checked || n.checking {
		return nil
	}
	if err := r.enter(); err != nil {
		return err
	}
	defer r.leave()
	n.checking = true
	defer func() { n.checking = false }()
	for _, e := range n.elems {
		if err := r.check(e); err != nil {
			return err
		}
	}
	for i := range n.arcs {
		if err := r.check(n.arcs[i].node); err != nil {
			return err
		}
	}
	n.checked = true
	return nil
}

// patchNode reads n as a part of a patch. Values that are not concrete are
// left to CUE.
func (r *Run) patchNode(n *node) (*patch.Node, error) {
	if v, ok := n.onlyData(); ok {
		c, err := r.clone(v)
		return patch.Concrete(c), err
	}
	if err := r.complete(n); err != nil {
		return nil, err
	}
	for n.alias != nil {
		n = n.alias
	}
	if _, ok := n.onlyData(); ok {
		return r.patchNode(n)
	}
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer r.leave()
	switch n.kind {
	case isScalar:
		return patch.Scalar(n.scalar), nil
	case isStruct:
		fields := make([]patch.Field, 0, len(n.arcs))
		for i := range n.arcs {
			a := &n.arcs[i]
			if !regular(a.name) {
				if err := r.sound(a); err != nil {
					return nil, err
				}
				continue
			}
			v, err := r.patchNode(a.node)
			if err != nil {
				return nil, err
			}
			fields = append(fields, patch.Field{Name: a.name, Value: v, Markers: merged(a.marks)})
		}
		return patch.Object(fields...), nil
	case isList:
		return r.patchList(n)
	case isChoice:
		if n.def != nil && n.def.kind == isScalar {
			return patch.Constrained(choice{r, n}), nil
		}
	}
	return nil, Unsure
}

// choice is a value with a default inside a patch: what the object has counts
// if it is allowed.
type choice struct {
	r *Run
	n *node
}

func (c choice) Default() (any, error) { return c.n.def.scalar, nil }

func (c choice) With(base any) (v any, err error) {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	defer rescue(&err)
	conjs := append(slices.Clip(c.n.conjs), conj{data: base, isData: true})
	if v, err = c.r.decode(&node{conjs: conjs}); err == nil {
		return v, nil
	}
	return nil, fmt.Errorf("expected %s, got %s", c.text(), patch.Show(base))
}

// text writes the choice the way CUE does.
func (c choice) text() string {
	var parts []string
	for _, alt := range c.n.choices[0].x.(orX).alts {
		mark := ""
		if alt.def {
			mark = "*"
		}
		switch x := alt.x.(type) {
		case litX:
			parts = append(parts, mark+patch.Show(x.v))
		case typeX:
			parts = append(parts, mark+x.k.String())
		default:
			parts = append(parts, mark+"…")
		}
	}
	return strings.Join(parts, " | ")
}

func (r *Run) patchList(n *node) (*patch.Node, error) {
	elems := make([]*patch.Node, len(n.elems))
	for i, e := range n.elems {
		v, err := r.patchNode(e)
		if err != nil {
			return nil, err
		}
		elems[i] = v
	}
	if !n.open || len(n.rest) == 0 {
		return patch.List(elems, n.open, nil), nil
	}
	rest, err := r.patchNode(&node{conjs: n.rest})
	if err != nil {
		return nil, err
	}
	return patch.List(elems, true, rest), nil
}

// merged joins the markers of several declarations of one field.
func merged(marks []patch.Markers) patch.Markers {
	var out patch.Markers
	for _, m := range marks {
		if m.Keys != nil {
			out.Keys = m.Keys
		}
		if m.Strategy != "" {
			out.Strategy = m.Strategy
		}
	}
	return out
}
