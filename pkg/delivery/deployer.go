package delivery

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/oam"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// Deployer returns what the step called name delivers through. The targets that
// it is asked for are kept: see Targets.
func (r *Run) Deployer(name string) oam.Deployer { return deployer{run: r, step: name} }

// deployer implements oam.Deployer: requests of templates become targets.
type deployer struct {
	run  *Run
	step string
}

// Deploy implements oam.Deployer.
func (d deployer) Deploy(ctx context.Context, req oam.DeployRequest) (oam.DeployResult, error) {
	t := Target{Policies: req.Policies, SkipTerraform: req.IgnoreTerraformComponent}
	var err error
	if t.Inline, err = inline(req.InlinePolicies); err != nil {
		return oam.DeployResult{}, err
	}
	out, err := d.deliver(ctx, t, req.Allow)
	return oam.DeployResult{Healthy: out.Done, Message: out.Message, After: out.after()}, err
}

// inline reads the policies that a step has itself.
func inline(policies []map[string]any) ([]blueprint.Policy, error) {
	var out []blueprint.Policy
	for i, raw := range policies {
		var p struct {
			Name, Type string
			Properties map[string]any
		}
		if err := provider.Decode(raw, &p); err != nil {
			return nil, fault.Invalid(v1beta1.ReasonInvalidPolicy, fmt.Errorf("inlinePolicies[%d]: %w", i, err))
		}
		out = append(out, blueprint.Policy{Name: p.Name, Type: p.Type, Properties: p.Properties})
	}
	return out, nil
}

// Apply implements oam.Deployer.
func (d deployer) Apply(ctx context.Context, req oam.ApplyRequest) (oam.ApplyResult, error) {
	t, err := d.target(req)
	if err != nil {
		return oam.ApplyResult{}, err
	}
	out, err := d.deliver(ctx, t, req.Allow)
	if err != nil {
		return oam.ApplyResult{}, err
	}
	result := oam.ApplyResult{Healthy: out.Done, Message: out.Message, After: out.after()}
	live := map[manifest.Key]*unstructured.Unstructured{}
	for _, o := range d.run.delivery.objects(ctx, out.manifests) {
		if o.Live != nil {
			live[o.Manifest.Key] = o.Live
		}
	}
	fill(&result, out.manifests, func(m manifest.Manifest) *unstructured.Unstructured { return live[m.Key] })
	return result, nil
}

// Render implements oam.Deployer.
func (d deployer) Render(ctx context.Context, req oam.ApplyRequest) (oam.ApplyResult, error) {
	t, err := d.target(req)
	if err != nil {
		return oam.ApplyResult{}, err
	}
	manifests, _, err := d.run.Desired(ctx, t)
	var result oam.ApplyResult
	fill(&result, manifests, func(m manifest.Manifest) *unstructured.Unstructured { return m.Object })
	return result, err
}

// deliver keeps the target only once it may be delivered: what was merely
// planned, or held back, must not be repaired into being.
func (d deployer) deliver(ctx context.Context, t Target, allow oam.Allow) (Outcome, error) {
	return d.run.Deliver(ctx, t, func(out Outcome) error {
		if allow != nil {
			if err := allow(shown(out)); err != nil {
				return err
			}
		}
		d.run.keep(d.step, t)
		return nil
	})
}

// target is one component in one place.
func (d deployer) target(req oam.ApplyRequest) (Target, error) {
	t := Target{
		Components: []string{req.Component}, NoWait: !req.WaitHealthy, Env: req.Env,
		Place: &policy.Placement{Cluster: req.Cluster, Namespace: req.Namespace},
	}
	if req.Value != nil {
		c, err := blueprint.ComponentOf(req.Value)
		if err != nil {
			return t, err
		}
		t.Components, t.Changed = []string{c.Name}, []blueprint.Component{c}
	}
	if req.Patch != nil {
		t.Patch = req.Patch
	}
	return t, nil
}

// fill gives objects their names in an answer.
func fill(result *oam.ApplyResult, manifests []manifest.Manifest, object func(manifest.Manifest) *unstructured.Unstructured) {
	result.Outputs = map[string]*unstructured.Unstructured{}
	for _, m := range manifests {
		switch o := object(m); {
		case o == nil:
		case m.Workload():
			result.Output = o
		default:
			result.Outputs[m.Output] = o
		}
	}
}

// shown is a plan as an approval shows and remembers it: every write of it. What
// it wants is known by the digest of the real values, so that an approval of one
// secret is not one of another that looks the same.
func shown(out Outcome) oam.Plan {
	p := oam.Plan{Digest: out.Digest()}
	entry := func(one plan.Plan, wanted any) {
		for _, item := range one.Summary().Items {
			p.Entries = append(p.Entries, oam.Entry{
				Object: item.Cluster + ": " + item.Object, Component: item.Component, Action: item.Action,
				Wanted: manifest.Digest(wanted)[:wantedDigits], Text: item.Text(),
			})
		}
	}
	for _, a := range out.Plan.Applies {
		if a.Writes() {
			entry(plan.Plan{Applies: []plan.Apply{a}}, []any{a.Digest, a.Replace, a.Patch})
		}
	}
	for _, d := range out.Plan.Deletes {
		entry(plan.Plan{Deletes: []plan.Delete{d}}, []any{d.Orphan, d.Release})
	}
	for _, l := range out.Later {
		p.Entries = append(p.Entries, oam.Entry{
			Object: fmt.Sprintf("%s: component %s", l.Place.Cluster, l.Component), Component: l.Component, Action: oam.Later,
			Wanted: l.Digest, Text: fmt.Sprintf("known when %v is", l.Inputs),
		})
	}
	return p
}

// Digest is what an approval is bound to: what is planned, and that the rest is
// not known yet.
func (out Outcome) Digest() string {
	if len(out.Later) == 0 {
		return out.Plan.Digest
	}
	return "sha256:" + manifest.Digest([]any{out.Plan.Digest, out.Later})
}

const wantedDigits = 32

// keep remembers what a step asked for, so that it is still known to be wanted
// when the step is done.
func (r *Run) keep(step string, t Target) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.targets == nil {
		r.targets = map[string][]Target{}
	}
	if !slices.ContainsFunc(r.targets[step], func(o Target) bool { return equality.Semantic.DeepEqual(o, t) }) {
		r.targets[step] = append(r.targets[step], t)
	}
}

// Targets returns what the steps of this run asked for, by name of the step.
func (r *Run) Targets() map[string][]Target {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.targets
}
