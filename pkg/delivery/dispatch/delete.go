package dispatch

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
	"github.com/seed-c5f95f19/vela/pkg/identity"
)

// deleteAll removes wave after wave and returns what was tried and what is gone
// or given away. It stops after a wave that failed: what others depended on must
// outlive them.
func (d *Dispatcher) deleteAll(ctx context.Context, deletes []plan.Delete, as identity.Identity) ([]Change, []manifest.Key, error) {
	var done []Change
	var gone []manifest.Key
	for len(deletes) > 0 {
		n := 1
		for n < len(deletes) && deletes[n].Wave == deletes[0].Wave {
			n++
		}
		changes := d.wave(n, func(i int) (string, bool) {
			return deletes[i].Entry.Key.Cluster, true
		}, func(i int) Change { return d.remove(ctx, deletes[i], as) })
		for _, c := range changes {
			if c.Err == nil && !c.Pending {
				gone = append(gone, c.Key)
			}
		}
		done = append(done, changes...)
		if err := failures(changes); err != nil {
			return done, gone, err
		}
		deletes = deletes[n:]
	}
	return done, gone, nil
}

// remove carries out one entry.
func (d *Dispatcher) remove(ctx context.Context, del plan.Delete, as identity.Identity) Change {
	e := del.Entry
	change := Change{Key: e.Key, Component: e.Component, Action: Delete, UID: del.UID}
	if del.Release != nil {
		change.Action = Release
	}
	c, err := d.clusters.Get(ctx, e.Key.Cluster)
	if cluster.IsNotJoined(err) {
		return change // the plan was made just before the cluster was detached
	}
	if err != nil {
		change.Err = about(e.Key, err)
		return change
	}
	gvk, err := c.Served(ctx, e.GroupVersionKind())
	switch {
	case meta.IsNoMatchError(err):
		return change // the kind is gone, and every object with it
	case err != nil:
		change.Err = about(e.Key, err)
		return change
	}
	if del.Release != nil {
		_, err = c.MergePatch(ctx, gvk, nameOf(e.Key), patchOf(*del.Release, string(del.UID), ""), as)
		if err != nil && !apierrors.IsNotFound(err) {
			change.Err = about(e.Key, err)
		}
		return change
	}
	gone, err := c.Delete(ctx, gvk, nameOf(e.Key), cluster.DeleteOptions{UID: del.UID, Orphan: del.Orphan, As: as})
	if err != nil {
		change.Err = about(e.Key, err)
	}
	change.Pending = !gone
	return change
}
