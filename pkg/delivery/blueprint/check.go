package blueprint

import (
	"errors"
	"fmt"
	"slices"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// given says how complete properties are when they are checked.
type given struct {
	partial bool    // something else may add what is missing
	inputs  []Input // fill some of them later
}

// complete reports whether nothing comes later. What an input fills may decide
// about other properties too: a default can be another property.
func (g given) complete() bool {
	return !g.partial && !slices.ContainsFunc(g.inputs, func(i Input) bool { return i.ParameterKey != "" })
}

// check pins the definition of a use and compares the properties with it.
func (r *resolver) check(u use, properties map[string]any, g given) {
	l := r.lookup(u)
	if l.err != nil {
		r.errs = append(r.errs, u.missing(l.err))
		return
	}
	if l.template == nil {
		return
	}
	v, err := r.opts.Memo.check(l.template, properties)
	if err != nil {
		r.errs = append(r.errs, fault.Because(v1beta1.ReasonInvalidDefinition, fmt.Errorf("%s: %w", u.what, err), fault.At(u.origin.Sub("type").String())))
		return
	}
	for _, e := range v.mistakes {
		if e.Kind == cue.Missing && !g.complete() {
			continue
		}
		r.errs = append(r.errs, PropertyError(u.what, u.origin, e))
	}
	for _, f := range v.unknown {
		r.unknown(u, f)
	}
}

// PropertyError says what is wrong with a property of what (`component "web"`),
// at the place where the user wrote it.
func PropertyError(what string, o Origin, e *cue.Error) error {
	plain := *e
	plain.Path = ""
	at := o.Property(e.Path)
	if e.Kind == cue.Missing && e.Path != "" {
		plain.Message = fmt.Sprintf("the property %q is missing", e.Path)
		if e.Want != "" {
			plain.Message += ": expected " + e.Want
		}
	}
	if e.Kind == cue.Limit {
		return fault.Invalid(v1beta1.ReasonBudgetExceeded, fmt.Errorf("%s: %w", what, &plain), fault.At(at))
	}
	return fault.Invalid(v1beta1.ReasonInvalidProperties, fmt.Errorf("%s: %w", what, &plain), fault.At(at))
}

func (r *resolver) unknown(u use, f cue.UnknownField) {
	text := fmt.Sprintf("%s: type %q has no such property", u.what, u.ref.Name)
	opts := []fault.Option{fault.At(u.origin.Property(f.Path))}
	if f.Suggestion != "" {
		opts = append(opts, fault.Hint("did you mean %q?", f.Suggestion))
	}
	err := fault.Invalid(v1beta1.ReasonUnknownProperty, errors.New(text), opts...)
	if r.opts.Strict {
		r.errs = append(r.errs, err)
		return
	}
	r.bp.Warnings = append(r.bp.Warnings, fault.Message(err))
}
