package direct

import (
	"slices"

	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
)

// lookup returns a field of n, nil when there is none.
func (r *Run) lookup(n *node, name string) (*node, error) {
	for {
		if err := r.expand(n); err != nil {
			return nil, err
		}
		if n.alias == nil {
			break
		}
		n = n.alias
	}
	if n.state != done {
		for i := 0; i < len(n.pending); i++ {
			if p := n.pending[i]; p.may(name) {
				if err := r.runPending(n, p); err != nil {
					return nil, err
				}
			}
		}
	}
	if err := r.charge(len(n.arcs) + len(n.constraints)); err != nil {
		return nil, err
	}
	for i := range n.arcs {
		if a := &n.arcs[i]; a.name == name {
			n.settle(a)
			return a.node, nil
		}
	}
	return nil, nil
}

// settle adds optional fields and patterns to a field that is there.
func (n *node) settle(a *arc) {
	if a.settled {
		return
	}
	a.settled = true
	for _, c := range n.constraints {
		switch {
		case c.name == "" && !regular(a.name):
		case c.name == "" && !c.all:
			a.node.err = Unsure // a pattern that may or may not match
		case c.name == "" || c.name == a.name:
			if a.node.state != fresh {
				a.node.err = Unsure
				return
			}
			a.node.conjs = append(a.node.conjs, c.conj)
		}
	}
}

func (r *Run) runPending(n *node, p *pending) error {
	switch p.state {
	case done:
		return nil
	case expanding:
		return Unsure // a cycle
	}
	if err := r.enter(); err != nil {
		return err
	}
	defer r.leave()
	p.state = expanding
	var err error
	switch x := p.comp.embed.(type) {
	case nil:
		err = r.iterate(p.comp.clauses, p.env, false, func(e *env) error {
			return r.addStruct(n, p.comp.body, &env{up: e, node: n}, p.group)
		})
	case mustX:
		if !slices.ContainsFunc(n.arcs, func(a arc) bool { return a.name == x.name }) {
			err = Unsure
		}
	default:
		if isDefinition(x) {
			return Unsure // an embedded definition closes in its own way
		}
		err = r.add(n, conj{x: x, env: p.env, group: p.group})
	}
	if err != nil {
		n.err = err
		return err
	}
	p.state = done
	return n.err
}

// complete evaluates everything about n except its fields.
func (r *Run) complete(n *node) error {
	if err := r.expand(n); err != nil {
		return err
	}
	if n.alias != nil {
		if err := r.complete(n.alias); err != nil {
			return err
		}
		n.kind = n.alias.kind
		n.state = done
		return nil
	}
	if n.state == done {
		return n.err
	}
	if err := r.enter(); err != nil {
		return err
	}
	defer r.leave()
	// Fields that must be there are looked at last.
	for pass := range 2 {
		for i := 0; i < len(n.pending); i++ {
			_, must := n.pending[i].comp.embed.(mustX)
			if must == (pass == 1) {
				if err := r.runPending(n, n.pending[i]); err != nil {
					return err
				}
			}
		}
	}
	if err := r.charge(len(n.arcs) * (1 + len(n.constraints) + len(n.closed))); err != nil {
		return err
	}
	for i := range n.arcs {
		n.settle(&n.arcs[i])
	}
	if err := n.closedness(); err != nil {
		n.err = err
		return err
	}
	if err := r.decide(n); err != nil {
		n.err = err
		return err
	}
	n.state = done
	return nil
}

// closedness refuses fields that a definition does not declare.
func (n *node) closedness() error {
	for _, c := range n.closed {
		if c.open {
			continue
		}
		for _, a := range n.arcs {
			if regular(a.name) && !c.names[a.name] {
				return errConflict
			}
		}
	}
	return nil
}

// value follows references and defaults to the node that counts.
func (r *Run) value(n *node) (*node, error) {
	for {
		if err := r.complete(n); err != nil {
			return nil, err
		}
		switch {
		case n.alias != nil:
			n = n.alias
		case n.kind == isChoice:
			if n.def == nil {
				return nil, Unsure
			}
			n = n.def
		default:
			return n, nil
		}
	}
}

func (n *node) marksOf(name string) []patch.Markers {
	for _, a := range n.arcs {
		if a.name == name {
			return a.marks
		}
	}
	return nil
}
