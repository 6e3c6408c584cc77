// Package dispatch is the only stage of a delivery that touches clusters for
// writing. Gather finds out what is live, for the judgement of plan; Execute does
// what a plan says and nothing else: it records what will be owned, applies,
// deletes when everything was applied, and forgets what is gone. Nothing here
// decides what should be done.
package dispatch

import (
	"k8s.io/apimachinery/pkg/types"

	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
)

// A Change is what happened to one object.
type Change struct {
	Key             manifest.Key
	Component       string
	Action          plan.Action // or Delete or Release
	UID             types.UID
	ResourceVersion string
	Pending         bool  // a delete was accepted and the object is not gone yet
	Err             error // nil when it is done
}

// Actions of a Change that removed an object or gave it away.
const (
	Delete  plan.Action = "delete"
	Release plan.Action = "release"
)

// A ChangeSet is everything that one execution did, in order of the plan. It
// is what logs, events, the CLI and the inventory are made from. What was not
// tried because something before it failed is not in it.
type ChangeSet struct {
	Changes []Change
}

// Written returns the changes that succeeded.
func (c ChangeSet) Written() []Change {
	var out []Change
	for _, change := range c.Changes {
		if change.Err == nil {
			out = append(out, change)
		}
	}
	return out
}
