package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/retry"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/identity"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// trackers returns every inventory on the hub; none where the kind is not
// installed.
func (r *Registry) trackers(ctx context.Context) ([]unstructured.Unstructured, error) {
	items, err := r.hub.List(ctx, v1beta1.GroupVersion.WithKind(v1beta1.ResourceTrackerKind), ListOptions{})
	if meta.IsNoMatchError(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what Applications own: %w", err)
	}
	return items, nil
}

// usedBy returns the Applications that own objects in a cluster, with counts.
func (r *Registry) usedBy(ctx context.Context, cluster string) ([]string, error) {
	items, err := r.trackers(ctx)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, item := range items {
		tracker, err := trackerOf(&item)
		if err != nil {
			return nil, err
		}
		labels := tracker.Labels
		app := labels[oam.LabelAppNamespace] + "/" + labels[oam.LabelAppName]
		for _, res := range tracker.Spec.ManagedResources {
			if res.Cluster == cluster {
				counts[app]++
			}
		}
	}
	var out []string
	for _, app := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, fmt.Sprintf("%s (%d objects)", app, counts[app]))
	}
	return out, nil
}

// prune removes what the inventories list in a cluster that is gone.
func (r *Registry) prune(ctx context.Context, cluster string) error {
	items, err := r.trackers(ctx)
	if err != nil {
		return err
	}
	for _, item := range items {
		err := retry.RetryOnConflict(retry.DefaultRetry, func() error { return r.pruneOne(ctx, &item, cluster) })
		if err != nil {
			return fmt.Errorf("forget objects of cluster %q in %q: %w", cluster, item.GetName(), err)
		}
	}
	return nil
}

func (r *Registry) pruneOne(ctx context.Context, item *unstructured.Unstructured, cluster string) error {
	fresh, err := r.hub.Get(ctx, item.GroupVersionKind(), keyOf(item))
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	tracker, err := trackerOf(fresh)
	if err != nil {
		return err
	}
	before := len(tracker.Spec.ManagedResources)
	tracker.Spec.ManagedResources = slices.DeleteFunc(tracker.Spec.ManagedResources, func(m v1beta1.ManagedResource) bool {
		return m.Cluster == cluster
	})
	if len(tracker.Spec.ManagedResources) == before {
		return nil
	}
	data, err := json.Marshal(tracker) // it knows how to pack itself
	if err != nil {
		return err
	}
	packed, err := decode(data)
	if err != nil {
		return err
	}
	_, err = r.hub.Replace(ctx, packed, identity.Identity{})
	return err
}

func trackerOf(obj *unstructured.Unstructured) (*v1beta1.ResourceTracker, error) {
	var tracker v1beta1.ResourceTracker
	data, err := obj.MarshalJSON()
	if err == nil {
		err = json.Unmarshal(data, &tracker)
	}
	if err != nil {
		return nil, fmt.Errorf("decode ResourceTracker %q: %w", obj.GetName(), err)
	}
	return &tracker, nil
}
