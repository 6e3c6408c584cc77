// Package deploy is the native step that delivers the components of an
// Application by policies. It does what its definition says in CUE, without
// evaluating it.
package deploy

import (
	"context"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider/oam"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
	"github.com/seed-c5f95f19/vela/pkg/workflow/step/approval"
	"github.com/seed-c5f95f19/vela/pkg/workflow/step/properties"
)

// A Runner delivers through the deployer of a step.
type Runner struct {
	Deployer func(step string) oam.Deployer
}

// parameter is what the definition of the step declares.
type parameter struct {
	Auto                     *bool            `json:"auto"`
	Policies                 []string         `json:"policies"`
	Parallelism              *int             `json:"parallelism"`
	IgnoreTerraformComponent *bool            `json:"ignoreTerraformComponent"`
	InlinePolicies           []map[string]any `json:"inlinePolicies"`
}

const defaultParallelism = 5

func read(given map[string]any) (req oam.DeployRequest, auto bool, err error) {
	var p parameter
	if err := properties.Decode(given, &p); err != nil {
		return req, false, err
	}
	req = oam.DeployRequest{
		Policies: p.Policies, InlinePolicies: p.InlinePolicies,
		Parallelism: defaultParallelism, IgnoreTerraformComponent: true,
	}
	if p.Parallelism != nil {
		req.Parallelism = *p.Parallelism
	}
	if p.IgnoreTerraformComponent != nil {
		req.IgnoreTerraformComponent = *p.IgnoreTerraformComponent
	}
	return req, p.Auto == nil || *p.Auto, nil
}

// Run implements workflow.Runner.
func (r Runner) Run(ctx context.Context, run workflow.StepRun) (workflow.StepResult, error) {
	req, auto, err := read(run.Properties)
	if err != nil {
		return workflow.StepResult{}, err
	}
	gate := approval.New(run, !auto)
	req.Allow = gate.Func()
	res, err := r.Deployer(run.Name).Deploy(ctx, req)
	switch {
	case gate.Held():
		return gate.Result(), nil
	case err != nil:
		return workflow.StepResult{}, err
	case !res.Healthy:
		return workflow.StepResult{Phase: workflow.Running, Message: res.Message, After: res.After}, nil
	}
	return workflow.StepResult{}, nil
}

// Plan says what the step would do now. It is nil when that cannot be known
// before other steps ran; asks says that the step itself asks for approval.
func (r Runner) Plan(ctx context.Context, run workflow.StepRun) (plan *oam.Plan, asks bool, err error) {
	req, auto, err := read(run.Properties)
	if err != nil || !auto {
		return nil, !auto, err
	}
	gate := approval.Look(run)
	req.Allow = gate.Func()
	_, err = r.Deployer(run.Name).Deploy(ctx, req)
	if p, ok := gate.Plan(); ok {
		return &p, false, nil
	}
	return nil, false, err
}
