package blueprint

import (
	"errors"
	"fmt"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// ComponentOf reads one component from the JSON form that users write. A
// workflow step may have made it; its definitions have to be those of the
// Blueprint.
func ComponentOf(value map[string]any) (Component, error) {
	var wire v1beta1.ApplicationComponent
	if err := provider.Decode(value, &wire); err != nil {
		return Component{}, fault.Invalid(v1beta1.ReasonInvalidApplication, fmt.Errorf("the step gave no valid component: %w", err))
	}
	var p parser
	p.components([]v1beta1.ApplicationComponent{wire})
	if err := errors.Join(p.errs...); err != nil {
		return Component{}, err
	}
	c := p.draft.Components[0]
	c.Origin = Origin{}
	return c, nil
}
