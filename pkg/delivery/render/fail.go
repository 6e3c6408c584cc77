package render

import (
	"errors"
	"fmt"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// fail says what went wrong with a unit in terms of its properties. While some
// of them are wrong, what the template makes of it is of no interest.
func (u unit) fail(err error) error {
	if fault.Reason(err) != "" {
		return err
	}
	all := cue.Errors(err)
	if len(all) == 0 {
		return fault.Because(v1beta1.ReasonRenderFailed, fmt.Errorf("%s: %w", u.what, err), fault.At(u.origin.String()))
	}
	var inProperties, inTemplate []error
	for _, e := range all {
		if e.InParameter {
			inProperties = append(inProperties, blueprint.PropertyError(u.what, u.origin, e))
			continue
		}
		inTemplate = append(inTemplate, u.broken(e))
	}
	if len(inProperties) > 0 {
		return errors.Join(inProperties...)
	}
	return errors.Join(inTemplate...)
}

// broken is a mistake that shows in the template of the definition.
func (u unit) broken(e *cue.Error) error {
	at := fault.At(u.origin.Property(""))
	switch e.Kind {
	case cue.Provider:
		return fault.Because(v1beta1.ReasonRenderFailed, fmt.Errorf("%s: %w", u.what, e), at)
	case cue.Limit:
		return fault.Invalid(v1beta1.ReasonBudgetExceeded, fmt.Errorf("%s: %w", u.what, e), at)
	case cue.UserError:
		return fault.Invalid(v1beta1.ReasonRenderFailed, fmt.Errorf("%s: %w", u.what, e), at)
	}
	return fault.Invalid(v1beta1.ReasonRenderFailed,
		fmt.Errorf("%s: %s definition %q cannot be rendered with these properties: %w", u.what, u.def.Kind, u.def.Name, e), at)
}

// reported returns what the definition itself has found wrong.
func (u unit) reported(res *cue.Result) error {
	messages, err := res.Errs()
	if err != nil {
		return u.fail(err)
	}
	var errs []error
	for _, m := range messages {
		errs = append(errs, fault.Invalid(v1beta1.ReasonRenderFailed, fmt.Errorf("%s: %s", u.what, m), fault.At(u.origin.Property(""))))
	}
	return errors.Join(errs...)
}
