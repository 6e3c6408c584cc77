package cue

import (
	"context"

	cuelang "cuelang.org/go/cue"

	"github.com/seed-c5f95f19/vela/pkg/cue/mistake"
	"github.com/seed-c5f95f19/vela/pkg/cue/value"
)

// eval runs one evaluation within the budget.
func (t *Template) eval(ctx context.Context, in Input, args arguments) (*Result, error) {
	res := &Result{template: t, args: args, actions: in}
	if t.program != nil {
		run := t.program.Start(map[string]any{"parameter": args.parameter, "context": args.context})
		if run.Check("parameter") == nil {
			t.engine.direct.Add(1)
			res.run = run
			return res, nil
		}
	}
	if err := res.evaluate(ctx); err != nil || res.reading != nil {
		return res.orNothing(), err
	}
	if wrong := res.value.LookupPath(pathParameter).Validate(); wrong != nil {
		return nil, res.explain(mistake.Located(mistake.OfValue(res.value.LookupPath(pathParameter)), "parameter"))
	}
	if !t.facts.Calls {
		return res, nil
	}
	run := calls{template: t, in: in, root: res.value, done: map[string]bool{}}
	err := run.all(ctx)
	res.value = run.root
	if err != nil {
		return res, err
	}
	return res, nil
}

// orNothing is the result as far as there is one.
func (r *Result) orNothing() *Result {
	if r.failed != nil && r.reading == nil {
		return nil
	}
	return r
}

// evaluate lets the CUE library evaluate the template with the input. It does
// so once for a result.
func (r *Result) evaluate(ctx context.Context) error {
	r.once.Do(func() {
		t := r.template
		remote, err := t.outside(r.args)
		if err == nil && remote != nil {
			r.reading, r.failed = t.away(ctx, remote, r.actions, r.args)
			return
		}
		if err != nil {
			r.failed = err
			return
		}
		c, err := t.compiled()
		if err != nil {
			r.failed = err
			return
		}
		t.engine.full.Add(1)
		var v cuelang.Value
		r.failed = t.guard(ctx, func() { v = fill(c, r.args) })
		if r.failed == nil {
			r.cell, r.value = c, v
			t.wear(c)
		}
	})
	return r.failed
}

var pathParameter = cuelang.ParsePath("parameter")

// fill unifies the input with the template and evaluates all of it, so that
// later reads of the value are cheap and safe.
func fill(c *cell, args arguments) cuelang.Value {
	in := value.Encode(c.ctx, map[string]any{"parameter": args.parameter, "context": args.context})
	return c.value.FillPath(cuelang.Path{}, in)
}

// wear counts an evaluation and drops a cell that has had its share.
func (t *Template) wear(c *cell) {
	if c.evals.Add(1) >= t.engine.limits.CellEvals {
		t.cell.CompareAndSwap(c, nil)
	}
}
