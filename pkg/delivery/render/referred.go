package render

import (
	"fmt"
	"slices"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// properties returns those of the component; of one that refers to objects, the
// objects that were there when the Application was resolved.
func (req Request) properties() (map[string]any, error) {
	c := req.Component
	if !c.Refers() {
		return c.Properties, nil
	}
	i := slices.IndexFunc(req.Blueprint.Components, func(o blueprint.Component) bool { return o.Name == c.Name })
	found, ok := req.Blueprint.Referred[c.Name]
	if !ok || i < 0 {
		return nil, fault.Because(v1beta1.ReasonReferenceMissing,
			fmt.Errorf("component %q: what it refers to is not part of the revision %q", c.Name, req.RevisionName), fault.At(c.Origin.String()))
	}
	if manifest.Digest(c.Properties) != manifest.Digest(req.Blueprint.Components[i].Properties) {
		return nil, fault.Invalid(v1beta1.ReasonInvalidProperties,
			fmt.Errorf("component %q: an override changes what it refers to, which was read before", c.Name),
			fault.At(c.Origin.Property("")), fault.Hint("change the copies with a trait, or write two components"))
	}
	objects := make([]any, len(found))
	for n, o := range found {
		objects[n] = o
	}
	return map[string]any{"objects": objects}, nil
}
