package cue

import (
	"errors"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/value"
)

// Input is what one evaluation gets.
type Input struct {
	// Parameter is a JSON-like value; nil and an empty map mean `parameter: {}`.
	Parameter any
	// Context holds the fields of `context`.
	Context map[string]any
	// Actions are the provider actions of this run; nil allows none.
	Actions provider.Table
	// ReadOnly refuses write actions: set it while rendering.
	ReadOnly bool
}

// arguments is a checked and normalised input.
type arguments struct {
	parameter   any
	context     map[string]any
	bytes, keys int // of both
}

// arguments checks the caps and turns every number into int64 or float64. It
// copies only what it has to change.
func (t *Template) arguments(in Input) (arguments, error) {
	n := value.NewNormalizer(t.engine.limits.caps())
	var out arguments
	p, err := n.Value(in.Parameter, "parameter")
	if err != nil {
		return out, valueProblem(err)
	}
	if p == nil {
		p = map[string]any{}
	}
	c, err := n.Value(in.Context, "context")
	if err != nil {
		return out, valueProblem(err)
	}
	out.parameter = p
	out.context, _ = c.(map[string]any)
	if out.context == nil {
		out.context = map[string]any{}
	}
	out.bytes, out.keys = n.Size()
	return out, nil
}

// valueProblem makes an error of this package of one about a value.
func valueProblem(err error) error {
	p := (*value.Problem)(nil)
	if !errors.As(err, &p) {
		return err
	}
	kind := WrongType
	if p.Limit {
		kind = Limit
	}
	return &Error{Kind: kind, Path: p.Path, Message: p.Message}
}
