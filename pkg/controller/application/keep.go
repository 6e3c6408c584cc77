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

// tend removes what is not wanted any more and keeps the rest as it is wanted.
// Neither waits for the other: what cannot be removed must not drift.
func (r *Reconciler) tend(ctx context.Context, s *state) (outcome, error) {
	swept, serr := r.sweep(ctx, s)
	kept, kerr := r.observe(ctx, s)
	return outcome{again: earlier(swept.again, kept.again)}, errors.Join(serr, kerr)
}

func earlier(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return a + b
	}
	return min(a, b)
}

// observe keeps what finished steps have delivered as it was wanted, and learns
// the health of everything. What this run delivered itself is known already. A
// step that cannot be kept does not hold up the others.
func (r *Reconciler) observe(ctx context.Context, s *state) (outcome, error) {
	ran := s.run.Targets()
	var out outcome
	var errs []error
	for _, t := range r.targets(s) {
		if _, now := ran[t.step]; now {
			continue
		}
		later, err := r.keep(ctx, s, t)
		if later {
			out.again = awayDelay
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	owned, err := r.Delivery.Ledger.Load(ctx, s.owner())
	if err != nil {
		return outcome{}, err
	}
	s.report.Owned, s.report.Health, s.report.Observed = &owned, s.run.Health(), true
	return out, errors.Join(errs...)
}

// awayDelay is how long it takes at most to notice that a cluster is back in
// which nothing is watched. Usually its watches tell.
const awayDelay = 30 * time.Second

// keep repairs what a step has delivered; of a step that did not get to its end
// it only looks at what is there.
func (r *Reconciler) keep(ctx context.Context, s *state, t stepTarget) (later bool, err error) {
	switch t.phase {
	case workflow.Succeeded:
		return s.run.Repair(ctx, t.Target, delivery.Repair{Approved: t.asked})
	case workflow.Suspending, workflow.Running, workflow.Failed:
		if t.asked && !t.approved {
			return false, nil // nothing of it was sent
		}
		if err := s.run.Look(ctx, t.Target); fault.Reason(err) == "" {
			return false, err
		} // else the step says it; this would only say it in other words
	}
	return false, nil
}

// sweep removes what no step wants any more, once all steps have succeeded.
func (r *Reconciler) sweep(ctx context.Context, s *state) (outcome, error) {
	if s.progress.Phase != workflow.Succeeded || s.memory.lost && !told(s.memory.blueprint.Workflow) {
		return outcome{}, nil
	}
	owned, err := r.Delivery.Ledger.Load(ctx, s.owner())
	if err != nil {
		return outcome{}, err
	}
	desired, complete, err := r.desired(ctx, s)
	if err != nil || !complete || !leftover(owned, desired) {
		return outcome{}, err
	}
	for _, e := range owned.Entries {
		if e.Component == "" { // sent by a step on its own: it stays until the Application goes
			desired = append(desired, manifest.Manifest{Key: e.Key})
		}
	}
	again, err := s.run.Sweep(ctx, desired)
	if err != nil || !again {
		return outcome{}, err
	}
	return outcome{again: sweepDelay}, nil
}

// told reports whether the steps as they are written say all that they deliver.
func told(w blueprint.Workflow) bool {
	return !slices.ContainsFunc(w.AllSteps(), func(s blueprint.Step) bool {
		silent := len(s.SubSteps) == 0 && s.Type != workflow.TypeSuspend && len(delivery.TargetsOf(s)) == 0
		return silent || len(s.Inputs) > 0
	})
}

// desired is everything that the steps of the revision want. What a skipped step
// would deliver is wanted too: skipping leaves its places as they are.
func (r *Reconciler) desired(ctx context.Context, s *state) ([]manifest.Manifest, bool, error) {
	var out []manifest.Manifest
	for _, t := range r.targets(s) {
		manifests, complete, err := s.run.Desired(ctx, t.Target)
		if err != nil && t.phase == workflow.Skipped {
			return nil, false, nil // it may have been skipped because it cannot work
		}
		if err != nil || !complete {
			return nil, false, err
		}
		out = append(out, manifests...)
	}
	return out, true, nil
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
