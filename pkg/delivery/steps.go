package delivery

import (
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
)

// Types of steps whose target is known before they run.
const (
	stepDeploy                = "deploy"
	stepApplyComponent        = "apply-component"
	stepBuiltinApplyComponent = "builtin-apply-component"
)

// Workflow is the workflow of a Blueprint as the engine takes it.
func Workflow(b *blueprint.Blueprint) workflow.Spec {
	return workflow.Spec{
		Mode: workflow.Mode(b.Workflow.Mode), SubMode: workflow.Mode(b.Workflow.SubMode), Steps: steps(b.Workflow.Steps),
	}
}

func steps(in []blueprint.Step) []workflow.Step {
	out := make([]workflow.Step, 0, len(in))
	for _, s := range in {
		step := workflow.Step{
			Name: s.Name, Type: s.Type, If: s.If, Timeout: s.Timeout, Mode: workflow.Mode(s.Mode), DependsOn: s.DependsOn,
			Properties: s.Properties,
		}
		for _, i := range s.Inputs {
			step.Inputs = append(step.Inputs, workflow.Input(i))
		}
		for _, o := range s.Outputs {
			step.Outputs = append(step.Outputs, workflow.Output(o))
		}
		if len(s.SubSteps) > 0 {
			step.SubSteps = steps(s.SubSteps)
		}
		out = append(out, step)
	}
	return out
}

// TargetsOf returns what a step of one of our own types delivers as it is
// written; nothing for others, which say it when they run. With inputs a step
// may deliver something else: what it asked for when it ran counts more.
func TargetsOf(s blueprint.Step) []Target {
	switch (definition.Ref{Name: s.Type}).Base() {
	case stepDeploy:
		var p struct {
			Policies                 []string
			InlinePolicies           []map[string]any
			IgnoreTerraformComponent *bool
		}
		if provider.Decode(s.Properties, &p) != nil {
			return nil // resolving the Blueprint has refused it
		}
		own, err := inline(p.InlinePolicies)
		if err != nil {
			return nil
		}
		return []Target{{
			Policies: p.Policies, Inline: own, SkipTerraform: p.IgnoreTerraformComponent == nil || *p.IgnoreTerraformComponent,
		}}
	case stepApplyComponent, stepBuiltinApplyComponent:
		var p struct{ Component, Cluster, Namespace string }
		if provider.Decode(s.Properties, &p) != nil {
			return nil
		}
		return []Target{{Components: []string{p.Component}, Place: &policy.Placement{Cluster: p.Cluster, Namespace: p.Namespace}}}
	}
	return nil
}
