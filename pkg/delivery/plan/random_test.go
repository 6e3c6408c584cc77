package plan_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
)

// A world is a cluster with an inventory, in memory. Reads may be stale, and a
// crash may come between any two writes.
type world struct {
	t       *testing.T
	rng     *rand.Rand
	objects map[manifest.Key]*unstructured.Unstructured
	stale   map[manifest.Key]*unstructured.Unstructured // an earlier state
	owned   inventory.Inventory
	version int
	newest  map[manifest.Key]bool // what the newest spec wants
	budget  int                   // writes until the crash; below zero: none
}

// crashed is what a write panics with when the process dies.
type crashed struct{}

func (w *world) write() {
	if w.budget == 0 {
		panic(crashed{})
	}
	w.budget--
}

// read returns the live state, sometimes that of a moment ago.
func (w *world) read(keys []manifest.Key) map[manifest.Key]plan.Live {
	out := map[manifest.Key]plan.Live{}
	for _, k := range keys {
		l := plan.Live{Known: true, Object: w.objects[k]}
		if old, ok := w.stale[k]; ok && old != nil && w.rng.IntN(4) == 0 {
			l.Object = old
		}
		out[k] = l
	}
	return out
}

func (w *world) record(p plan.Plan) {
	var entries []inventory.Entry
	for _, a := range p.Applies {
		entries = append(entries, inventory.OfManifest(a.Manifest))
	}
	w.write()
	w.owned = w.owned.Upsert(entries...)
}

func (w *world) execute(p plan.Plan) {
	if len(p.Refusals) > 0 {
		return
	}
	w.record(p)
	for _, a := range p.Applies {
		if !a.Writes() {
			continue
		}
		if live := w.objects[a.Manifest.Key]; a.UID != "" && (live == nil || live.GetUID() != a.UID) {
			return // the server's conflict: plan again
		}
		if _, listed := w.owned.Find(a.Manifest.Key); !listed {
			w.t.Fatalf("%s is written before it is recorded", a.Manifest.Key)
		}
		w.write()
		w.put(a)
	}
	var gone []manifest.Key
	for _, d := range p.Deletes {
		live := w.objects[d.Entry.Key]
		if live != nil && live.GetUID() != d.UID {
			continue // precondition: it survives and stays owned
		}
		if w.newest[d.Entry.Key] {
			w.t.Fatalf("%s is deleted although the newest desired state has it", d.Entry.Key)
		}
		w.write()
		w.stale[d.Entry.Key] = live
		delete(w.objects, d.Entry.Key)
		gone = append(gone, d.Entry.Key)
	}
	for _, f := range p.Forgets {
		gone = append(gone, f.Key)
	}
	w.write()
	w.owned = w.owned.Without(gone...)
}

func (w *world) put(a plan.Apply) {
	key := a.Manifest.Key
	w.stale[key] = w.objects[key]
	obj := a.Manifest.Object.DeepCopy()
	w.version++
	uid := types.UID(fmt.Sprint("uid-", w.version))
	if before := w.objects[key]; before != nil {
		uid = before.GetUID()
	}
	obj.SetUID(uid)
	obj.SetResourceVersion(fmt.Sprint(w.version))
	obj.SetAnnotations(map[string]string{plan.AnnotationAppliedDigest: a.Digest})
	w.objects[key] = obj
}

// reconcile delivers desired and sweeps, and may die on the way.
func (w *world) reconcile(desired []manifest.Manifest, complete bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(crashed); !ok {
				panic(r)
			}
		}
	}()
	in := plan.Input{Owner: me, Desired: desired, Owned: w.owned, Complete: complete}
	var keys []manifest.Key
	for _, m := range desired {
		keys = append(keys, m.Key)
	}
	in.Live = w.read(keys)
	w.execute(plan.Compute(in))
	in.Owned = w.owned
	in.Live = w.read(w.owned.Keys())
	w.execute(plan.Sweep(in))
}

// Invariant 3, never delete what is wanted: whatever the order of A→B→A, with
// stale reads, reconciles that run with an older spec than the newest only as far
// as their delivery, failed renders and a crash after any write, nothing of the
// newest desired state is deleted, and in the end exactly that exists.
func TestInvariant3NeverDeleteWhatIsWanted(t *testing.T) {
	const sequences, variants = 1000, 4
	for seed := range uint64(sequences) {
		rng := rand.New(rand.NewPCG(seed, 42))
		specs := make([][]manifest.Manifest, variants)
		for v := range specs {
			for n := range 6 {
				if rng.IntN(2) == 0 {
					specs[v] = append(specs[v], wanted(t, configMap(fmt.Sprint("cm-", n), fmt.Sprint(rng.IntN(2)))))
				}
			}
		}
		w := &world{
			t: t, rng: rng, objects: map[manifest.Key]*unstructured.Unstructured{},
			stale: map[manifest.Key]*unstructured.Unstructured{},
		}
		current := 0
		for range 12 {
			if rng.IntN(2) == 0 {
				current = rng.IntN(variants)
			}
			w.newest = map[manifest.Key]bool{}
			for _, m := range specs[current] {
				w.newest[m.Key] = true
			}
			w.budget = -1
			if rng.IntN(3) == 0 {
				w.budget = rng.IntN(10)
			}
			if rng.IntN(8) == 0 { // did not render, or waits in a step
				w.reconcile(nil, false)
				continue
			}
			w.reconcile(specs[current], true)
		}
		w.budget, w.stale = -1, map[manifest.Key]*unstructured.Unstructured{}
		w.reconcile(specs[current], true)
		w.converged(seed, specs[current])
		if t.Failed() {
			return
		}
	}
}

func (w *world) converged(seed uint64, desired []manifest.Manifest) {
	w.t.Helper()
	if len(w.objects) != len(desired) || w.owned.Len() != len(desired) {
		w.t.Errorf("sequence %d: %d objects and %d owned, want %d", seed, len(w.objects), w.owned.Len(), len(desired))
	}
	for _, m := range desired {
		live := w.objects[m.Key]
		if live == nil {
			w.t.Errorf("sequence %d: %s does not exist", seed, m.Key)
			continue
		}
		got, _, _ := unstructured.NestedString(live.Object, "data", "k")
		want, _, _ := unstructured.NestedString(m.Object.Object, "data", "k")
		if got != want {
			w.t.Errorf("sequence %d: %s has %q, want %q", seed, m.Key, got, want)
		}
	}
}
