// Package inspect answers questions about Applications that are delivered
// already: what one owns, what of it is live, what hangs on that, how it is
// reached and what its pods say. It reads the inventory and the clusters and
// writes nothing; it is the World of the provider package "vela/query".
//
// It stands beside the stages of a delivery, uses what inventory and observe
// know, and is used by none of them.
package inspect

import (
	"context"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/query"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/observe"
	"github.com/seed-c5f95f19/vela/pkg/identity"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// Clusters are the clusters that can be asked. *cluster.Registry is one.
type Clusters interface {
	Get(ctx context.Context, name string) (*cluster.Cluster, error)
}

// A Ledger tells what an Application owns. *inventory.Tracker is one.
type Ledger interface {
	Load(ctx context.Context, owner inventory.Owner) (inventory.Inventory, error)
}

// A World answers questions. It is safe for concurrent use.
type World struct {
	Clusters Clusters
	Ledger   Ledger
	// Application reads an Application from the hub.
	Application func(ctx context.Context, namespace, name string) (*v1beta1.Application, error)
	As          identity.Identity // who reads logs
}

var _ query.World = World{}

// Owned implements query.World.
func (w World) Owned(ctx context.Context, key types.NamespacedName) ([]query.Resource, error) {
	app, err := w.Application(ctx, key.Namespace, key.Name)
	if err != nil {
		return nil, err
	}
	inv, err := w.Ledger.Load(ctx, inventory.Owner{Namespace: app.Namespace, Name: app.Name, UID: app.UID})
	if err != nil {
		return nil, err
	}
	revision := ""
	if app.Status.LatestRevision != nil {
		revision = app.Status.LatestRevision.Name
	}
	out := make([]query.Resource, 0, inv.Len())
	for _, e := range inv.Entries {
		if e.Deleted {
			continue
		}
		out = append(out, query.Resource{
			Cluster: e.Key.Cluster, GVK: e.GroupVersionKind(), Namespace: e.Key.Namespace, Name: e.Key.Name, UID: e.UID,
			Component: e.Component, Trait: e.Trait, Revision: revision,
			PublishVersion: app.Annotations[oam.AnnotationPublishVersion],
			DeployVersion:  app.Annotations[oam.AnnotationDeployVersion],
		})
	}
	return out, nil
}

// parallel is how many objects are read at the same time.
const parallel = 8

// Live implements query.World. What the cache of a cluster knows costs no
// request.
func (w World) Live(ctx context.Context, of []query.Resource) ([]*unstructured.Unstructured, error) {
	out := make([]*unstructured.Unstructured, len(of))
	errs := make([]error, len(of))
	slots := make(chan struct{}, parallel)
	var wg sync.WaitGroup
	for i, r := range of {
		wg.Add(1)
		slots <- struct{}{}
		go func() {
			defer func() { <-slots; wg.Done() }()
			out[i], errs[i] = w.live(ctx, r)
		}()
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (w World) live(ctx context.Context, r query.Resource) (*unstructured.Unstructured, error) {
	c, err := w.Clusters.Get(ctx, r.Cluster)
	if err != nil {
		return nil, err
	}
	key := types.NamespacedName{Namespace: r.Namespace, Name: r.Name}
	if o, known := c.Live(r.GVK, key); known {
		return o, nil
	}
	o, err := c.Get(ctx, r.GVK, key)
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s %s in cluster %q: %w", r.GVK.Kind, key, r.Cluster, err)
	}
	return o, nil
}

// Trees implements query.World. Each kind is listed once for each namespace of
// a cluster.
func (w World) Trees(ctx context.Context, of []query.Resource) ([]query.Node, error) {
	live, err := w.Live(ctx, of)
	if err != nil {
		return nil, err
	}
	out := make([]query.Node, len(of))
	for name, at := range byCluster(of, live) {
		c, err := w.Clusters.Get(ctx, name)
		if err != nil {
			return nil, err
		}
		roots := make([]*unstructured.Unstructured, len(at))
		for n, i := range at {
			roots[n] = live[i]
		}
		nodes, err := observe.Tree(ctx, lister{c}, roots)
		if err != nil {
			return nil, fmt.Errorf("cluster %q: %w", name, err)
		}
		for n, i := range at {
			out[i] = nodeOf(nodes[n])
		}
	}
	return out, nil
}

// byCluster returns where in live the objects of each cluster are.
func byCluster(of []query.Resource, live []*unstructured.Unstructured) map[string][]int {
	out := map[string][]int{}
	for i, r := range of {
		if live[i] != nil {
			out[r.Cluster] = append(out[r.Cluster], i)
		}
	}
	return out
}

func nodeOf(n observe.Node) query.Node {
	out := query.Node{Object: n.Object, Health: query.Progressing, Message: n.Health.Message}
	if n.Health.Healthy {
		out.Health = query.Healthy
	}
	for _, c := range n.Children {
		out.Children = append(out.Children, nodeOf(c))
	}
	return out
}

// A lister lists in one cluster.
type lister struct{ c *cluster.Cluster }

// List implements observe.Lister.
func (l lister) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	into, ok := list.(*unstructured.UnstructuredList)
	if !ok {
		return fmt.Errorf("cannot list into a %T", list)
	}
	var o client.ListOptions
	o.ApplyOptions(opts)
	gvk := into.GroupVersionKind()
	gvk.Kind = gvk.Kind[:len(gvk.Kind)-len("List")]
	items, err := l.c.List(ctx, gvk, cluster.ListOptions{Namespace: o.Namespace})
	into.Items = items
	return err
}
