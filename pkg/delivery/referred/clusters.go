package referred

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// Clusters is the Source of live objects. It reads with the rights of the
// control plane, so in the scope of a namespace it reads only kinds that live in
// one.
type Clusters struct {
	Get   func(ctx context.Context, name string) (*cluster.Cluster, error)
	Scope Scope
}

// Select implements Source.
func (c Clusters) Select(ctx context.Context, s Selector) ([]unstructured.Unstructured, error) {
	at, err := c.Get(ctx, s.Cluster)
	if err != nil {
		return nil, err
	}
	mapping, err := mappingOf(ctx, at, s)
	if err != nil {
		return nil, err
	}
	namespace := s.Namespace
	if mapping.Scope.Name() == meta.RESTScopeNameRoot {
		if c.Scope != InCluster && c.Scope != Anywhere {
			return nil, fault.Invalid(v1beta1.ReasonForbidden,
				fmt.Errorf("refers to a %s, which is in no namespace: only objects in the namespace of the Application can be referred to", mapping.GroupVersionKind.Kind))
		}
		namespace = ""
	}
	if s.Name == "" {
		return at.List(ctx, mapping.GroupVersionKind, cluster.ListOptions{Namespace: namespace, Selector: labels.Set(s.Labels).String()})
	}
	o, err := at.Get(ctx, mapping.GroupVersionKind, types.NamespacedName{Namespace: namespace, Name: s.Name})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []unstructured.Unstructured{*o}, nil
}

func mappingOf(ctx context.Context, at *cluster.Cluster, s Selector) (meta.RESTMapping, error) {
	var mapping meta.RESTMapping
	var err error
	if s.Kind != "" {
		mapping, err = at.Mapping(ctx, schema.GroupVersionKind{Group: s.Group, Version: s.Version, Kind: s.Kind})
	} else {
		mapping, err = at.Resource(ctx, s.Group, s.Resource)
	}
	if meta.IsNoMatchError(err) {
		return mapping, fault.Because(v1beta1.ReasonReferenceMissing, fmt.Errorf("cluster %q has no kind for %s", s.Cluster, s))
	}
	return mapping, err
}
