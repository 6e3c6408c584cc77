package connect

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// Owned lists what app owns in all clusters, from its trackers: each object
// once, by cluster, namespace, component, trait, kind and name.
func Owned(ctx context.Context, c client.Reader, app *v1beta1.Application) ([]v1beta1.ManagedResource, error) {
	var trackers v1beta1.ResourceTrackerList
	if err := c.List(ctx, &trackers, client.MatchingLabels{
		oam.LabelAppName: app.Name, oam.LabelAppNamespace: app.Namespace,
	}); err != nil {
		return nil, fmt.Errorf("list what %s/%s owns: %w", app.Namespace, app.Name, err)
	}
	var out []v1beta1.ManagedResource
	for _, t := range trackers.Items {
		if t.Spec.Type != v1beta1.ResourceTrackerComponentRevision {
			out = append(out, t.Spec.ManagedResources...)
		}
	}
	order := func(a, b v1beta1.ManagedResource) int {
		return cmp.Or(
			cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Component, b.Component),
			cmp.Compare(a.Trait, b.Trait), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	}
	slices.SortStableFunc(out, order)
	return slices.CompactFunc(out, func(a, b v1beta1.ManagedResource) bool { return order(a, b) == 0 }), nil
}
