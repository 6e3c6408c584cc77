package cue

import (
	"context"

	cuelang "cuelang.org/go/cue"
)

// Check compares parameters with what the template declares under `parameter`,
// without evaluating anything else of it: no context is needed and nothing is
// called. It returns the mistakes as *Error values, InParameter set, nil when
// there are none.
func (t *Template) Check(parameter any) error {
	if !t.facts.parameter {
		return nil
	}
	args, err := t.arguments(Input{Parameter: parameter})
	if err != nil {
		return err
	}
	c, err := t.compiled()
	if err != nil {
		return err
	}
	var v cuelang.Value
	if err := t.guard(context.Background(), func() { v = fill(c, args) }); err != nil {
		return err
	}
	r := &Result{template: t, cell: c, value: v, args: args}
	_, _, err = r.Lookup("parameter")
	return err
}
