package dispatch

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
	"github.com/seed-c5f95f19/vela/pkg/identity"
)

// run is one execution of the applies of a plan.
type run struct {
	*Dispatcher
	as identity.Identity
	// fresh are the clusters that have just got a namespace or a kind, which takes
	// the API server a moment to notice.
	fresh map[string]bool
}

// learn notes what the wave that is done has made.
func (r *run) learn(done []plan.Apply) {
	for _, a := range done {
		if a.Action == plan.Create && (isNamespace(a.Manifest.Key) || isCRD(a.Manifest.Key)) {
			r.fresh[a.Manifest.Key.Cluster] = true
		}
	}
}

// apply carries out one entry.
func (r *run) apply(ctx context.Context, a plan.Apply) Change {
	change := Change{Key: a.Manifest.Key, Component: a.Manifest.Component, Action: a.Action, UID: a.UID}
	c, err := r.clusters.Get(ctx, a.Manifest.Key.Cluster)
	if err != nil {
		change.Err = explain(a.Manifest, err)
		return change
	}
	var obj *unstructured.Unstructured
	err = r.patiently(ctx, a.Manifest.Key.Cluster, func() error {
		obj, err = r.write(ctx, c, a)
		return err
	})
	if err != nil {
		change.Err = explain(a.Manifest, err)
		return change
	}
	change.UID, change.ResourceVersion = obj.GetUID(), obj.GetResourceVersion()
	if a.Action != plan.Share {
		r.memory.remember(a, obj)
	}
	return change
}

// write sends the one request of an entry; a Recreate needs two.
func (r *run) write(ctx context.Context, c *cluster.Cluster, a plan.Apply) (*unstructured.Unstructured, error) {
	obj := stamped(a)
	gvk := obj.GroupVersionKind()
	switch {
	case a.Action == plan.Share:
		return c.MergePatch(ctx, gvk, nameOf(a.Manifest.Key), patchOf(*a.Patch, string(a.UID), a.ResourceVersion), r.as)
	case a.Action == plan.Recreate:
		gone, err := c.Delete(ctx, gvk, nameOf(a.Manifest.Key), cluster.DeleteOptions{UID: a.UID, As: r.as})
		if err != nil {
			return nil, err
		}
		if !gone {
			return nil, errStillThere
		}
	case a.Replace && a.Action != plan.Create:
		obj.SetResourceVersion(a.ResourceVersion)
		return c.Replace(ctx, obj, r.as)
	}
	out, _, err := c.Apply(ctx, obj, cluster.ApplyOptions{As: r.as})
	return out, err
}

var errStillThere = errors.New("it is being deleted to be created anew")

// patiently repeats do for a moment while the API server does not know what the
// waves before have made.
func (r *run) patiently(ctx context.Context, name string, do func() error) error {
	err := do()
	if !r.fresh[name] || !unnoticed(err) {
		return err
	}
	backoff := wait.Backoff{Duration: 100 * time.Millisecond, Factor: 1.5, Steps: 12, Cap: 2 * time.Second}
	_ = wait.ExponentialBackoffWithContext(ctx, backoff, func(context.Context) (bool, error) {
		err = do()
		return !unnoticed(err), nil
	})
	return err
}

// unnoticed reports whether err is about a kind or a namespace that is missing.
func unnoticed(err error) bool {
	return err != nil && (meta.IsNoMatchError(err) || apierrors.IsNotFound(err))
}

// preflight asks the servers whether they will accept the changes, when a
// refusal of one would leave others behind half-done. New objects were asked for
// when the plan was made.
func (d *Dispatcher) preflight(ctx context.Context, p plan.Plan, as identity.Identity) error {
	if p.Writes() < 2 {
		return nil
	}
	return failures(d.wave(len(p.Applies), func(i int) (string, bool) {
		a := p.Applies[i]
		return a.Manifest.Key.Cluster, a.Action == plan.Update || a.Action == plan.Adopt
	}, func(i int) Change {
		a := p.Applies[i]
		change := Change{Key: a.Manifest.Key, Action: a.Action}
		c, err := d.clusters.Get(ctx, a.Manifest.Key.Cluster)
		if err == nil {
			_, _, err = c.Apply(ctx, stamped(a), cluster.ApplyOptions{DryRun: true, As: as})
		}
		if err != nil {
			change.Err = explain(a.Manifest, err)
		}
		return change
	}))
}

// patchOf returns a merge patch of metadata with its preconditions.
func patchOf(m plan.Metadata, uid, version string) map[string]any {
	meta := map[string]any{"uid": uid}
	if version != "" {
		meta["resourceVersion"] = version
	}
	for field, values := range map[string]map[string]string{"labels": m.Labels, "annotations": m.Annotations} {
		if len(values) == 0 {
			continue
		}
		patch := map[string]any{}
		for key, value := range values {
			if patch[key] = nil; value != "" {
				patch[key] = value
			}
		}
		meta[field] = patch
	}
	return map[string]any{"metadata": meta}
}
