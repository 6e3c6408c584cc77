// Package definition knows what can be written in an Application: the
// component, trait, policy and workflow step definitions, where they are
// stored (cluster, embedded in the binary, files), how a name with a version
// finds one, and how the CUE text that authors write becomes the object in
// the cluster and back. It does not render.
package definition

import (
	"k8s.io/apimachinery/pkg/runtime"
)

// Kind is what a definition defines.
type Kind string

// The kinds of definitions.
const (
	Component    Kind = "component"
	Trait        Kind = "trait"
	Policy       Kind = "policy"
	WorkflowStep Kind = "workflow-step"
)

// A Ref names a definition as an Application does: a type, possibly with
// @version.
type Ref struct {
	Kind Kind
	Name string
}

// A Definition is one definition, ready to be compiled. It is a value: nobody
// may modify what it points to.
type Definition struct {
	Kind      Kind
	Name      string // without version
	Namespace string // "" when it comes from the binary or a file
	Revision  string // name of the DefinitionRevision that was asked for, if any
	Digest    string // content address of the spec

	Template     string // CUE text of the template
	HealthPolicy string // CUE, gives isHealth
	CustomStatus string // CUE, gives message
	Details      string // CUE, gives the details map

	WorkloadAPIVersion string // of a component; "" when the kind is detected from the output
	WorkloadKind       string
	WorkloadType       string

	Stage             string // of a trait: PreDispatch, DefaultDispatch, PostDispatch
	ManageWorkload    bool
	ControlPlaneOnly  bool
	ManageHealthCheck bool // of a policy
	AppliesTo         []string
	ConflictsWith     []string

	// Object is the wire object (*v1beta1.ComponentDefinition, ...) that an
	// ApplicationRevision keeps.
	Object runtime.Object
}
