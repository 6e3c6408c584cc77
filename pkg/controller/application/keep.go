package application

import (
	"context"
	"time"

	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
)

// observe keeps what finished steps have delivered as it was wanted, and learns
// the health of everything. What this run delivered itself is known already.
func (r *Reconciler) observe(ctx context.Context, s *state) (outcome, error) {
	ran := s.run.Targets()
	for _, t := range r.targets(s) {
		if _, now := ran[t.step]; now {
			continue
		}
		if err := r.keep(ctx, s, t); err != nil {
			return outcome{}, err
		}
	}
	owned, err := r.Delivery.Ledger.Load(ctx, s.owner())
	if err != nil {
		return outcome{}, err
	}
	s.report.Owned, s.report.Health, s.report.Observed = &owned, s.run.Health(), true
	return outcome{}, nil
}

// keep repairs what a step has delivered; of a step that did not get to its end
// it only looks at what is there.
func (r *Reconciler) keep(ctx context.Context, s *state, t stepTarget) error {
	switch t.phase {
	case workflow.Succeeded:
		t.Repair = true
		_, err := s.run.Deliver(ctx, t.Target, nil)
		return err
	case workflow.Failed:
		err := s.run.Look(ctx, t.Target)
		if fault.Reason(err) != "" {
			return nil // the step says it; this would only say it in other words
		}
		return err
	}
	return nil
}

// sweep removes what no step wants any more, once all steps have succeeded.
func (r *Reconciler) sweep(ctx context.Context, s *state) (outcome, error) {
	p := s.progress
	if p.Phase != workflow.Succeeded {
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
	plan, err := s.run.Sweep(ctx, desired, complete)
	if err != nil {
		return outcome{}, err
	}
	for _, k := range plan.Keeps {
		if k.Waiting {
			return outcome{again: sweepDelay}, nil
		}
	}
	return outcome{}, nil
}

// desired is everything that the steps of the revision want.
func (r *Reconciler) desired(ctx context.Context, s *state) ([]manifest.Manifest, bool, error) {
	var out []manifest.Manifest
	for _, t := range r.targets(s) {
		if t.phase == workflow.Skipped {
			continue
		}
		manifests, complete, err := s.run.Desired(ctx, t.Target)
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
