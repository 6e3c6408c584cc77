package observe

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/pkg/delivery/observe/kinds"
)

// A Node is a live object with what controllers made for it.
type Node struct {
	Object   *unstructured.Unstructured
	Health   kinds.Verdict
	Children []Node // by kind and name
}

// A Lister reads the objects of one cluster.
type Lister interface {
	List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error
}

// children are the kinds that the built-in controllers make.
func children(parent schema.GroupKind) []schema.GroupVersionKind {
	pod := schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
	switch parent {
	case schema.GroupKind{Group: "apps", Kind: "Deployment"}:
		return []schema.GroupVersionKind{{Group: "apps", Version: "v1", Kind: "ReplicaSet"}}
	case schema.GroupKind{Group: "batch", Kind: "CronJob"}:
		return []schema.GroupVersionKind{{Group: "batch", Version: "v1", Kind: "Job"}}
	case schema.GroupKind{Group: "apps", Kind: "ReplicaSet"},
		schema.GroupKind{Group: "apps", Kind: "StatefulSet"},
		schema.GroupKind{Group: "apps", Kind: "DaemonSet"},
		schema.GroupKind{Group: "batch", Kind: "Job"}:
		return []schema.GroupVersionKind{pod}
	case schema.GroupKind{Kind: "Service"}:
		return []schema.GroupVersionKind{{Group: "discovery.k8s.io", Version: "v1", Kind: "EndpointSlice"}}
	}
	return nil
}

// Tree returns what hangs on live objects by owner references, one node for
// each of roots. Each kind is listed once for each namespace. ReplicaSets
// that have no replicas any more are left out.
func Tree(ctx context.Context, cluster Lister, roots []*unstructured.Unstructured) ([]Node, error) {
	b := treeBuilder{cluster: cluster, lists: map[listKey][]*unstructured.Unstructured{}}
	out := make([]Node, 0, len(roots))
	for _, root := range roots {
		n, err := b.node(ctx, root)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

type listKey struct {
	gvk       schema.GroupVersionKind
	namespace string
}

type treeBuilder struct {
	cluster Lister
	lists   map[listKey][]*unstructured.Unstructured
}

func (b treeBuilder) node(ctx context.Context, o *unstructured.Unstructured) (Node, error) {
	n := Node{Object: o, Health: kinds.Judge(o)}
	for _, gvk := range children(o.GroupVersionKind().GroupKind()) {
		owned, err := b.ownedBy(ctx, o, gvk)
		if err != nil {
			return Node{}, err
		}
		for _, c := range owned {
			child, err := b.node(ctx, c)
			if err != nil {
				return Node{}, err
			}
			if gvk.Kind == "ReplicaSet" && len(child.Children) == 0 && isEmpty(c) {
				continue // of an earlier revision
			}
			n.Children = append(n.Children, child)
		}
	}
	return n, nil
}

func isEmpty(replicaSet *unstructured.Unstructured) bool {
	n, _, _ := unstructured.NestedInt64(replicaSet.Object, "spec", "replicas")
	return n == 0
}

func (b treeBuilder) ownedBy(ctx context.Context, o *unstructured.Unstructured, gvk schema.GroupVersionKind) ([]*unstructured.Unstructured, error) {
	all, err := b.list(ctx, listKey{gvk, o.GetNamespace()})
	if err != nil {
		return nil, err
	}
	var out []*unstructured.Unstructured
	for _, c := range all {
		if hasOwner(c, o.GetUID()) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b *unstructured.Unstructured) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return out, nil
}

func (b treeBuilder) list(ctx context.Context, key listKey) ([]*unstructured.Unstructured, error) {
	if known, ok := b.lists[key]; ok {
		return known, nil
	}
	items := &unstructured.UnstructuredList{}
	items.SetGroupVersionKind(key.gvk.GroupVersion().WithKind(key.gvk.Kind + "List"))
	err := b.cluster.List(ctx, items, client.InNamespace(key.namespace))
	if err != nil && !meta.IsNoMatchError(err) {
		return nil, fmt.Errorf("list %s in namespace %q: %w", key.gvk.Kind, key.namespace, err)
	}
	out := make([]*unstructured.Unstructured, 0, len(items.Items))
	for i := range items.Items {
		out = append(out, &items.Items[i])
	}
	b.lists[key] = out
	return out, nil
}

func hasOwner(o *unstructured.Unstructured, uid types.UID) bool {
	for _, ref := range o.GetOwnerReferences() {
		if ref.UID == uid {
			return true
		}
	}
	return false
}
