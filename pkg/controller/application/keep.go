package application

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/seed-c5f95f19/vela/pkg/delivery"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
)

// tend keeps what finished steps have delivered as it is wanted, learns the
// health of everything, and removes what is not wanted any more. What this run
// delivered itself is looked at already. A step that cannot be kept holds up no
// other, and what cannot be removed must not drift.
func (r *Reconciler) tend(ctx context.Context, s *state) (outcome, error) {
	ran := s.run.Targets()
	if s.policiesAt == nil && s.run.Partial() { // the workflow has made known what was missing
		s.policies, s.policiesAt = s.run.DeliverPolicies(ctx, true)
	}
	all := wanted{manifests: s.policies, complete: s.policiesAt == nil && !s.run.Partial()}
	var out outcome
	errs := []error{s.policiesAt}
	for _, t := range r.targets(s) {
		if _, now := ran[t.step]; now || t.phase == workflow.Skipped {
			all.later = append(all.later, t)
			continue
		}
		kept, err := r.keep(ctx, s, t)
		if kept.Away {
			out.again = awayDelay
		}
		if err != nil {
			errs = append(errs, err)
		}
		all.add(kept.Manifests, kept.Complete)
	}
	again, err := r.sweep(ctx, s, all)
	if again {
		out.again = sweepDelay
	}
	errs = append(errs, err)
	owned, err := r.Delivery.Ledger.Load(ctx, s.owner())
	if err != nil {
		return out, errors.Join(append(errs, err)...)
	}
	s.report.Owned, s.report.Health, s.report.Observed = &owned, s.run.Health(), true
	return out, errors.Join(errs...)
}

// awayDelay is how long it takes at most to notice that a cluster is back in
// which nothing is watched. Usually its watches tell.
const awayDelay = 30 * time.Second

// keep repairs what a step has delivered; of a step that did not get to its end
// it only looks at what is there.
func (r *Reconciler) keep(ctx context.Context, s *state, t stepTarget) (delivery.Kept, error) {
	switch t.phase {
	case workflow.Succeeded:
		return s.run.Repair(ctx, t.Target, delivery.Repair{Approved: t.asked})
	case workflow.Suspending, workflow.Running, workflow.Failed:
		if t.asked && !t.approved {
			return delivery.Kept{}, nil // nothing of it was sent
		}
		if err := s.run.Look(ctx, t.Target); fault.Reason(err) == "" {
			return delivery.Kept{}, err
		} // else the step says it; this would only say it in other words
	}
	return delivery.Kept{}, nil
}

// wanted is what the steps of the revision want.
type wanted struct {
	manifests []manifest.Manifest
	complete  bool
	later     []stepTarget // not rendered yet
}

func (w *wanted) add(manifests []manifest.Manifest, complete bool) {
	w.manifests, w.complete = append(w.manifests, manifests...), w.complete && complete
}

// sweep removes what no step wants any more, once all steps have succeeded.
// again says that something is not gone yet.
func (r *Reconciler) sweep(ctx context.Context, s *state, all wanted) (again bool, err error) {
	m := s.memory
	if s.progress.Phase != workflow.Succeeded || !all.complete || m.lost && !told(m.blueprint.Workflow) {
		return false, nil
	}
	if err := r.render(ctx, s, &all); err != nil || !all.complete {
		return false, err
	}
	owned, err := r.Delivery.Ledger.Load(ctx, s.owner())
	if err != nil || !leftover(owned, all.manifests) {
		return false, err
	}
	for _, e := range owned.Entries {
		if s.stays(e) {
			all.manifests = append(all.manifests, manifest.Manifest{Key: e.Key})
		}
	}
	return s.run.Sweep(ctx, all.manifests)
}

// render adds what was not rendered yet. What a skipped step would deliver is
// wanted too: skipping leaves its places as they are.
func (r *Reconciler) render(ctx context.Context, s *state, all *wanted) error {
	for _, t := range all.later {
		manifests, complete, err := s.run.Desired(ctx, t.Target)
		if err != nil && t.phase != workflow.Skipped {
			return err
		}
		all.add(manifests, complete && err == nil) // a step may have been skipped because it cannot work
	}
	return nil
}

// told reports whether the steps as they are written say all that they deliver.
func told(w blueprint.Workflow) bool {
	return !slices.ContainsFunc(w.AllSteps(), func(s blueprint.Step) bool {
		silent := len(s.SubSteps) == 0 && s.Type != workflow.TypeSuspend && len(delivery.TargetsOf(s)) == 0
		return silent || len(s.Inputs) > 0
	})
}

// sweepDelay is how long a removal waits that has to be asked for again: what it
// waits for is not watched.
const sweepDelay = 5 * time.Second

// leftover reports whether something is owned and not desired.
func leftover(owned inventory.Inventory, desired []manifest.Manifest) bool {
	wanted := make(map[manifest.Key]bool, len(desired))
	for _, m := range desired {
		wanted[m.Key] = true
	}
	for _, key := range owned.Keys() {
		if !wanted[key] {
			return true
		}
	}
	return false
}
