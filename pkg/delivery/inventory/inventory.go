// Package inventory knows what an Application owns: the set of objects, in
// which clusters, from which part of it, as the ResourceTracker records them.
// Sets are values; Tracker makes them durable. An object enters the
// inventory before it can exist and leaves it only when it is gone.
package inventory

import (
	"k8s.io/apimachinery/pkg/types"

	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
)

// An Entry is one owned object.
type Entry struct {
	Key       manifest.Key
	Version   string    // API version without group, to address the object
	UID       types.UID // of the live object when known: precondition of a delete
	Component string
	Trait     string
	Creator   string // workflow or policy, as KubeVela records it
	Digest    string // of the manifest that was last sent
	SkipGC    bool
	Deleted   bool // a delete was asked for and is not finished
}

// An Inventory is the ordered set of what one Application owns. Order is the
// order of ownership. Nobody may modify it; the methods return new values.
type Inventory struct {
	Entries []Entry
}
