package controller_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// Invariant 3, on the real controller: while the specification changes back
// and forth faster than it can be delivered, nothing that every version wants
// is ever deleted, and the end is what the newest one wants.
func TestInvariant3NeverDeleteWhatIsWanted(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	const edits = 100
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	names := []string{"a", "b", "c", "d"}
	version := func(n int) *v1beta1.Application {
		b := build.App(ns+"/back-and-forth").Component("always", "k8s-objects", configMap("always", "1"))
		for i, name := range names {
			if n&(1<<i) != 0 {
				b = b.Component(name, "k8s-objects", configMap(name, "1"))
			}
		}
		return b.Object()
	}
	deleted := watchDeletes(t, hub, ns)
	newest := 0b0011
	env.Create(t, version(newest))
	first := env.Client(t)
	var always types.UID
	env.Eventually(t, "the first delivery", func() (bool, error) {
		cm := &corev1.ConfigMap{}
		err := first.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "always"}, cm)
		always = cm.UID
		return err == nil, client.IgnoreNotFound(err)
	})
	for range edits {
		newest = random.IntN(1 << len(names))
		edit(t, hub, version(newest))
		if pause := random.IntN(60); pause > 40 { // let some of them get through
			<-time.After(time.Duration(pause) * time.Millisecond)
		}
	}
	app := version(newest)
	reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	want := []string{"always"}
	for i, name := range names {
		if newest&(1<<i) != 0 {
			want = append(want, name)
		}
	}
	slices.Sort(want)
	env.Eventually(t, fmt.Sprintf("exactly %v", want), func() (bool, error) {
		list := &corev1.ConfigMapList{}
		if err := hub.List(t.Context(), list, client.InNamespace(ns), client.HasLabels{"app.oam.dev/name"}); err != nil {
			return false, err
		}
		var got []string
		for _, cm := range list.Items {
			got = append(got, cm.Name)
		}
		if !cmp.Equal(want, got) {
			return false, fmt.Errorf("there are %v", got)
		}
		return true, nil
	})
	if got := read(t, hub, ns, "always").UID; got != always {
		t.Errorf("the object that every version wants was replaced: %s, was %s", got, always)
	}
	if gone := deleted(); strings.Contains(gone, " always ") {
		t.Errorf("the object that every version wants was deleted:%s", gone)
	}
}

// watchDeletes collects the names of ConfigMaps that are deleted, in order,
// each between spaces.
func watchDeletes(t *testing.T, c client.WithWatch, ns string) func() string {
	t.Helper()
	w, err := c.Watch(t.Context(), &corev1.ConfigMapList{}, client.InNamespace(ns))
	if err != nil {
		t.Fatal(err)
	}
	names := make(chan string, 1)
	go func() {
		gone := " "
		for e := range w.ResultChan() {
			if cm, ok := e.Object.(*corev1.ConfigMap); ok && e.Type == watch.Deleted {
				gone += cm.Name + " "
			}
		}
		names <- gone
	}()
	return func() string { w.Stop(); return <-names }
}

// Invariant 4: inputs are frozen. A changed definition changes no Application
// that did not change itself.
func TestInvariant4FrozenInputs(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	template := func(value string) string {
		return fmt.Sprintf(`output: {apiVersion: "v1", kind: "ConfigMap", metadata: name: context.name, data: {from: %q, given: parameter.word}}
parameter: word: string`, value)
	}
	def := build.ComponentDefinition("frozen", template("old definition"))
	def.Namespace = ns
	env.Create(t, def)
	app := build.App(ns+"/ice").Component("a", "frozen", `{"word":"one"}`).Object()
	env.Create(t, app)
	reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))

	merge(t, hub, def, fmt.Sprintf(`{"spec":{"schematic":{"cue":{"template":%q}}}}`, template("new definition")))
	// Drift makes the controller render and send it again.
	cm := read(t, hub, ns, "a")
	cm.Data["given"] = "drift"
	if err := hub.Update(t.Context(), cm); err != nil {
		t.Fatal(err)
	}
	env.Eventually(t, "the drift to be repaired", func() (bool, error) { return read(t, hub, ns, "a").Data["given"] == "one", nil })
	if got := read(t, hub, ns, "a").Data["from"]; got != "old definition" {
		t.Errorf("the repair used the %s", got)
	}

	// An edit of the Application takes the definition of today.
	got := reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	got.Spec.Components[0].Properties = build.Raw(`{"word":"two"}`)
	edit(t, hub, got)
	env.Eventually(t, "the new definition", func() (bool, error) {
		d := read(t, hub, ns, "a").Data
		return d["from"] == "new definition" && d["given"] == "two", nil
	})
}

// Invariant 7: waiting is not an error, and no worker waits. More Applications
// than there are workers wait for a Deployment that nobody runs; they say so
// without failing, send nothing while they wait, and hold nobody up.
func TestInvariant7WaitingIsNotAnError(t *testing.T) {
	t.Parallel()
	hub, seen := start(t)
	ns := env.Namespace(t)
	const n = 12 // three times the workers
	for i := range n {
		env.Create(t, build.App(fmt.Sprintf("%s/wait-%d", ns, i)).
			Component(fmt.Sprint("web-", i), "webservice", `{"image":"nobody/runs:this"}`).Object())
	}
	for i := range n {
		app := build.App(fmt.Sprintf("%s/wait-%d", ns, i)).Object()
		got := reaches(t, hub, app, "waiting", func(a *v1beta1.Application) bool {
			return a.Status.Workflow != nil && a.Status.Workflow.Steps[0].Phase == v1beta1.StepRunning
		})
		ready := v1beta1.FindCondition(got.Status.Conditions, "Ready")
		if ready.Reason != v1beta1.ReasonCreating || !strings.Contains(ready.Message, fmt.Sprint("web-", i)) {
			t.Errorf("Ready is %s: %q; want that it waits for web-%d", ready.Reason, ready.Message, i)
		}
	}
	before := len(seen.about(ns))
	elsewhere := env.Namespace(t)
	other := build.App(elsewhere+"/other").Component("b", "k8s-objects", configMap("b", "1")).Object()
	env.Create(t, other)
	reaches(t, hub, other, "running", phase(v1beta1.ApplicationRunning))
	if after := seen.about(ns)[before:]; len(after) > 0 {
		t.Errorf("Applications that wait send %v", after)
	}

	// The event that they wait for wakes them.
	key := client.ObjectKey{Namespace: ns, Name: "web-0"}
	env.Eventually(t, "web-0 to be ready", func() (bool, error) {
		return true, setReady(t, hub, key)
	})
	reaches(t, hub, build.App(ns+"/wait-0").Object(), "running", phase(v1beta1.ApplicationRunning))
}
