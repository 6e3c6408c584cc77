package dispatch

import (
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
)

// A Change is what happened to one object.
type Change struct {
	Key             manifest.Key
	Component       string
	Action          plan.Action // or "delete"
	UID             string
	ResourceVersion string
	Err             error // nil when it is done
}

// Delete is the action of a Change that removed an object.
const Delete plan.Action = "delete"

// A ChangeSet is everything that one execution did, in order of the plan. It
// is what logs, events, the CLI and the inventory are made from.
type ChangeSet struct {
	Changes []Change
}
