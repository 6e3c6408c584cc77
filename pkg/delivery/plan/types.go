package plan

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
)

// AnnotationAppliedDigest is on every object that is sent: the digest of the
// manifest as it was wanted. When it differs, fields may have been dropped.
const AnnotationAppliedDigest = "app.oam.dev/applied-digest"

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
	Path string // for example spec.template.spec.containers[web].image
	From any    // nil: the field is new
	To   any    // nil: the field goes
}

// An Apply is one object to create or change. Actions other than Unchanged
// are exactly the writes that dispatch does.
type Apply struct {
	// Manifest is what is sent. It differs from what was wanted in the fields that
	// an apply-once rule leaves to the cluster.
	Manifest manifest.Manifest
	Action   Action
	Changes  []Change // sorted by path; empty for Create and Unchanged

	// Digest is of the manifest as wanted: the value of AnnotationAppliedDigest.
	Digest string
	// Wave groups objects that may be sent at the same time; a wave waits for the
	// one before it.
	Wave int
	// Replace sends the object as a whole (resource-update op: replace): fields
	// that others set go.
	Replace bool
	// UID and ResourceVersion are of the live object that was judged.
	UID             types.UID
	ResourceVersion string
	// Patch is what a Share writes instead of the manifest.
	Patch *Metadata
}

// Writes reports whether the entry is a request.
func (a Apply) Writes() bool { return a.Action != Unchanged }

// Metadata is a small change of labels and annotations; an empty value removes
// the key.
type Metadata struct {
	Labels      map[string]string
	Annotations map[string]string
}

// A Delete removes one object that is owned and no longer wanted.
type Delete struct {
	Entry  inventory.Entry
	UID    types.UID // precondition: the object that was judged, no other
	Orphan bool      // leave dependents (propagation: orphan)
	Wave   int       // deletes of one wave may be sent at the same time
	// Release, if set, is written instead: the object stays and is ours no longer
	// (strategy never, or other Applications share it).
	Release *Metadata
}

// A Keep is an object that is left alone, and why.
type Keep struct {
	Key    manifest.Key
	Reason string
	// Waiting means that it should go and does not yet: it stays owned and the
	// plan is not the last one.
	Waiting bool
}

// A Forget is an entry of the inventory without an object that is ours.
type Forget struct {
	Key    manifest.Key
	Reason string
}

// A Refusal is an object that the plan cannot touch; a plan with refusals is
// never executed.
type Refusal struct {
	Key       manifest.Key
	Component string
	Trait     string // "" for what the component itself gives
	Policy    string // that gives it instead of a component
	Reason    string // one sentence for the user
	Code      string // the same as one word, of the reasons in apis
	// Waiting means that time or another object can help, not only an edit.
	Waiting bool
}

// A Plan is everything that a delivery will do, and nothing else will be
// done. It is a value; equal plans have equal digests.
type Plan struct {
	Applies  []Apply  // in the order of sending
	Deletes  []Delete // after all applies, in reverse order of ownership
	Keeps    []Keep
	Forgets  []Forget
	Refusals []Refusal
	Final    bool   // the Application goes: its inventory goes after the last object
	Digest   string // "sha256:..." over the canonical form
}

// Through returns the part of p that is sent up to and with the stage; deletes
// are left for the last one. The digest stays that of the whole.
func (p Plan) Through(stage manifest.Stage) Plan {
	if stageOrder(stage) == lastStage {
		return p
	}
	out := p
	out.Applies, out.Deletes, out.Forgets = nil, nil, nil
	for _, a := range p.Applies {
		if stageOrder(a.Manifest.Stage) <= stageOrder(stage) {
			out.Applies = append(out.Applies, a)
		}
	}
	return out
}

// Writes returns the number of requests that change a cluster.
func (p Plan) Writes() int {
	n := len(p.Deletes)
	for _, a := range p.Applies {
		if a.Writes() {
			n++
		}
	}
	return n
}

// A Live says what is known about one wanted or owned object in its cluster.
type Live struct {
	Object *unstructured.Unstructured // nil: it does not exist
	// Known is false when the cluster could not be asked; Reason says why.
	Known  bool
	Reason string
	// Detached means that the cluster is not joined any more.
	Detached bool
	// Refused is what the API server answered when it was asked whether it would
	// accept the manifest; "" when it would or was not asked.
	Refused string
	// Waiting means that the refusal is about something that may still appear.
	Waiting bool
	// Converged is true when the server has already answered this very content
	// (same manifest digest) with the values that Object has: defaulted and
	// normalised values are then no drift.
	Converged bool
	// Drifted is true when the server has answered this very content with other
	// values than Object has: then every difference counts.
	Drifted bool
}

// Input is everything that Compute and Sweep judge.
type Input struct {
	Owner   inventory.Owner
	Desired []manifest.Manifest
	Owned   inventory.Inventory
	Live    map[manifest.Key]Live // of Desired for Compute, of Owned for Sweep
	Rules   Rules

	// Repair means that nothing new was published: live objects are put back to
	// what is wanted (apply-once rules distinguish that).
	Repair bool
	// Complete means that Desired is everything that the newest revision wants: its
	// workflow is finished. Without it Sweep removes nothing.
	Complete bool
	// DependsOn are the dependencies of components, for rules with order
	// "dependency".
	DependsOn map[string][]string
}
