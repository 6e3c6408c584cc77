// Package definition knows what can be written in an Application: the
// component, trait, policy and workflow step definitions, where they are
// stored (cluster, embedded in the binary, files), how a name with a version
// finds one, and how the CUE text that authors write becomes the object in
// the cluster and back. It does not render.
package definition

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
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
// @version. It is comparable, so that it can be the key of a map.
type Ref struct {
	Kind Kind
	Name string
}

// ParseRef reads a type as an Application writes it: a name, or a name and a
// version behind an @.
func ParseRef(kind Kind, s string) (Ref, error) {
	name, version, versioned := strings.Cut(s, "@")
	switch {
	case name == "":
		return Ref{}, fmt.Errorf("%s type %q has no name", kind, s)
	case versioned && version == "":
		return Ref{}, fmt.Errorf("%s type %q has no version behind the @", kind, s)
	case strings.Contains(version, "@"):
		return Ref{}, fmt.Errorf("%s type %q has more than one @", kind, s)
	}
	return Ref{Kind: kind, Name: s}, nil
}

// Base returns the name without the version.
func (r Ref) Base() string {
	name, _, _ := strings.Cut(r.Name, "@")
	return name
}

// Version returns what stands behind the @, "" for the newest.
func (r Ref) Version() string {
	_, version, _ := strings.Cut(r.Name, "@")
	return version
}

// String returns for example `trait "scaler"`, for messages.
func (r Ref) String() string { return fmt.Sprintf("%s %q", r.Kind, r.Name) }

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
	// Terraform is set instead of Template when the definition is a Terraform
	// module.
	Terraform *v1beta1.Terraform
	// Helm and Kube are set instead of Template by definitions of KubeVela before
	// 1.9: a chart, and an object with places for parameters.
	Helm *v1beta1.Helm
	Kube *v1beta1.Kube

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
