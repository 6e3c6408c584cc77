package delivery

import (
	"context"
	"slices"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/envbinding"
)

// Labelled returns the names of the clusters with the given labels. Together
// with Patched it makes a Run a multicluster.Envs.
func (r *Run) Labelled(ctx context.Context, labels map[string]string) ([]string, error) {
	all, err := r.clusters(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, c := range all {
		fits := true
		for key, value := range labels {
			fits = fits && c.Labels[key] == value
		}
		if fits {
			out = append(out, c.Name)
		}
	}
	slices.Sort(out)
	return out, nil
}

// Patched returns the Application with the components of an env.
func (r *Run) Patched(_ context.Context, components []map[string]any, selector []string) (map[string]any, error) {
	patched, err := envbinding.Components(envbinding.Env{Patch: components, Selector: selector}, r.Blueprint.Components, r.delivery.Override)
	if err != nil {
		return nil, err
	}
	app := r.Blueprint.App
	return map[string]any{
		"apiVersion": v1beta1.GroupVersion.String(), "kind": v1beta1.ApplicationKind,
		"metadata": map[string]any{"name": app.Name, "namespace": app.Namespace},
		"spec":     map[string]any{"components": written(patched)},
	}, nil
}

// TerraformComponents returns the components that are cloud resources. It makes
// a Run a terraform.Modules.
func (r *Run) TerraformComponents(context.Context) ([]map[string]any, error) {
	var out []map[string]any
	for _, c := range r.Blueprint.Components {
		if r.terraform(c.Type) {
			out = append(out, c.Value())
		}
	}
	return out, nil
}

func written(components []blueprint.Component) []any {
	out := make([]any, 0, len(components))
	for _, c := range components {
		out = append(out, c.Value())
	}
	return out
}
