package delivery

import (
	"context"
	"slices"

	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/replication"
)

// Copies reports whether a policy makes several components of one. Which copy a
// place gets is known when it is delivered.
func Copies(p blueprint.Policy) bool { return p.Type == replication.Type }

// Managed returns the workloads of t that a trait brings into the cluster
// itself: they are rendered for the trait and never sent.
func (r *Run) Managed(ctx context.Context, t Target) ([]manifest.Manifest, error) {
	units, err := r.units(ctx, t)
	if err != nil {
		return nil, err
	}
	var out []manifest.Manifest
	for _, u := range units {
		if len(u.missing) > 0 || !r.manages(u.component) {
			continue
		}
		req, err := r.request(ctx, u)
		if err != nil {
			return nil, err
		}
		parts, err := r.delivery.Renderer.Parts(ctx, req)
		if err != nil {
			return nil, err
		}
		out = append(out, slices.DeleteFunc(parts, func(m manifest.Manifest) bool { return !m.Workload() })...)
	}
	return out, nil
}

// manages reports whether a trait manages the workload of a component.
func (r *Run) manages(c blueprint.Component) bool {
	return slices.ContainsFunc(c.Traits, func(t blueprint.Trait) bool {
		return r.Blueprint.Definitions[definition.Ref{Kind: definition.Trait, Name: t.Type}].ManageWorkload
	})
}
