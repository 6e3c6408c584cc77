package observe

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
)

// A Health is what is known about one component or trait in one placement.
type Health struct {
	Component string
	Type      string // of the component
	Trait     string // "" for the workload
	Policy    string // that it is about instead of a component
	Cluster   string
	Namespace string
	Replica   string
	Env       string // environment of an env-binding policy
	// WorkloadAPIVersion and WorkloadKind are of the workload object.
	WorkloadAPIVersion string
	WorkloadKind       string

	Known   bool // false: the cluster could not be asked; never healthy
	Healthy bool
	Pending bool // a PostDispatch trait that is not sent yet
	Message string
	Details map[string]string
}

// An Object is one object that was sent and what its cluster has of it.
type Object struct {
	Manifest manifest.Manifest
	Live     *unstructured.Unstructured // nil: it does not exist; not modified
	Known    bool                       // false: the cluster could not be asked
	Owner    string                     // another Application that has the object: what it shows is not ours, so Live is nil
}

// A Target is one component in one place with everything that was sent for
// it.
type Target struct {
	Component blueprint.Component // as it was rendered: after overrides and inputs
	Cluster   string
	Namespace string
	Objects   []Object
	// Pending are the types of traits that wait until the workload is healthy.
	Pending []string
	// Context holds further fields that the rules of definitions can read in
	// `context`, such as appRevision or clusterVersion. It may be nil.
	Context map[string]any
}
