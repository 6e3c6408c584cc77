package cue

import (
	"context"
	"errors"

	cuelang "cuelang.org/go/cue"

	"github.com/seed-c5f95f19/vela/pkg/cue/value"
)

// eval runs one evaluation within the budget.
func (t *Template) eval(ctx context.Context, in Input, args arguments) (*Result, error) {
	res := &Result{template: t, args: args}
	if t.program != nil {
		run := t.program.Start(map[string]any{"parameter": args.parameter, "context": args.context})
		if run.Check("parameter") == nil {
			t.engine.direct.Add(1)
			res.run = run
			return res, nil
		}
	}
	if err := res.evaluate(ctx); err != nil {
		return nil, err
	}
	if wrong := res.value.LookupPath(pathParameter).Validate(); wrong != nil {
		return nil, res.explain(located(valueErrors(res.value.LookupPath(pathParameter)), "parameter"))
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

// evaluate lets the CUE library evaluate the template with the input. It does
// so once for a result.
func (r *Result) evaluate(ctx context.Context) error {
	r.once.Do(func() {
		t := r.template
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

// guard runs f on the pool and quarantines the template when f does not end in
// time or crashes.
func (t *Template) guard(ctx context.Context, f func()) error {
	err := t.engine.pool.run(ctx, t.engine.limits.Budget, f)
	var budget errBudget
	var crash errPanic
	switch {
	case err == nil:
		return nil
	case errors.As(err, &budget), errors.As(err, &crash):
		t.engine.quarry.add(t.digest, err.Error())
		t.cell.Store(nil)
		return t.engine.quarry.check(t)
	}
	return err
}

// wear counts an evaluation and drops a cell that has had its share.
func (t *Template) wear(c *cell) {
	if c.evals.Add(1) >= t.engine.limits.CellEvals {
		t.cell.CompareAndSwap(c, nil)
	}
}
