package preview

import (
	"context"
	"fmt"
	"slices"

	"github.com/seed-c5f95f19/vela/pkg/delivery"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/identity"
	"github.com/seed-c5f95f19/vela/references/cli/source"
)

// A StepTarget is what one step of the workflow delivers.
type StepTarget struct {
	Step   blueprint.Step
	Target delivery.Target
	// Rest is for the components that no step names in advance: a step of another
	// type may deliver them when it runs.
	Rest bool
}

// Targets lists what the steps of b deliver, in their order, and at the end the
// components that no step names.
func Targets(b *blueprint.Blueprint) []StepTarget {
	var out []StepTarget
	covered := map[string]bool{}
	for _, step := range b.Workflow.AllSteps() {
		for _, t := range delivery.TargetsOf(step) {
			out = append(out, StepTarget{Step: step, Target: t})
			for _, c := range b.Components {
				if t.Components == nil || slices.Contains(t.Components, c.Name) {
					covered[c.Name] = true
				}
			}
		}
	}
	var rest []string
	for _, c := range b.Components {
		if !covered[c.Name] {
			rest = append(rest, c.Name)
		}
	}
	if len(rest) > 0 {
		out = append(out, StepTarget{Target: delivery.Target{Components: rest}, Rest: true})
	}
	return out
}

// Begin starts a run over b that may only look. values are what earlier steps
// have put out.
func (p *Preview) Begin(b *blueprint.Blueprint, revision string, number int64, values map[string]any) (*delivery.Run, error) {
	d, err := p.deliver()
	if err != nil {
		return nil, err
	}
	return d.Begin(delivery.Subject{
		Blueprint: b, Revision: revision, Number: number, Values: values, As: identity.Identity{},
	})
}

// A Rendered is the objects of one step.
type Rendered struct {
	StepTarget
	Manifests []manifest.Manifest
	// Managed are workloads that are not applied: a trait brings them in itself.
	Managed []manifest.Manifest
}

// Render renders everything that b delivers: online in every place, offline
// once for each step, for the namespace of the Application. Components that take inputs are
// rendered as written, because nothing has put them out: notes says so.
func (p *Preview) Render(ctx context.Context, app App, b *blueprint.Blueprint) (out []Rendered, notes []string, err error) {
	b, notes = withoutInputs(b)
	if p.Client == nil {
		for _, note := range uncopied(b) {
			notes = append(notes, source.LocateText(app.Document, p.documents, note))
		}
	}
	run, err := p.Begin(b, app.Name+"-v1", 1, nil)
	if err != nil {
		return nil, nil, p.Locate(app, err)
	}
	policies, err := run.PolicyObjects(ctx)
	if err != nil {
		return nil, nil, p.Locate(app, err)
	}
	if len(policies) > 0 {
		out = append(out, Rendered{Manifests: policies})
	}
	for _, t := range Targets(b) {
		manifests, _, err := run.Desired(ctx, t.Target)
		if err != nil {
			return nil, nil, p.Locate(app, fault.With(err, fault.At(t.Step.Origin.String())))
		}
		managed, err := run.Managed(ctx, t.Target)
		if err != nil {
			return nil, nil, p.Locate(app, err)
		}
		out = append(out, Rendered{t, manifests, managed})
	}
	return out, notes, nil
}

// uncopied says which policies make copies of components when it is delivered.
func uncopied(b *blueprint.Blueprint) []string {
	var notes []string
	for _, p := range b.Policies {
		if delivery.Copies(p) {
			notes = append(notes, fmt.Sprintf("%s: policy %q copies components when they are delivered; offline each is rendered once", p.Origin, p.Name))
		}
	}
	return notes
}

// withoutInputs returns b as if no component took inputs.
func withoutInputs(b *blueprint.Blueprint) (*blueprint.Blueprint, []string) {
	var notes []string
	out := *b
	out.Components = slices.Clone(b.Components)
	for i, c := range out.Components {
		for _, in := range c.Inputs {
			notes = append(notes, fmt.Sprintf("component %s takes %q when it is delivered; it is rendered without", c.Name, in.From))
		}
		out.Components[i].Inputs = nil
	}
	return &out, notes
}
