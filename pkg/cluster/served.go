package cluster

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Served returns gvk, or the same kind in a version that the cluster serves when
// it does not serve that one (any more). The error satisfies meta.IsNoMatchError
// only when the cluster has the kind in no version: then none of its objects
// exists.
func (c *Cluster) Served(ctx context.Context, gvk schema.GroupVersionKind) (schema.GroupVersionKind, error) {
	_, err := c.Mapping(ctx, gvk)
	if err == nil || !meta.IsNoMatchError(err) || gvk.Group == "" {
		return gvk, err
	}
	raw, _, gerr := c.do(ctx, c.rest.Get().AbsPath("/apis/"+gvk.Group))
	if apierrors.IsNotFound(gerr) {
		return gvk, err
	}
	if gerr != nil {
		return gvk, fmt.Errorf("discover %s in cluster %q: %w", gvk.Group, c.name, gerr)
	}
	var group metav1.APIGroup
	if jerr := json.Unmarshal(raw, &group); jerr != nil {
		return gvk, fmt.Errorf("decode API group %q: %w", gvk.Group, jerr)
	}
	for _, v := range group.Versions {
		other := schema.GroupVersionKind{Group: gvk.Group, Version: v.Version, Kind: gvk.Kind}
		_, merr := c.Mapping(ctx, other)
		if merr == nil || !meta.IsNoMatchError(merr) {
			return other, merr
		}
	}
	return gvk, err
}
