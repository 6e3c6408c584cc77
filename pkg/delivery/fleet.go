package delivery

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/multicluster"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// Clusters returns the names of all clusters, the hub first. Together with
// Placements it makes a Run a multicluster.Fleet.
func (r *Run) Clusters(ctx context.Context) ([]string, error) {
	all, err := r.clusters(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]string, 0, len(all))
	for _, c := range all {
		out = append(out, c.Name)
	}
	return out, nil
}

// Placements returns where the named policies lead.
func (r *Run) Placements(ctx context.Context, policies []string) ([]multicluster.Placement, error) {
	chosen, err := policy.Select(r.Blueprint.Policies, policies)
	if err != nil {
		return nil, err
	}
	places, err := r.places(ctx, Target{}, chosen)
	if err != nil {
		return nil, err
	}
	out := make([]multicluster.Placement, 0, len(places))
	for _, p := range places {
		out = append(out, multicluster.Placement(p))
	}
	return out, nil
}

// Components returns the components of an Application of the namespace as the
// user wrote them, "" for this one. Together with Policies it makes a Run an
// oam.Application.
func (r *Run) Components(ctx context.Context, app string) ([]map[string]any, error) {
	spec, err := r.spec(ctx, app)
	if err != nil {
		return nil, err
	}
	return asObjects(spec.Components)
}

// Policies returns the policies of an Application of the namespace.
func (r *Run) Policies(ctx context.Context, app string) ([]map[string]any, error) {
	spec, err := r.spec(ctx, app)
	if err != nil {
		return nil, err
	}
	return asObjects(spec.Policies)
}

func (r *Run) spec(ctx context.Context, app string) (v1beta1.ApplicationSpec, error) {
	if app == "" || app == r.Blueprint.App.Name {
		return r.Blueprint.Spec, nil
	}
	other, err := r.delivery.Applications(ctx, r.Blueprint.App.Namespace, app)
	if err != nil {
		return v1beta1.ApplicationSpec{}, fault.Because(v1beta1.ReasonReferenceMissing, fmt.Errorf("load Application %q: %w", app, err))
	}
	return other.Spec, nil
}

func asObjects(list any) ([]map[string]any, error) {
	data, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	decoded, err := provider.Unmarshal(data)
	if err != nil {
		return nil, err
	}
	values, _ := decoded.([]any)
	out := make([]map[string]any, 0, len(values))
	for _, v := range values {
		if m, ok := v.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out, nil
}
