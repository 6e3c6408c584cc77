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

// Value returns the component in the JSON form that users write.
func (c Component) Value() map[string]any {
	out := map[string]any{"name": c.Name, "type": c.Type}
	set := func(field string, list []any) {
		if len(list) > 0 {
			out[field] = list
		}
	}
	if c.Properties != nil {
		out["properties"] = c.Properties
	}
	set("traits", values(c.Traits, func(t Trait) any {
		v := map[string]any{"type": t.Type}
		if t.Properties != nil {
			v["properties"] = t.Properties
		}
		return v
	}))
	set("dependsOn", values(c.DependsOn, func(name string) any { return name }))
	set("inputs", values(c.Inputs, func(i Input) any {
		v := map[string]any{"from": i.From}
		if i.ParameterKey != "" {
			v["parameterKey"] = i.ParameterKey
		}
		return v
	}))
	set("outputs", values(c.Outputs, func(o Output) any { return map[string]any{"name": o.Name, "valueFrom": o.ValueFrom} }))
	return out
}

func values[T any](in []T, value func(T) any) []any {
	out := make([]any, 0, len(in))
	for _, v := range in {
		out = append(out, value(v))
	}
	return out
}
