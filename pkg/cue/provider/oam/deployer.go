package oam

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

// A Deployer delivers the Application of this run. It is safe for concurrent
// use.
type Deployer interface {
	// Deploy computes the plan of all components for the placements of the
	// policies, asks Allow, and executes exactly that plan.
	Deploy(ctx context.Context, req DeployRequest) (DeployResult, error)
	// Apply does the same for one component in one placement.
	Apply(ctx context.Context, req ApplyRequest) (ApplyResult, error)
	// Render returns the objects of one component without sending anything.
	Render(ctx context.Context, req ApplyRequest) (ApplyResult, error)
}

// An Application is what templates can read of the Application of this run.
// Values are the JSON form that the user wrote.
type Application interface {
	// Components returns the components in order; app names another
	// Application of the namespace, "" this one.
	Components(ctx context.Context, app string) ([]map[string]any, error)
	Policies(ctx context.Context, app string) ([]map[string]any, error)
}

// Allow is asked with a complete plan before its first effect. An error stops
// the delivery before anything is written and is returned as it is. A nil Allow
// allows everything.
type Allow func(Plan) error

// Unhealthy ends a call that has sent everything and waits until it is healthy.
// It is a provider.Wait that events bring further, so that nobody has to look
// again and again.
type Unhealthy struct {
	Message string
	After   time.Duration // when to look again; 0 leaves it to events
}

func (u Unhealthy) Error() string { return provider.Wait{Message: u.Message}.Error() }

// Unwrap makes it a provider.Wait.
func (u Unhealthy) Unwrap() error { return provider.Wait{Message: u.Message} }

// A DeployRequest asks for a delivery.
type DeployRequest struct {
	Policies                 []string         `json:"policies,omitempty"`
	InlinePolicies           []map[string]any `json:"inlinePolicies,omitempty"`
	Parallelism              int              `json:"parallelism,omitempty"` // 0: as the Deployer likes
	IgnoreTerraformComponent bool             `json:"ignoreTerraformComponent,omitempty"`

	Allow Allow `json:"-"`
}

// A DeployResult is how far a delivery has come.
type DeployResult struct {
	Healthy bool   // everything is sent and healthy; else the step waits
	Message string // what it waits for, one sentence, without times

	// After is when to look again; 0 leaves it to events.
	After time.Duration
}

// An ApplyRequest asks for one component.
type ApplyRequest struct {
	// Component is the name of a component of the Application; Value, if not
	// nil, is a whole component in its JSON form instead.
	Component string         `json:"component,omitempty"`
	Value     map[string]any `json:"value,omitempty"`
	// Patch is merged into the rendered workload.
	Patch map[string]any `json:"patch,omitempty"`

	Cluster     string `json:"cluster,omitempty"`   // "" is the control plane's own
	Namespace   string `json:"namespace,omitempty"` // "" is that of the Application
	Env         string `json:"env,omitempty"`
	WaitHealthy bool   `json:"waitHealthy,omitempty"`

	Allow Allow `json:"-"`
}

// An ApplyResult is a rendered or sent component.
type ApplyResult struct {
	Output  *unstructured.Unstructured            // the workload; live when it was sent
	Outputs map[string]*unstructured.Unstructured // auxiliary objects by name

	Healthy bool
	Message string
	After   time.Duration
}
