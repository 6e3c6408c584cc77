package delivery

import (
	"context"
	"errors"
	"slices"

	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/observe"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/envbinding"
	"github.com/seed-c5f95f19/vela/pkg/delivery/render"
	"github.com/seed-c5f95f19/vela/pkg/delivery/status"
)

// PolicyObjects renders the objects that the policies of the Application give,
// in their order. They are there before the workflow begins and as long as the
// policy is.
func (r *Run) PolicyObjects(ctx context.Context) ([]manifest.Manifest, error) {
	var out []manifest.Manifest
	var errs []error
	r.mu.Lock()
	r.partial = false
	r.mu.Unlock()
	for _, p := range r.Blueprint.Policies {
		manifests, err := r.delivery.Renderer.Policy(ctx, render.PolicyRequest{
			Blueprint: r.Blueprint, Policy: p, RevisionName: r.Revision, RevisionNumber: r.Number,
			Artifacts: r.artifacts, Actions: r.Actions,
		})
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, manifests...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return out, r.claimedTwice(out)
}

// artifacts is what the components give in the namespace of the Application, as
// far as that is known before anything is delivered.
func (r *Run) artifacts(ctx context.Context) (map[string]any, error) {
	units, err := r.units(ctx, Target{Place: &policy.Placement{}})
	if err != nil {
		return nil, err
	}
	var parts []manifest.Manifest
	for _, u := range units {
		if len(u.missing) > 0 {
			r.mu.Lock()
			r.partial = true
			r.mu.Unlock()
			continue
		}
		req, err := r.request(ctx, u)
		if err != nil {
			return nil, err
		}
		given, err := r.delivery.Renderer.Parts(ctx, req)
		if err != nil {
			return nil, err
		}
		parts = append(parts, given...)
	}
	return render.Artifacts(parts), nil
}

// Partial reports whether policies have asked for components whose inputs were
// not known: what they give is then not all that they want.
func (r *Run) Partial() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.partial
}

// PlanPolicies computes what delivering the objects of policies would change,
// and sends nothing.
func (r *Run) PlanPolicies(ctx context.Context) (Outcome, error) { return r.planPolicies(ctx, false) }

func (r *Run) planPolicies(ctx context.Context, repair bool) (Outcome, error) {
	var out Outcome
	var err error
	if out.manifests, err = r.PolicyObjects(ctx); err != nil || len(out.manifests) == 0 {
		return out, err
	}
	r.mu.Lock()
	r.ofPolicies = out.manifests
	r.mu.Unlock()
	if out.Plan, err = r.compute(ctx, out.manifests, repair); err != nil {
		return out, err
	}
	return out, r.refused(out.Plan)
}

// DeliverPolicies sends the objects of policies. Repair puts back what was
// delivered before, as the rules of the Application say. It returns what is
// wanted, also with an error.
func (r *Run) DeliverPolicies(ctx context.Context, repair bool) ([]manifest.Manifest, error) {
	out, err := r.planPolicies(ctx, repair)
	if err != nil || len(out.manifests) == 0 {
		return out.manifests, err
	}
	if err := r.record(ctx, out.Plan); err != nil {
		return out.manifests, err
	}
	part := out.Plan
	part.Applies = slices.DeleteFunc(slices.Clone(part.Applies), func(a plan.Apply) bool { return !a.Writes() })
	_, err = r.execute(ctx, part)
	return out.manifests, err
}

// PolicyHealth returns the health of each policy that has objects or manages the
// health of the Application, in their order. objects are those of all policies.
func (r *Run) PolicyHealth(ctx context.Context, objects []manifest.Manifest) ([]observe.Health, error) {
	var out []observe.Health
	for _, p := range r.Blueprint.Policies {
		def := r.Blueprint.Definitions[definition.Ref{Kind: definition.Policy, Name: p.Type}]
		own := slices.DeleteFunc(slices.Clone(objects), func(m manifest.Manifest) bool { return m.Policy != p.Name })
		if len(own) == 0 && !def.ManageHealthCheck {
			continue
		}
		h, err := r.delivery.Observer.Policy(ctx, r.Blueprint, observe.PolicyTarget{
			Policy: p, Objects: r.delivery.objects(ctx, own), Context: map[string]any{"appRevision": r.Revision, "appRevisionNum": r.Number},
		})
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

// ManagesHealth reports whether a policy of the Application decides about its
// health instead of its components.
func ManagesHealth(b *blueprint.Blueprint) bool {
	return slices.ContainsFunc(b.Policies, func(p blueprint.Policy) bool {
		return b.Definitions[definition.Ref{Kind: definition.Policy, Name: p.Type}].ManageHealthCheck
	})
}

// Envs returns where the environments of env-binding policies lead, in their
// order. What leads nowhere just now is left out: its step says why.
func (r *Run) Envs(ctx context.Context) ([]status.Env, error) {
	var out []status.Env
	for _, p := range r.Blueprint.Policies {
		if p.Type != envbinding.Type {
			continue
		}
		known, err := r.clusters(ctx)
		if err != nil {
			return nil, err
		}
		envs, err := envbinding.Envs(p)
		if err != nil {
			continue
		}
		for _, e := range envs {
			if places, err := envbinding.Placements(e, r.Blueprint.App.Namespace, known); err == nil {
				out = append(out, status.Env{Policy: p.Name, Name: e.Name, Placements: places})
			}
		}
	}
	return out, nil
}
