package blueprint

import (
	"fmt"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// Refers reports whether the component stands for objects that are somewhere
// already.
func (c Component) Refers() bool { return base(c.Type) == v1alpha1.RefObjectsComponentType }

// refer reads the objects that components refer to. They are frozen like
// definitions are.
func (r *resolver) refer() {
	for _, c := range r.bp.Components {
		if !c.Refers() {
			continue
		}
		if r.opts.Objects == nil {
			r.errs = append(r.errs, fault.Because(v1beta1.ReasonReferenceMissing,
				fmt.Errorf("component %q refers to objects, which cannot be read here", c.Name), fault.At(c.Origin.String())))
			continue
		}
		found, err := r.opts.Objects.Find(r.ctx, r.bp.App.Namespace, c)
		if err != nil {
			r.errs = append(r.errs, err)
			continue
		}
		if r.bp.Referred == nil {
			r.bp.Referred = map[string][]map[string]any{}
		}
		r.bp.Referred[c.Name] = found
	}
}
