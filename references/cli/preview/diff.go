package preview

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/revision"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/planview"
)

// OfLive is New for an Application that is in the cluster.
func OfLive(ctx context.Context, o Options, namespace, name string) (*Preview, error) {
	p, err := New(o)
	if err != nil {
		return nil, err
	}
	app, err := connect.Application(ctx, p.Client, namespace, name)
	if err != nil {
		return nil, err
	}
	p.Apps = []App{{Application: app}}
	return p, nil
}

// Drift is how what is live differs from what s wants, step by step, whether
// the step has run or not.
func (p *Preview) Drift(ctx context.Context, s *Subject) (planview.View, error) {
	view, err := p.plan(ctx, s, func(v1beta1.StepPhase) bool { return false })
	for i := range view.Steps {
		view.Steps[i].Digest, view.Steps[i].Waiting, view.Steps[i].WaitsFor = "", false, ""
	}
	return view, err
}

// Against is how the objects of s differ from those of an earlier revision,
// named or numbered.
func (p *Preview) Against(ctx context.Context, s *Subject, name string) (planview.View, error) {
	view := planview.View{Application: s.App.Name, Namespace: s.App.Namespace}
	if number, err := strconv.Atoi(strings.TrimPrefix(name, "v")); err == nil {
		name = fmt.Sprintf("%s-v%d", s.App.Name, number)
	}
	old, err := revision.Load(ctx, revision.Kube{Reader: p.Client, Writer: p.Client}, s.App.Namespace, name)
	if err != nil {
		return view, err
	}
	before, err := p.objects(ctx, s.App, &old, name)
	if err != nil {
		return view, fmt.Errorf("render revision %s: %w", name, err)
	}
	after, err := p.objects(ctx, s.App, s.Blueprint, s.Revision)
	if err != nil {
		return view, err
	}
	steps := map[string]bool{}
	for _, r := range append(after, before...) {
		if steps[r.Step.Name] {
			continue
		}
		steps[r.Step.Name] = true
		step := planview.Between(cmp.Or(r.Step.Name, "other steps"), of(before, r.Step.Name), of(after, r.Step.Name))
		step.Type = r.Step.Type
		view.Steps = append(view.Steps, step)
	}
	return view, nil
}

// objects renders b as if nothing had put out anything yet.
func (p *Preview) objects(ctx context.Context, app App, b *blueprint.Blueprint, name string) ([]Rendered, error) {
	b, _ = withoutInputs(b)
	run, err := p.Begin(b, name, 0, nil)
	if err != nil {
		return nil, p.Locate(app, err)
	}
	policies, err := run.PolicyObjects(ctx)
	if err != nil {
		return nil, p.Locate(app, err)
	}
	var out []Rendered
	if len(policies) > 0 {
		out = append(out, Rendered{StepTarget: StepTarget{Step: blueprint.Step{Name: policiesStep}}, Manifests: policies})
	}
	for _, t := range Targets(b) {
		manifests, _, err := run.Desired(ctx, t.Target)
		if err != nil {
			return nil, p.Locate(app, err)
		}
		out = append(out, Rendered{StepTarget: t, Manifests: manifests})
	}
	return out, nil
}

func of(all []Rendered, step string) []manifest.Manifest {
	var out []manifest.Manifest
	for _, r := range all {
		if r.Step.Name == step {
			out = append(out, r.Manifests...)
		}
	}
	return out
}
