package delivery

import (
	"context"

	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/dispatch"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy"
	"github.com/seed-c5f95f19/vela/pkg/identity"
)

// Teardown removes what an Application owns, as its policies say, and returns
// what is still owned. The draft may be of an Application that could not be
// delivered: only its policies and dependencies count.
func (d *Delivery) Teardown(ctx context.Context, draft blueprint.Draft, as identity.Identity) (plan.Plan, inventory.Inventory, error) {
	owner := inventory.Owner{Namespace: draft.App.Namespace, Name: draft.App.Name, UID: draft.App.UID}
	p, err := d.teardown(ctx, draft, owner, as)
	if err != nil {
		return p, inventory.Inventory{}, err
	}
	_, err = d.Dispatcher.Execute(ctx, p, owner, as)
	left, lerr := d.Ledger.Load(ctx, owner)
	if err == nil {
		err = lerr
	}
	return p, left, err
}

// teardown plans the removal of everything.
func (d *Delivery) teardown(ctx context.Context, draft blueprint.Draft, owner inventory.Owner, as identity.Identity) (plan.Plan, error) {
	owned, err := d.Ledger.Load(ctx, owner)
	if err != nil || owned.Len() == 0 {
		return plan.Plan{Final: true}, err // then no policy matters, readable or not
	}
	rules, err := policy.Rules(draft.Policies)
	if err != nil {
		return plan.Plan{}, err
	}
	live, err := d.Dispatcher.Gather(ctx, dispatch.GatherInput{Owned: owned.Entries, As: as})
	if err != nil {
		return plan.Plan{}, err
	}
	return plan.Teardown(plan.Input{Owner: owner, Owned: owned, Live: live, Rules: rules, DependsOn: dependencies(draft)}), nil
}
