package blueprint

import (
	"k8s.io/apimachinery/pkg/types"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
)

// An App says whose delivery this is.
type App struct {
	Namespace      string
	Name           string
	UID            types.UID
	Generation     int64
	Labels         map[string]string
	Annotations    map[string]string
	PublishVersion string
	AutoUpdate     bool // newer definitions are taken without a change of the spec
}

// A Component is one part of the Application with its properties as JSON-like
// Go values.
type Component struct {
	Name       string
	Type       string // as written, with @version
	Properties map[string]any
	Traits     []Trait
	DependsOn  []string
	Inputs     []Input
	Outputs    []Output
	ReplicaKey string // set by the replication policy

	Origin Origin // where it was written
}

// A Trait is one operational addition to a component.
type Trait struct {
	Type       string
	Properties map[string]any

	Origin Origin
}

// An Input takes the value of an output by name into the properties.
type Input struct{ From, ParameterKey string }

// An Output gives a value of the rendered or live object a name.
type Output struct{ Name, ValueFrom string }

// A Policy is one policy of the Application, its own or referenced.
type Policy struct {
	Name       string
	Type       string
	Properties map[string]any
	External   bool // from a Policy object in the namespace

	Origin Origin
}

// A Step is one step of the workflow.
type Step struct {
	Name       string
	Type       string
	Alias      string
	If         string
	Timeout    string
	Mode       string // of the sub steps
	DependsOn  []string
	Inputs     []Input
	Outputs    []Output
	Properties map[string]any
	SubSteps   []Step

	Origin Origin
}

// A Workflow is the order of work; Steps is never empty in a Blueprint.
type Workflow struct {
	Ref       string // name of the Workflow object that it came from, if any
	Mode      string // StepByStep or DAG
	SubMode   string
	Generated bool // made from policies and components, none was written
	Steps     []Step
}

// A Draft is an Application with everything that it refers to by name merged
// in, before definitions are looked up.
type Draft struct {
	App        App
	Components []Component
	Policies   []Policy
	Workflow   Workflow

	// What it was made from, for the revision: the specification as written and
	// the objects that it refers to.
	Spec               v1beta1.ApplicationSpec
	ReferencedPolicies []v1alpha1.Policy
	ReferencedWorkflow *v1alpha1.Workflow
	// Produced is what Application-scoped policies made; nil when none ran.
	Produced *Produced
}

// A Blueprint is a Draft with every definition pinned by content. It is
// frozen: nothing after it reads a definition from the cluster, and rendering
// the same Blueprint again gives the same bytes. Nobody may modify it.
type Blueprint struct {
	Draft
	Definitions map[definition.Ref]definition.Definition
	// Referred are the objects that components refer to, by component.
	Referred map[string][]map[string]any
	Warnings []string // things that work but are probably not meant
}
