package dispatch

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
	"github.com/seed-c5f95f19/vela/pkg/identity"
)

// Clusters gives access to a cluster by name.
type Clusters interface {
	Get(ctx context.Context, name string) (*cluster.Cluster, error)
}

// Ledger remembers what an Application owns. Record must be durable before it
// returns.
type Ledger interface {
	Record(ctx context.Context, owner inventory.Owner, entries []inventory.Entry) error
	Forget(ctx context.Context, owner inventory.Owner, keys []manifest.Key) error
	Drop(ctx context.Context, owner inventory.Owner, gone []manifest.Key) error
}

// Parallel is the default number of requests at the same time to one cluster.
const Parallel = 10

// A Dispatcher gathers and executes. It is safe for concurrent use.
type Dispatcher struct {
	clusters Clusters
	ledger   Ledger // nil for one that only gathers
	parallel int
	memory   memory
}

// New returns a Dispatcher. A command that only plans needs no ledger.
func New(clusters Clusters, ledger Ledger) *Dispatcher {
	return &Dispatcher{clusters: clusters, ledger: ledger, parallel: Parallel}
}

// Execute carries out p on behalf of an identity. It records intent first: an
// object that we fail to create is cheap to forget, one that we forget to record
// leaks. Deletes wait until everything was applied, and only what is gone is
// forgotten; the rest is tried again on the next run.
func (d *Dispatcher) Execute(ctx context.Context, p plan.Plan, owner inventory.Owner, as identity.Identity) (ChangeSet, error) {
	if err := Refused(p); err != nil {
		return ChangeSet{}, err
	}
	if err := d.preflight(ctx, p, as); err != nil {
		return ChangeSet{}, err
	}
	if err := d.Record(ctx, p, owner); err != nil {
		return ChangeSet{}, err
	}
	applied, err := d.applyAll(ctx, p.Applies, as)
	if err != nil {
		return ChangeSet{Changes: applied}, err // a half-applied plan must not also remove
	}
	deleted, gone, err := d.deleteAll(ctx, p.Deletes, as)
	changes := ChangeSet{Changes: append(applied, deleted...)}
	for _, f := range p.Forgets {
		gone = append(gone, f.Key)
	}
	return changes, errors.Join(err, d.settle(ctx, p, owner, gone))
}

// Record makes everything that p applies owned, as Execute does first. Whoever
// executes a plan in parts records the whole at once and saves the writes.
func (d *Dispatcher) Record(ctx context.Context, p plan.Plan, owner inventory.Owner) error {
	entries := recorded(p)
	if len(entries) == 0 {
		return nil
	}
	if err := d.ledger.Record(ctx, owner, entries); err != nil {
		return fmt.Errorf("record %d objects: %w", len(entries), err)
	}
	return nil
}

// settle makes the inventory forget what is gone, and ends it with the last
// object of an Application that goes.
func (d *Dispatcher) settle(ctx context.Context, p plan.Plan, owner inventory.Owner, gone []manifest.Key) error {
	d.memory.forget(gone)
	if p.Final && finished(p, gone) {
		if err := d.ledger.Drop(ctx, owner, gone); err != nil {
			return fmt.Errorf("drop inventory: %w", err)
		}
		return nil
	}
	if err := d.ledger.Forget(ctx, owner, gone); err != nil {
		return fmt.Errorf("forget %d objects: %w", len(gone), err)
	}
	return nil
}

// finished reports whether nothing of a final plan is left to do.
func finished(p plan.Plan, gone []manifest.Key) bool {
	for _, k := range p.Keeps {
		if k.Waiting {
			return false
		}
	}
	return len(gone) == len(p.Deletes)+len(p.Forgets)
}

// recorded are the entries of everything that p makes or finds as wanted.
func recorded(p plan.Plan) []inventory.Entry {
	entries := make([]inventory.Entry, 0, len(p.Applies))
	for _, a := range p.Applies {
		e := inventory.OfManifest(a.Manifest)
		if e.Digest != "" {
			e.Digest = a.Digest
		}
		e.UID = a.UID
		entries = append(entries, e)
	}
	return entries
}

// applyAll sends wave after wave. It returns what was tried, in order of the
// plan, and stops after a wave that failed.
func (d *Dispatcher) applyAll(ctx context.Context, applies []plan.Apply, as identity.Identity) ([]Change, error) {
	run := run{Dispatcher: d, as: as, fresh: map[string]bool{}}
	var done []Change
	for len(applies) > 0 {
		n := 1
		for n < len(applies) && applies[n].Wave == applies[0].Wave {
			n++
		}
		changes := d.wave(n, func(i int) (string, bool) {
			return applies[i].Manifest.Key.Cluster, applies[i].Writes()
		}, func(i int) Change { return run.apply(ctx, applies[i]) })
		done = append(done, changes...)
		if err := failures(changes); err != nil {
			return done, err
		}
		run.learn(applies[:n])
		applies = applies[n:]
	}
	return done, nil
}

// wave calls do for each of n entries that wants it, at most parallel at a time
// for one cluster, and returns what they did in order.
func (d *Dispatcher) wave(n int, wants func(int) (string, bool), do func(int) Change) []Change {
	results := make([]*Change, n)
	slots := map[string]chan struct{}{}
	var wg sync.WaitGroup
	for i := range n {
		name, ok := wants(i)
		if !ok {
			continue
		}
		if slots[name] == nil {
			slots[name] = make(chan struct{}, d.parallel)
		}
		slot := slots[name]
		wg.Go(func() {
			slot <- struct{}{}
			defer func() { <-slot }()
			change := do(i)
			results[i] = &change
		})
	}
	wg.Wait()
	var out []Change
	for _, r := range results {
		if r != nil {
			out = append(out, *r)
		}
	}
	return out
}

func failures(changes []Change) error {
	var errs []error
	for _, c := range changes {
		if c.Err != nil {
			errs = append(errs, c.Err)
		}
	}
	return errors.Join(errs...)
}

func nameOf(key manifest.Key) types.NamespacedName {
	return types.NamespacedName{Namespace: key.Namespace, Name: key.Name}
}

// stamped returns what is sent for an entry: the manifest with its digest, and
// with the UID of the object that was judged, which the server checks. It shares
// everything but the metadata with the manifest.
func stamped(a plan.Apply) *unstructured.Unstructured {
	out := make(map[string]any, len(a.Manifest.Object.Object))
	for key, value := range a.Manifest.Object.Object {
		out[key] = value
	}
	from, _ := out["metadata"].(map[string]any)
	meta := make(map[string]any, len(from)+2)
	for key, value := range from {
		meta[key] = value
	}
	old, _ := meta["annotations"].(map[string]any)
	annotations := make(map[string]any, len(old)+1)
	for key, value := range old {
		annotations[key] = value
	}
	annotations[plan.AnnotationAppliedDigest] = a.Digest
	meta["annotations"] = annotations
	if a.UID != "" && a.Action != plan.Recreate {
		meta["uid"] = string(a.UID)
	}
	out["metadata"] = meta
	return &unstructured.Unstructured{Object: out}
}
