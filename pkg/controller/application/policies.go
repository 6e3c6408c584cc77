package application

import (
	"context"
	"maps"

	"github.com/seed-c5f95f19/vela/pkg/delivery"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/status"
)

// begin starts a run of the current revision where the last one has stopped.
func (r *Reconciler) begin(ctx context.Context, s *state) error {
	m := s.memory
	progress, err := r.progress(ctx, s)
	if err != nil {
		return err
	}
	if s.progress, err = r.restart(ctx, s, progress); err != nil {
		return err
	}
	s.run, err = r.Delivery.Begin(delivery.Subject{
		Blueprint: m.blueprint, Revision: m.revision.Name, Number: m.revision.Number, Values: maps.Clone(s.progress.Vars.Values),
	})
	return err
}

// deliverPolicies sends what policies give, which is there before the workflow
// begins. Once that has begun it is put back; what cannot be put back holds up
// nothing else.
func (r *Reconciler) deliverPolicies(ctx context.Context, s *state) (outcome, error) {
	if err := r.begin(ctx, s); err != nil {
		return outcome{}, err
	}
	var err error
	wf := s.app.Status.Workflow
	repair := wf != nil && wf.AppRevision == s.memory.revision.Name
	s.policies, err = s.run.DeliverPolicies(ctx, repair)
	if err != nil && !repair {
		return outcome{}, err
	}
	s.policiesAt = err
	health, err := s.run.PolicyHealth(ctx, s.policies)
	if err != nil {
		return outcome{}, err
	}
	envs, err := s.run.Envs(ctx)
	if err != nil {
		return outcome{}, err
	}
	s.report.Policies = &status.Policies{Health: health, Decide: delivery.ManagesHealth(s.memory.blueprint), Envs: envs}
	return outcome{}, nil
}

// stays reports whether an object that no step wants is kept all the same: what
// a step sent on its own stays until the Application goes, a cloud resource until
// its component does.
func (s *state) stays(e inventory.Entry) bool {
	return e.Component == "" && e.Creator != inventory.CreatorPolicy || e.Component != "" && s.run.LeavesOut(e.Component)
}
