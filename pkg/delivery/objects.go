package delivery

import (
	"context"
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/kube"
	"github.com/seed-c5f95f19/vela/pkg/delivery/dispatch"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// Objects returns what steps read and write objects of the clusters with. What
// a step applies goes through a plan and the inventory like everything else,
// and stays until the Application goes.
func (r *Run) Objects() interface {
	kube.Reader
	kube.Writer
} {
	return objectDoor{r}
}

type objectDoor struct{ run *Run }

// Own returns what templates read objects with while they render: those of the
// Application's own namespace. A definition may come from a user of that
// namespace, and rendering reads with the rights of the control plane.
func (r *Run) Own() kube.Reader { return ownDoor{objectDoor{r}} }

// Reader returns what templates read objects with that change Applications of a
// namespace before a run of them begins. trusted reads in all namespaces.
func (d *Delivery) Reader(namespace string, trusted bool) kube.Reader {
	r := &Run{delivery: d, Owner: inventory.Owner{Namespace: namespace}}
	if trusted {
		return r.Objects()
	}
	return r.Own()
}

type ownDoor struct{ all objectDoor }

func (d ownDoor) check(gvk schema.GroupVersionKind, namespace string) error {
	if own := d.all.run.Owner.Namespace; namespace != own {
		return fault.Invalid(v1beta1.ReasonForbidden,
			fmt.Errorf("reads %s in namespace %q: while it renders, a template reads only in the namespace %q of its Application", gvk.Kind, namespace, own))
	}
	return nil
}

// Get implements kube.Reader.
func (d ownDoor) Get(ctx context.Context, name string, gvk schema.GroupVersionKind, key types.NamespacedName) (*unstructured.Unstructured, error) {
	if err := d.check(gvk, key.Namespace); err != nil {
		return nil, err
	}
	return d.all.Get(ctx, name, gvk, key)
}

// List implements kube.Reader.
func (d ownDoor) List(ctx context.Context, name string, gvk schema.GroupVersionKind, filter kube.Filter) ([]unstructured.Unstructured, error) {
	if err := d.check(gvk, filter.Namespace); err != nil {
		return nil, err
	}
	return d.all.List(ctx, name, gvk, filter)
}

// Get implements kube.Reader.
func (d objectDoor) Get(ctx context.Context, name string, gvk schema.GroupVersionKind, key types.NamespacedName) (*unstructured.Unstructured, error) {
	c, err := d.run.delivery.Clusters.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	return c.Get(ctx, gvk, key)
}

// List implements kube.Reader.
func (d objectDoor) List(ctx context.Context, name string, gvk schema.GroupVersionKind, filter kube.Filter) ([]unstructured.Unstructured, error) {
	c, err := d.run.delivery.Clusters.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	return c.List(ctx, gvk, cluster.ListOptions{Namespace: filter.Namespace, Selector: selector(filter.Labels)})
}

// selector writes labels as a selector.
func selector(set map[string]string) string { return labels.Set(set).String() }

// Apply implements kube.Writer.
func (d objectDoor) Apply(ctx context.Context, name string, objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	r := d.run
	manifests := make([]manifest.Manifest, 0, len(objects))
	for _, o := range objects {
		manifests = append(manifests, manifest.New(orLocal(name), r.owned(o)))
	}
	p, err := r.compute(ctx, manifests, false)
	if err != nil {
		return nil, err
	}
	if err := dispatch.Refused(p); err != nil {
		return nil, err
	}
	if _, err := r.execute(ctx, p); err != nil {
		return nil, err
	}
	out := make([]*unstructured.Unstructured, 0, len(objects))
	for _, o := range r.delivery.objects(ctx, manifests) {
		if o.Live == nil {
			return nil, fmt.Errorf("%s was sent and cannot be read back", o.Manifest.Key)
		}
		out = append(out, o.Live.DeepCopy())
	}
	return out, nil
}

// owned returns o with the labels that say whose it is.
func (r *Run) owned(o *unstructured.Unstructured) *unstructured.Unstructured {
	o = o.DeepCopy()
	set := maps.Clone(o.GetLabels())
	if set == nil {
		set = map[string]string{}
	}
	set[oam.LabelAppName], set[oam.LabelAppNamespace] = r.Owner.Name, r.Owner.Namespace
	o.SetLabels(set)
	return o
}

// Merge implements kube.Writer.
func (d objectDoor) Merge(ctx context.Context, name string, gvk schema.GroupVersionKind, key types.NamespacedName, change map[string]any) (*unstructured.Unstructured, error) {
	c, err := d.run.delivery.Clusters.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	return c.MergePatch(ctx, gvk, key, change, d.run.As)
}

// Delete implements kube.Writer.
func (d objectDoor) Delete(ctx context.Context, name string, object *unstructured.Unstructured) error {
	c, err := d.run.delivery.Clusters.Get(ctx, name)
	if err != nil {
		return err
	}
	gvk := object.GroupVersionKind()
	key := types.NamespacedName{Namespace: object.GetNamespace(), Name: object.GetName()}
	_, err = c.Delete(ctx, gvk, key, cluster.DeleteOptions{UID: object.GetUID(), As: d.run.As})
	return err // the inventory learns that it is gone when it is next swept
}

func orLocal(name string) string {
	if name == "" {
		return manifest.Local
	}
	return name
}

// config reads a ConfigMap of the Application's namespace in the hub.
func (r *Run) config(ctx context.Context, name string) (map[string]string, error) {
	if r.delivery.Offline {
		return nil, nil
	}
	o, err := r.Own().Get(ctx, manifest.Local, schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"},
		types.NamespacedName{Namespace: r.Owner.Namespace, Name: name})
	if err != nil {
		return nil, err
	}
	data, _, err := unstructured.NestedStringMap(o.Object, "data")
	return data, err
}
