// Package component is the native step that delivers one component.
package component

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider/oam"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
	"github.com/seed-c5f95f19/vela/pkg/workflow/step/approval"
	"github.com/seed-c5f95f19/vela/pkg/workflow/step/properties"
)

// A Runner delivers through the deployer of a step.
type Runner struct {
	Deployer func(step string) oam.Deployer
	Engine   workflow.Engine // for outputs
}

func read(given map[string]any) (oam.ApplyRequest, error) {
	var p struct {
		Component string `json:"component"`
		Cluster   string `json:"cluster"`
		Namespace string `json:"namespace"`
	}
	if err := properties.Decode(given, &p); err != nil {
		return oam.ApplyRequest{}, err
	}
	if p.Component == "" {
		return oam.ApplyRequest{}, properties.Invalid("component: is required: expected the name of a component")
	}
	return oam.ApplyRequest{Component: p.Component, Cluster: p.Cluster, Namespace: p.Namespace, WaitHealthy: true}, nil
}

// Run implements workflow.Runner.
func (r Runner) Run(ctx context.Context, run workflow.StepRun) (workflow.StepResult, error) {
	req, err := read(run.Properties)
	if err != nil {
		return workflow.StepResult{}, err
	}
	gate := approval.New(run, false)
	req.Allow = gate.Func()
	res, err := r.Deployer(run.Name).Apply(ctx, req)
	switch {
	case gate.Held():
		return gate.Result(), nil
	case err != nil:
		return workflow.StepResult{}, err
	case !res.Healthy:
		return workflow.StepResult{Phase: workflow.Running, Message: res.Message, After: res.After}, nil
	}
	return workflow.StepResult{Value: r.value(run, res)}, nil
}

// Plan says what the step would do now.
func (r Runner) Plan(ctx context.Context, run workflow.StepRun) (plan *oam.Plan, asks bool, err error) {
	req, err := read(run.Properties)
	if err != nil {
		return nil, false, err
	}
	gate := approval.Look(run)
	req.Allow = gate.Func()
	_, err = r.Deployer(run.Name).Apply(ctx, req)
	if p, ok := gate.Plan(); ok {
		return &p, false, nil
	}
	return nil, false, err
}

// value offers the objects of the component to the outputs of the step.
func (r Runner) value(run workflow.StepRun, res oam.ApplyResult) workflow.Value {
	outputs := map[string]any{}
	for name, o := range res.Outputs {
		outputs[name] = content(o)
	}
	return fields{r.Engine, map[string]any{
		"output": content(res.Output), "outputs": outputs,
		"parameter": run.Properties, "context": run.Context, "inputs": run.Inputs,
	}}
}

func content(o *unstructured.Unstructured) any {
	if o == nil {
		return nil
	}
	return o.Object
}

// fields is a value of named fields.
type fields struct {
	engine workflow.Engine
	scope  map[string]any
}

// Expr implements workflow.Value.
func (f fields) Expr(expr string) (any, error) { return f.engine.Expr(expr, f.scope) }
