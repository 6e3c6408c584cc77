package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Resource returns the kind that users call by a name of its resource: plural,
// singular, short, or the kind itself. Without a group the first group that has
// it counts, the core group before all others. The error satisfies
// meta.IsNoMatchError when there is none.
func (c *Cluster) Resource(ctx context.Context, group, name string) (meta.RESTMapping, error) {
	versions, err := c.versions(ctx, group)
	if err != nil {
		return meta.RESTMapping{}, err
	}
	for _, gv := range versions {
		list, err := c.discover(ctx, gv)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return meta.RESTMapping{}, fmt.Errorf("discover %s in cluster %q: %w", gv, c.name, err)
		}
		if kind := called(list, strings.ToLower(name)); kind != "" {
			return c.Mapping(ctx, gv.WithKind(kind))
		}
	}
	return meta.RESTMapping{}, &meta.NoResourceMatchError{PartialResource: schema.GroupVersionResource{Group: group, Resource: name}}
}

// versions lists the preferred version of a group, or of all groups.
func (c *Cluster) versions(ctx context.Context, group string) ([]schema.GroupVersion, error) {
	var out []schema.GroupVersion
	if group == "" {
		out = append(out, schema.GroupVersion{Version: "v1"})
	}
	raw, _, err := c.do(ctx, c.rest.Get().AbsPath("/apis"))
	if err != nil {
		return nil, fmt.Errorf("discover the API groups of cluster %q: %w", c.name, err)
	}
	var groups metav1.APIGroupList
	if err := json.Unmarshal(raw, &groups); err != nil {
		return nil, fmt.Errorf("decode the API groups of cluster %q: %w", c.name, err)
	}
	for _, g := range groups.Groups {
		if group == "" || g.Name == group {
			out = append(out, schema.GroupVersion{Group: g.Name, Version: g.PreferredVersion.Version})
		}
	}
	return out, nil
}

// called finds the kind that a resource is called by.
func called(list *metav1.APIResourceList, name string) string {
	if list == nil {
		return ""
	}
	for _, r := range list.APIResources {
		if strings.Contains(r.Name, "/") {
			continue
		}
		if r.Name == name || r.SingularName == name || strings.ToLower(r.Kind) == name || slices.Contains(r.ShortNames, name) {
			return r.Kind
		}
	}
	return ""
}
