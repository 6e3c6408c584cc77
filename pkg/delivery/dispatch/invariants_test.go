package dispatch_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"

	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/identity"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// Invariant 1, record before effect: whenever an object is written, the stored
// tracker has it already, and a control plane that is killed after any write
// leaves nothing that it does not own.
func TestInvariant1RecordBeforeEffect(t *testing.T) {
	t.Parallel()
	for killAfter := range 9 {
		t.Run(fmt.Sprintf("killed after write %d", killAfter), func(t *testing.T) {
			t.Parallel()
			f := start(t, env.Namespace(t))
			first := []manifest.Manifest{f.configMap("a", "1"), f.configMap("b", "1"), f.configMap("c", "1")}
			second := []manifest.Manifest{f.configMap("b", "2"), f.configMap("d", "1")}
			writes := 0
			f.wire.on(func(verb, name string) error {
				if !isWrite(verb) {
					return nil
				}
				if verb == "apply" && !slices.Contains(owned(t, f.owner), name) {
					t.Errorf("%s is written and not recorded", name)
				}
				if writes++; writes > killAfter {
					return errKilled
				}
				return nil
			})
			for _, desired := range [][]manifest.Manifest{first, second} {
				if _, err := f.deliver(desired...); err != nil {
					break
				}
				if _, err := f.sweep(false, desired...); err != nil {
					break
				}
			}
			for _, object := range live(t, f.ns) {
				name, _, _ := strings.Cut(object, "=")
				if !slices.Contains(owned(t, f.owner), name) {
					t.Errorf("%s exists and is not owned after the kill", name)
				}
			}
			again := start(t, f.ns)
			again.must(again.deliver(second...))
			again.must(again.sweep(false, second...))
			if diff := cmp.Diff([]string{"b=2", "d=1"}, live(t, f.ns)); diff != "" {
				t.Errorf("after the restart there is (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"b", "d"}, owned(t, f.owner)); diff != "" {
				t.Errorf("after the restart it owns (-want +got):\n%s", diff)
			}
		})
	}
}

// Invariant 2, survivors stay owned: a failed delete never leaves the inventory.
func TestInvariant2SurvivorsStayOwned(t *testing.T) {
	t.Parallel()
	f := start(t, env.Namespace(t))
	keep, drop := f.configMap("keep", "1"), f.configMap("drop", "1")
	held := f.manifest("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: held, namespace: %s, finalizers: [example.com/wait]}", f.ns)
	f.must(f.deliver(keep, drop, held))
	f.wire.on(func(verb, name string) error {
		if verb == "delete" && name == "keep" {
			return errDenied
		}
		return nil
	})
	changes, err := f.sweep(false)
	if err == nil {
		t.Fatal("the failed delete is no error")
	}
	outcome := map[string]string{}
	for _, c := range changes.Changes {
		outcome[c.Key.Name] = fmt.Sprintf("pending %v, failed %v", c.Pending, c.Err != nil)
	}
	want := map[string]string{
		"keep": "pending true, failed true", "held": "pending true, failed false", "drop": "pending false, failed false",
	}
	if diff := cmp.Diff(want, outcome); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"held", "keep"}, owned(t, f.owner)); diff != "" {
		t.Errorf("inventory after a partial delete (-want +got):\n%s", diff)
	}
	f.wire.on(nil)
	f.must(f.sweep(true))
	if diff := cmp.Diff([]string{"held"}, owned(t, f.owner)); diff != "" {
		t.Errorf("while a finalizer holds an object (-want +got):\n%s", diff)
	}
	cm := get(t, f.ns, "held")
	cm.Finalizers = nil
	if err := env.Client(t).Update(t.Context(), cm); err != nil {
		t.Fatal(err)
	}
	f.settled(held, "")
	f.must(f.sweep(true))
	if diff := cmp.Diff([]string{}, owned(t, f.owner)); diff != "" {
		t.Errorf("at the end (-want +got):\n%s", diff)
	}
}

// Invariant 3, never delete what is wanted, on a server: random A→B→A with kills
// and restarts. The same with a thousand sequences in memory is in plan.
func TestInvariant3NeverDeleteWhatIsWanted(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprintf("sequence %d", seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 7))
			f := start(t, env.Namespace(t))
			specs := make([][]manifest.Manifest, 3)
			for v := range specs {
				for n := range 5 {
					if rng.IntN(2) == 0 {
						specs[v] = append(specs[v], f.configMap(fmt.Sprint("cm-", n), fmt.Sprint(rng.IntN(2))))
					}
				}
			}
			current := specs[0]
			for range 15 {
				current = specs[rng.IntN(len(specs))]
				kill := -1
				if rng.IntN(3) == 0 {
					kill = rng.IntN(8)
				}
				f.wire.on(func(verb, name string) error {
					if verb == "delete" && slices.ContainsFunc(current, func(m manifest.Manifest) bool { return m.Key.Name == name }) {
						t.Errorf("%s is deleted although it is wanted", name)
					}
					if isWrite(verb) && kill >= 0 {
						if kill--; kill < 0 {
							kill = 0
							return errKilled
						}
					}
					return nil
				})
				_, err := f.deliver(current...)
				if err == nil {
					_, err = f.sweep(false, current...)
				}
				if err != nil {
					f = start(t, f.ns)
				}
			}
			last := start(t, f.ns)
			last.must(last.deliver(current...))
			last.must(last.sweep(false, current...))
			want, names := []string{}, []string{}
			for _, m := range current {
				data, _ := m.Object.Object["data"].(map[string]any)
				want, names = append(want, fmt.Sprint(m.Key.Name, "=", data["k"])), append(names, m.Key.Name)
			}
			if diff := cmp.Diff(want, live(t, f.ns), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("in the end there is (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(names, owned(t, f.owner), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("in the end it owns (-want +got):\n%s", diff)
			}
		})
	}
}

// A delete that was planned before the object was replaced touches nothing.
func TestAStaleDeleteHitsNoOtherObject(t *testing.T) {
	t.Parallel()
	f := start(t, env.Namespace(t))
	m := f.configMap("a", "1")
	f.must(f.deliver(m))
	replaced := false
	f.wire.on(func(verb, _ string) error {
		if verb == "delete" && !replaced {
			replaced = true
			k8s := env.Client(t)
			if err := k8s.Delete(t.Context(), get(t, f.ns, "a")); err != nil {
				t.Error(err)
			}
			cm := &corev1.ConfigMap{}
			cm.Namespace, cm.Name, cm.Data = f.ns, "a", map[string]string{"k": "of somebody else"}
			if err := k8s.Create(t.Context(), cm); err != nil {
				t.Error(err)
			}
		}
		return nil
	})
	if _, err := f.sweep(false); err == nil {
		t.Errorf("the conflict is no error")
	}
	if got := get(t, f.ns, "a").Data["k"]; got != "of somebody else" {
		t.Errorf("the new object has %q", got)
	}
	f.settled(m, "")
	f.must(f.sweep(false))
	if diff := cmp.Diff([]string{}, owned(t, f.owner)); diff != "" {
		t.Errorf("what is not ours any more is forgotten (-want +got):\n%s", diff)
	}
	get(t, f.ns, "a")
}

// Invariant 8, nothing changed, nothing written: at rest there is no request at
// all, and a change of one object is one.
func TestInvariant8NothingChangedNothingWritten(t *testing.T) {
	t.Parallel()
	f := start(t, env.Namespace(t))
	desired := []manifest.Manifest{
		f.configMap("a", "1"), f.configMap("b", "1"),
		f.manifest(`apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: %s}
spec:
  selector: {matchLabels: {app: web}}
  paused: false
  template:
    metadata: {labels: {app: web}, annotations: {}}
    spec:
      containers:
      - {name: web, image: nginx, env: [{name: EMPTY, value: ""}], resources: {limits: {cpu: 1000m}}}`, f.ns),
	}
	f.must(f.deliver(desired...))
	first := f.wire.take()
	want := []string{
		"apply a", "apply b", "apply web", "dryrun a", "dryrun b", "dryrun web", "get resourcetrackers", "post resourcetrackers",
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("requests of the first delivery (-want +got):\n%s", diff)
	}
	for range 3 {
		f.must(f.deliver(desired...))
		f.must(f.sweep(false, desired...))
	}
	if diff := cmp.Diff([]string(nil), f.wire.take()); diff != "" {
		t.Errorf("requests at rest (-want +got):\n%s", diff)
	}
	desired[1] = f.configMap("b", "2")
	f.must(f.deliver(desired...))
	if diff := cmp.Diff([]string{"apply b"}, f.wire.take()); diff != "" {
		t.Errorf("requests for a change (-want +got):\n%s", diff)
	}
	again := start(t, f.ns)
	again.must(again.deliver(desired...))
	if diff := cmp.Diff([]string{"get resourcetrackers"}, again.wire.take()); diff != "" {
		t.Errorf("requests after a restart (-want +got):\n%s", diff)
	}
}

// Invariant 9, what executes is what was planned: the writes are the entries of
// the plan, and a plan with a refusal writes nothing.
func TestInvariant9WhatExecutesIsWhatWasPlanned(t *testing.T) {
	t.Parallel()
	f := start(t, env.Namespace(t))
	old, same, changed := f.configMap("old", "1"), f.configMap("same", "1"), f.configMap("changed", "1")
	f.must(f.deliver(old, same, changed))
	desired := []manifest.Manifest{same, f.configMap("changed", "2"), f.configMap("new", "1")}
	p, err := f.plan(desired...)
	if err != nil {
		t.Fatal(err)
	}
	f.wire.take()
	changes, err := f.dispatcher.Execute(t.Context(), p, f.owner, identity.Identity{})
	if err != nil {
		t.Fatal(err)
	}
	var planned, did, sent []string
	for _, a := range p.Applies {
		if a.Writes() {
			planned = append(planned, string(a.Action)+" "+a.Manifest.Key.Name)
		}
	}
	for _, c := range changes.Changes {
		did = append(did, string(c.Action)+" "+c.Key.Name)
	}
	for _, request := range f.wire.take() {
		if verb, name, _ := strings.Cut(request, " "); isWrite(verb) && !strings.HasPrefix(name, "store-") {
			sent = append(sent, name)
		}
	}
	if diff := cmp.Diff([]string{"update changed", "create new"}, planned); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(planned, did); diff != "" {
		t.Errorf("ChangeSet, in order of the plan (-planned +did):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"changed", "new"}, sent); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"changed=2", "new=1", "old=1", "same=1"}, live(t, f.ns)); diff != "" {
		t.Errorf("a delivery deletes nothing (-want +got):\n%s", diff)
	}
}
