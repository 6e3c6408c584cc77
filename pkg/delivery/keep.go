package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/dispatch"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/observe"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// A Repair says how what was delivered is put back.
type Repair struct {
	// Approved says that somebody had to agree to the delivery. Then only what is
	// owned is written: a cluster that came later was not agreed to.
	Approved bool
}

// A Kept is what a repair has found.
type Kept struct {
	Manifests []manifest.Manifest // what is wanted
	Complete  bool                // and that is all
	// Away says that a cluster did not answer. That is no error: its objects
	// count as unknown.
	Away bool
}

// Repair puts back what t has delivered and learns its health, each cluster on
// its own: one that is away or refuses holds up no other.
func (r *Run) Repair(ctx context.Context, t Target, how Repair) (Kept, error) {
	units, err := r.units(ctx, t)
	if err != nil {
		return Kept{}, err
	}
	var kept Kept
	var errs []error
	for _, group := range byCluster(units) {
		err := r.repair(ctx, group, how)
		if err == nil {
			continue
		}
		r.look(ctx, group)
		if away(err) {
			kept.Away = true
			continue
		}
		errs = append(errs, err)
	}
	kept.Manifests, kept.Complete = wants(units)
	return kept, errors.Join(errs...)
}

// wants is what rendered units want. It is not complete without those whose
// inputs are not known, nor without traits that need a workload which is not
// healthy just now: they were sent when it was.
func wants(units []*unit) (manifests []manifest.Manifest, complete bool) {
	complete = true
	for _, u := range units {
		complete = complete && u.rendered && !u.late
		manifests = append(manifests, u.manifests...)
	}
	return manifests, complete
}

func (r *Run) repair(ctx context.Context, units []*unit, how Repair) error {
	out, err := r.plan(ctx, units, true)
	if err != nil {
		return err
	}
	if how.Approved {
		owned, err := r.entries(ctx)
		if err != nil {
			return err
		}
		out.Plan.Applies = slices.DeleteFunc(out.Plan.Applies, func(a plan.Apply) bool {
			_, ours := owned[a.Manifest.Key]
			return a.Writes() && !ours
		})
	}
	return r.send(ctx, units, &out, false)
}

// byCluster groups units, in order.
func byCluster(units []*unit) [][]*unit {
	at := map[string]int{}
	var out [][]*unit
	for _, u := range units {
		i, known := at[u.place.Cluster]
		if !known {
			i = len(out)
			at[u.place.Cluster], out = i, append(out, nil)
		}
		out[i] = append(out[i], u)
	}
	return out
}

// away reports whether err is about a cluster that did not answer.
func away(err error) bool {
	var e *cluster.AwayError
	return errors.As(err, &e) || fault.Reason(err) == v1beta1.ReasonClusterUnreachable
}

// Look learns the health of what t has delivered and changes nothing.
func (r *Run) Look(ctx context.Context, t Target) error {
	units, err := r.units(ctx, t)
	if err != nil {
		return err
	}
	r.look(ctx, units)
	return ctx.Err()
}

// look learns the health of units. What cannot be rendered just now is unknown,
// and unknown is not healthy.
func (r *Run) look(ctx context.Context, units []*unit) {
	for _, u := range units {
		if len(u.missing) > 0 {
			continue
		}
		err := r.render(ctx, u)
		if err == nil {
			_, err = r.observe(ctx, u)
		}
		if err == nil || ctx.Err() != nil {
			continue
		}
		h := observe.Health{
			Component: u.component.Name, Type: u.component.Type, Replica: u.component.ReplicaKey,
			Cluster: u.place.Cluster, Namespace: u.place.Namespace, Message: fault.Message(err),
		}
		if away(err) {
			h.Message = fmt.Sprintf("cluster %q cannot be reached", u.place.Cluster)
		}
		r.saw(u, []observe.Health{h})
	}
}

// saw remembers the health of u.
func (r *Run) saw(u *unit, health []observe.Health) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen = map[string][]observe.Health{}
	}
	for i := range health {
		health[i].Env = u.env
	}
	r.seen[u.name()] = health
}

// Health returns what was observed: by cluster, the hub first, and in each place
// in the order of the components. Which step was faster plays no part.
func (r *Run) Health() []observe.Health {
	number := make(map[string]int, len(r.Blueprint.Components))
	for i, c := range r.Blueprint.Components {
		number[c.Name] = i - len(r.Blueprint.Components)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	units := make([][]observe.Health, 0, len(r.seen))
	for _, health := range r.seen {
		units = append(units, health)
	}
	slices.SortFunc(units, func(x, y []observe.Health) int {
		a, b := x[0], y[0]
		return cmp.Or(
			cmp.Compare(remote(a), remote(b)), cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Namespace, b.Namespace),
			cmp.Compare(number[a.Component], number[b.Component]), cmp.Compare(a.Component, b.Component), cmp.Compare(a.Replica, b.Replica),
		)
	})
	return slices.Concat(units...)
}

func remote(h observe.Health) int {
	if h.Cluster == manifest.Local {
		return 0
	}
	return 1
}

// Desired returns what t wants, rendered with what is known.
func (r *Run) Desired(ctx context.Context, t Target) (manifests []manifest.Manifest, complete bool, err error) {
	units, err := r.units(ctx, t)
	if err != nil {
		return nil, false, err
	}
	for _, u := range units {
		if len(u.missing) > 0 {
			continue
		}
		if err := r.render(ctx, u); err != nil {
			return nil, false, err
		}
	}
	manifests, complete = wants(units)
	return manifests, complete, nil
}

// Sweep removes what is owned and wanted by nothing any more. desired is
// everything that the newest revision wants. again says that something goes
// which is not gone yet.
func (r *Run) Sweep(ctx context.Context, desired []manifest.Manifest) (again bool, err error) {
	owned, err := r.delivery.Ledger.Load(ctx, r.Owner)
	if err != nil {
		return false, err
	}
	wanted := make([]manifest.Key, 0, len(desired))
	for _, m := range desired {
		wanted = append(wanted, m.Key)
	}
	live, err := r.delivery.Dispatcher.Gather(ctx, dispatch.GatherInput{Owned: owned.Without(wanted...).Entries, As: r.As})
	if err != nil {
		return false, err
	}
	sameObject(live, desired)
	p := plan.Sweep(plan.Input{
		Owner: r.Owner, Desired: desired, Owned: owned, Live: live, Rules: r.rules, Complete: true,
		DependsOn: dependencies(r.Blueprint.Draft),
	})
	changes, err := r.execute(ctx, p)
	again = slices.ContainsFunc(p.Keeps, func(k plan.Keep) bool { return k.Waiting }) ||
		slices.ContainsFunc(changes.Changes, func(c dispatch.Change) bool { return c.Pending })
	return again, err
}

// sameObject makes entries count as gone whose object is a wanted one under
// another key: whether a kind lives in namespaces is not always known, and what
// is known changes with the kinds that are installed.
func sameObject(live map[manifest.Key]plan.Live, desired []manifest.Manifest) {
	wanted := make(map[manifest.Key]bool, len(desired))
	for _, m := range desired {
		m.Key.Namespace = ""
		wanted[m.Key] = true
	}
	for key, l := range live {
		if l.Object == nil || l.Object.GetNamespace() != "" {
			continue
		}
		bare := key
		bare.Namespace = ""
		if wanted[bare] {
			live[key] = plan.Live{Known: true}
		}
	}
}

func dependencies(b blueprint.Draft) map[string][]string {
	out := map[string][]string{}
	for _, c := range b.Components {
		if len(c.DependsOn) > 0 {
			out[c.Name] = c.DependsOn
		}
	}
	return out
}
