package preview

import (
	"slices"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/oam"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/workflow/step/approval"
	"github.com/seed-c5f95f19/vela/references/cli/planview"
)

// gates puts before the steps of a view the suspend steps that hold them back:
// resuming one approves what follows up to the next one that asks.
func gates(b *blueprint.Blueprint, view *planview.View, phases map[string]v1beta1.StepStatus) {
	steps := b.Workflow.AllSteps()
	for i, step := range steps {
		status := phases[step.Name]
		if step.Type != blueprint.StepSuspend || status.Phase != v1beta1.StepSuspending {
			continue
		}
		gate := planview.Step{Name: step.Name, Type: step.Type, Waiting: true, Summary: "holds back what follows"}
		held := heldBy(steps[i+1:], view)
		if status.Plan != nil {
			gate.WaitsFor, gate.Digest = status.Plan.Digest, status.Plan.Digest
			// Side by side, other steps than the next ones may be held back.
			if joined := approval.Join(held...).Digest; b.Workflow.Mode == blueprint.StepByStep && len(held) > 0 {
				gate.Digest = joined
			}
		}
		at := slices.IndexFunc(view.Steps, func(s planview.Step) bool {
			return slices.ContainsFunc(steps[i+1:], func(later blueprint.Step) bool { return later.Name == s.Name })
		})
		if at < 0 {
			at = len(view.Steps)
		}
		view.Steps = slices.Insert(view.Steps, at, gate)
	}
}

// heldBy are the plans of the steps up to the next one that asks for itself.
func heldBy(steps []blueprint.Step, view *planview.View) []oam.Plan {
	var out []oam.Plan
	for _, step := range steps {
		if asks(step) {
			break
		}
		needs := slices.ContainsFunc(step.Inputs, func(in blueprint.Input) bool { return in.ParameterKey != "" })
		for _, s := range view.Steps {
			if s.Name == step.Name && s.Digest != "" && !needs {
				out = append(out, oam.Plan{Digest: s.Digest})
			}
		}
	}
	return out
}

// asks reports whether a step waits for an approval of its own.
func asks(step blueprint.Step) bool {
	if step.Type == blueprint.StepSuspend {
		return true
	}
	auto, set := step.Properties["auto"].(bool)
	return definition.Ref{Name: step.Type}.Base() == blueprint.StepDeploy && set && !auto
}
