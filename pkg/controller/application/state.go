package application

import (
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/revision"
	"github.com/seed-c5f95f19/vela/pkg/delivery/status"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
)

// state is what one run of the reconciler works on.
type state struct {
	app      *v1beta1.Application // our own copy
	memory   *remembered
	report   status.Report
	run      *delivery.Run     // from deliverPolicies on
	progress workflow.Progress // from deliverPolicies on

	policies   []manifest.Manifest // what policies give
	policiesAt error               // why they could not be put back
}

func (s *state) owner() inventory.Owner {
	return inventory.Owner{Namespace: s.app.Namespace, Name: s.app.Name, UID: s.app.UID}
}

// use takes over a Blueprint. A revision without a name has to be stored yet.
func (r *remembered) use(written, content string, b *blueprint.Blueprint, rev revision.Revision) {
	r.asked, r.content, r.blueprint, r.revision = written, content, b, rev
}

// A stepTarget is what one step wants, and how far it is.
type stepTarget struct {
	delivery.Target
	step     string
	phase    workflow.Phase
	asked    bool // it has shown a plan
	approved bool // and that plan was agreed to
}

// targets are what the steps want, in the order of the workflow: what a step
// asked for in this run, what it asked for earlier, or what a step of a type
// that we know will ask for.
func (r *Reconciler) targets(s *state) []stepTarget {
	progress := map[string]workflow.StepProgress{}
	for _, p := range s.progress.Steps {
		progress[p.Name] = p
		for _, sub := range p.SubSteps {
			progress[sub.Name] = sub
		}
	}
	asked := s.run.Targets()
	var out []stepTarget
	for _, step := range s.memory.blueprint.Workflow.AllSteps() {
		targets, ok := asked[step.Name]
		if !ok {
			targets, ok = s.memory.targets[step.Name]
		}
		if !ok {
			targets = delivery.TargetsOf(step)
		}
		p := progress[step.Name]
		for _, t := range targets {
			out = append(out, stepTarget{
				Target: t, step: step.Name, phase: p.Phase,
				asked: p.Plan != nil, approved: p.Plan != nil && p.Plan.Approved == p.Plan.Digest,
			})
		}
	}
	return out
}
