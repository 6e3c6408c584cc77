package plan

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
)

// An Action says what happens to one object.
type Action string

// The actions of a plan.
const (
	Create    Action = "create"
	Update    Action = "update"
	Recreate  Action = "recreate"  // delete and create: a recreateFields rule hit
	Adopt     Action = "adopt"     // exists without an owner, take-over allows it
	Share     Action = "share"     // another Application owns it, shared-resource allows it
	Unchanged Action = "unchanged" // live is as wanted: no request is sent
)

// A Change is one field that an action changes. Values of Secrets and other
// sensitive fields are replaced by a mark before they get here.
type Change struct {
	Path string // for example spec.template.spec.containers[0].image
	From any    // nil: the field is new
	To   any    // nil: the field goes
}

// An Apply is one object to create or change. Actions other than Unchanged
// are exactly the writes that dispatch does.
type Apply struct {
	Manifest manifest.Manifest
	Action   Action
	Changes  []Change // sorted by path; empty for Create and Unchanged
}

// A Delete removes one object that is owned and no longer wanted.
type Delete struct {
	Entry  inventory.Entry
	Orphan bool // leave dependents (propagation: orphan)
}

// A Keep is an object that is left alone, and why.
type Keep struct {
	Key    manifest.Key
	Reason string
}

// A Refusal is an object that the plan cannot touch; a plan with refusals is
// never executed.
type Refusal struct {
	Key       manifest.Key
	Component string
	Reason    string // one sentence for the user
}

// A Plan is everything that a delivery will do, and nothing else will be
// done. It is a value; equal plans have equal digests.
type Plan struct {
	Applies  []Apply  // in the order of sending
	Deletes  []Delete // after all applies, in reverse order of ownership
	Keeps    []Keep
	Refusals []Refusal
	Digest   string // "sha256:..." over the canonical form
}

// A Live says what is known about one wanted object in its cluster.
type Live struct {
	Object *unstructured.Unstructured // nil: it does not exist
	// Known is false when the cluster could not be asked.
	Known bool
	// Converged is true when the server has already answered this very content
	// (same manifest digest) with the resourceVersion that Object has: defaulted
	// and normalised values are then no drift.
	Converged bool
}
