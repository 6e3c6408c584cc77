package preview

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/dispatch"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy"
	"github.com/seed-c5f95f19/vela/pkg/delivery/revision"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
	"github.com/seed-c5f95f19/vela/references/cli/planview"
)

// A Subject is an Application as it is to be planned: what it asks for, and how
// far the version that is in the cluster has come.
type Subject struct {
	App       App
	Blueprint *blueprint.Blueprint
	Revision  string
	Number    int64
	// Current means that this version is the one that the control plane works on;
	// Status and Values are then about it.
	Current bool
	Status  v1beta1.ApplicationStatus
	Values  map[string]any // that steps have put out
}

// Subject resolves app. A version that the control plane has frozen is taken
// from there, so that the plan is the one that would run; everything else is
// resolved with the definitions of now.
func (p *Preview) Subject(ctx context.Context, app App) (*Subject, error) {
	live := &v1beta1.Application{}
	err := p.Client.Get(ctx, client.ObjectKeyFromObject(app.Application), live)
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("read application %s/%s: %w", app.Namespace, app.Name, err)
	}
	app.UID, app.Generation = live.UID, live.Generation
	draft, err := p.draft(ctx, app, live.Status.LatestRevision)
	if err != nil {
		return nil, err
	}
	s := &Subject{App: app, Status: live.Status}
	b, rev, frozen, err := revision.Current(ctx, revision.Kube{Reader: p.Client, Writer: p.Client}, draft, live.Status.LatestRevision)
	if err != nil {
		return nil, err
	}
	if frozen {
		s.Blueprint, s.Revision, s.Number, s.Current = &b, rev.Name, rev.Number, true
		s.Values, err = p.values(ctx, app)
		return s, err
	}
	if s.Blueprint, err = p.resolve(ctx, app, draft); err != nil {
		return nil, err
	}
	s.Number = 1
	if latest := live.Status.LatestRevision; latest != nil {
		s.Number = latest.Revision + 1
	}
	s.Revision = fmt.Sprintf("%s-v%d", app.Name, s.Number)
	return s, nil
}

// values reads what the steps of the running workflow have put out.
func (p *Preview) values(ctx context.Context, app App) (map[string]any, error) {
	stored := &corev1.ConfigMap{}
	err := p.Client.Get(ctx, client.ObjectKey{Namespace: app.Namespace, Name: "workflow-" + app.Name + "-context"}, stored)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the values of the workflow: %w", err)
	}
	vars, err := workflow.DecodeVars(stored.Data, p.options.Components)
	return vars.Values, err
}

// Plan computes what s would change, step by step, and what goes at the end. It
// sends nothing but questions.
func (p *Preview) Plan(ctx context.Context, s *Subject) (planview.View, error) {
	return p.plan(ctx, s, s.over)
}

// plan leaves out the steps that over says need none.
func (p *Preview) plan(ctx context.Context, s *Subject, over func(v1beta1.StepPhase) bool) (planview.View, error) {
	view := planview.View{Application: s.App.Name, Namespace: s.App.Namespace}
	run, err := p.Begin(s.Blueprint, s.Revision, s.Number, s.Values)
	if err != nil {
		return view, p.Locate(s.App, err)
	}
	phases := s.phases()
	desired, before, err := p.planPolicies(ctx, run, s)
	if err != nil {
		return view, err
	}
	view.Steps = append(view.Steps, before...)
	complete := true
	for _, t := range Targets(s.Blueprint) {
		if t.Rest {
			view.Steps = append(view.Steps, restOf(t, s))
			complete = false
			continue
		}
		manifests, all, err := run.Desired(ctx, t.Target)
		desired, complete = append(desired, manifests...), complete && all && err == nil
		if err == nil && over(phases[t.Step.Name].Phase) {
			continue
		}
		var step planview.Step
		if err == nil {
			step, err = p.planStep(ctx, run, s, t, phases[t.Step.Name])
		}
		switch {
		case err != nil && (ctx.Err() != nil || fault.Terminal(err)):
			return view, p.Locate(s.App, err)
		case err != nil: // of this step only: the others may go on
			step = planview.Step{Name: t.Step.Name, Type: t.Step.Type, Error: fault.Message(p.Locate(s.App, err)), Summary: "unknown"}
		}
		view.Steps = append(view.Steps, step)
	}
	gates(s.Blueprint, &view, phases)
	if !complete {
		return view, nil
	}
	swept, err := p.sweep(ctx, s, desired)
	if err != nil {
		return view, err
	}
	if swept.Summary != planview.Nothing {
		view.Steps = append(view.Steps, swept)
	}
	return view, nil
}

// policiesStep is how a plan calls what is sent before the workflow begins.
const policiesStep = "policies"

// planPolicies plans what policies give, which comes before the steps.
func (p *Preview) planPolicies(ctx context.Context, run *delivery.Run, s *Subject) ([]manifest.Manifest, []planview.Step, error) {
	desired, err := run.PolicyObjects(ctx)
	if err != nil || len(desired) == 0 {
		return nil, nil, p.Locate(s.App, err)
	}
	out, err := run.PlanPolicies(ctx)
	if err != nil && len(out.Plan.Refusals) == 0 {
		return nil, nil, p.Locate(s.App, err)
	}
	step := planview.Of(policiesStep, "", out.Plan)
	step.Digest = "" // nobody approves it: the steps come after
	return desired, []planview.Step{step}, nil
}

// phases are the steps of the version that the control plane works on.
func (s *Subject) phases() map[string]v1beta1.StepStatus {
	out := map[string]v1beta1.StepStatus{}
	if !s.Current || s.Status.Workflow == nil || s.Status.Workflow.AppRevision != s.Revision {
		return out
	}
	for _, step := range s.Status.Workflow.Steps {
		out[step.Name] = step.StepStatus
		for _, sub := range step.SubSteps {
			out[sub.Name] = sub
		}
	}
	return out
}

// over reports whether a step needs no plan any more: it is done while others
// are not. Once all are done, the plan is what would be repaired.
func (s *Subject) over(phase v1beta1.StepPhase) bool {
	finished := s.Status.Workflow != nil && s.Status.Workflow.Finished
	return !finished && (phase == v1beta1.StepSucceeded || phase == v1beta1.StepSkipped)
}

func (p *Preview) planStep(ctx context.Context, run *delivery.Run, s *Subject, t StepTarget, status v1beta1.StepStatus) (planview.Step, error) {
	out, err := run.Plan(ctx, t.Target)
	if err != nil && len(out.Plan.Refusals) == 0 {
		return planview.Step{}, err
	}
	step := planview.Of(t.Step.Name, t.Step.Type, out.Plan)
	step.Digest = out.Digest()
	for _, later := range out.Later {
		step.KnownAfter = append(step.KnownAfter, planview.After{
			Component: later.Component, Cluster: later.Place.Cluster, Namespace: later.Place.Namespace,
			Inputs: later.Inputs, Step: giver(s.Blueprint, later.Inputs),
		})
	}
	if status.Phase == v1beta1.StepSuspending && status.Plan != nil {
		step.Waiting, step.WaitsFor = true, status.Plan.Digest
	}
	return step, nil
}

// giver is the step that puts out one of the inputs, "" when a component does.
func giver(b *blueprint.Blueprint, inputs []string) string {
	for _, step := range b.Workflow.AllSteps() {
		for _, o := range step.Outputs {
			if slices.Contains(inputs, o.Name) {
				return step.Name
			}
		}
	}
	return ""
}

// restOf says of the components that no step names that nobody knows yet.
func restOf(t StepTarget, s *Subject) planview.Step {
	step := planview.Step{Name: "other steps", Summary: "known when they run"}
	for _, name := range t.Target.Components {
		step.KnownAfter = append(step.KnownAfter, planview.After{Component: name, Cluster: manifest.Local, Namespace: s.App.Namespace})
	}
	return step
}

// sweep plans the removal of what no step wants.
func (p *Preview) sweep(ctx context.Context, s *Subject, desired []manifest.Manifest) (planview.Step, error) {
	owner := inventory.Owner{Namespace: s.App.Namespace, Name: s.App.Name, UID: s.App.UID}
	owned, err := p.delivery.Ledger.Load(ctx, owner)
	if err != nil {
		return planview.Step{}, fmt.Errorf("read what %s/%s owns: %w", s.App.Namespace, s.App.Name, err)
	}
	rules, err := policy.Rules(s.Blueprint.Policies)
	if err != nil {
		return planview.Step{}, err
	}
	wanted := make([]manifest.Key, 0, len(desired))
	for _, m := range desired {
		wanted = append(wanted, m.Key)
	}
	left := owned.Without(wanted...)
	live, err := p.delivery.Dispatcher.Gather(ctx, dispatch.GatherInput{Owned: left.Entries, ReadOnly: true})
	if err != nil {
		return planview.Step{}, errors.Join(errors.New("read what is live"), err)
	}
	swept := plan.Sweep(plan.Input{
		Owner: owner, Desired: desired, Owned: owned, Live: live, Rules: rules, Complete: true, DependsOn: dependencies(s.Blueprint),
	})
	step := planview.Of("clean up", "", swept)
	step.Digest = "" // nobody approves it: it follows from the steps
	return step, nil
}

func dependencies(b *blueprint.Blueprint) map[string][]string {
	out := map[string][]string{}
	for _, c := range b.Components {
		if len(c.DependsOn) > 0 {
			out[c.Name] = c.DependsOn
		}
	}
	return out
}
