// Package recovery kills the real controller after each of its writes and
// looks whether the delivery ends the same: nothing lost, nothing done twice.
package recovery

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/apis"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

const (
	patience  = 90 * time.Second
	namespace = "default"
)

// world is the hub and two members with the gate in front of each.
type world struct {
	root    string // of the repository
	dir     string
	gate    gate
	hub     client.Client
	hubFile string // kubeconfig of the hub, not through the gate
	members map[string]client.Client
	through string // kubeconfig of the hub through the gate
	app     *v1beta1.Application
}

// TestKillAfterEachWrite is the proof of invariants 1 and 2 on the real
// program: whatever write was the last before a kill -9, the next start of the
// controller brings the delivery to the same end.
func TestKillAfterEachWrite(t *testing.T) {
	w := newWorld(t)
	w.gate.arm(0, func() {})
	want, writes := w.deliver(t)
	t.Logf("one undisturbed delivery makes %d writes", writes)
	for n := int64(1); n <= writes; n++ {
		t.Run(fmt.Sprintf("after write %d of %d", n, writes), func(t *testing.T) {
			got, _ := w.deliverKilled(t, n)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the delivery ends differently (-undisturbed +killed):\n%s", diff)
			}
		})
	}
}

// deliver runs the whole delivery once and returns what is there at its end
// and how many writes it took.
func (w *world) deliver(t *testing.T) (map[string]any, int64) {
	t.Helper()
	stop := w.controller(t)
	defer func() { stop() }()
	return w.drive(t)
}

// deliverKilled does the same with a kill -9 after the n-th write, and a new
// controller after it.
func (w *world) deliverKilled(t *testing.T, n int64) (map[string]any, int64) {
	t.Helper()
	stop := w.controller(t)
	defer func() { stop() }()
	killed := make(chan struct{})
	w.gate.arm(n, func() { stop(); close(killed) })
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-killed:
			w.gate.killAt.Store(0)
			stop = w.controller(t)
		case <-t.Context().Done():
		}
	}()
	got, writes := w.drive(t)
	select {
	case <-killed:
		<-done
	default:
		t.Errorf("the controller made only %d writes and was never killed", writes)
	}
	return got, writes
}

// drive is the user: create, approve, look, delete.
func (w *world) drive(t *testing.T) (map[string]any, int64) {
	t.Helper()
	ctx := t.Context()
	if err := w.hub.Create(ctx, w.app.DeepCopy()); err != nil {
		t.Fatal(err)
	}
	w.await(t, v1beta1.ApplicationWorkflowSuspending)
	w.vela(t, "workflow", "resume", w.app.Name, "-n", namespace)
	w.await(t, v1beta1.ApplicationRunning)
	writes := w.gate.written.Load()
	got := w.snapshot(t)
	if err := w.hub.Delete(ctx, w.app.DeepCopy()); err != nil {
		t.Fatal(err)
	}
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		err := w.hub.Get(ctx, client.ObjectKeyFromObject(w.app), &v1beta1.Application{})
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	})
	if err != nil {
		t.Fatalf("the Application does not go: %v", err)
	}
	for name, c := range w.members {
		if left := owned(t, c); len(left) > 0 {
			t.Errorf("%s still has %v after the Application is gone", name, slices.Sorted(maps.Keys(left)))
		}
	}
	return got, writes
}

// await waits until the Application has the phase.
func (w *world) await(t *testing.T, phase v1beta1.ApplicationPhase) {
	t.Helper()
	app := &v1beta1.Application{}
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		err := w.hub.Get(ctx, client.ObjectKeyFromObject(w.app), app)
		return app.Status.Phase == phase, err
	})
	if err != nil {
		said, _ := yaml.Marshal(app.Status)
		t.Fatalf("the Application is not %s: %v\n%s", phase, err, said)
	}
}

// snapshot is what a delivery leaves: every owned object of every cluster
// without what a server fills in, how often each was written (generation), and
// the books on the hub.
func (w *world) snapshot(t *testing.T) map[string]any {
	t.Helper()
	out := map[string]any{}
	for name, c := range w.members {
		for key, o := range owned(t, c) {
			out[name+" "+key] = o
		}
	}
	revisions, trackers := &v1beta1.ApplicationRevisionList{}, &v1beta1.ResourceTrackerList{}
	for _, list := range []client.ObjectList{revisions, trackers} {
		if err := w.hub.List(t.Context(), list, client.MatchingLabels{oam.LabelAppName: w.app.Name}); err != nil {
			t.Fatal(err)
		}
	}
	var tracked []string
	for _, rt := range trackers.Items {
		for _, r := range rt.Spec.ManagedResources {
			tracked = append(tracked, fmt.Sprint(r.Cluster, " ", r.Kind, " ", r.Namespace, "/", r.Name))
		}
	}
	slices.Sort(tracked)
	out["revisions"], out["trackers"], out["tracked"] = len(revisions.Items), len(trackers.Items), tracked
	return out
}

// owned lists what belongs to any Application in a cluster.
func owned(t *testing.T, c client.Client) map[string]any {
	t.Helper()
	out := map[string]any{}
	for _, gvk := range []schema.GroupVersionKind{
		{Group: "apps", Version: "v1", Kind: "Deployment"}, {Version: "v1", Kind: "Service"},
		{Group: "networking.k8s.io", Version: "v1", Kind: "Ingress"}, {Version: "v1", Kind: "ConfigMap"},
	} {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(gvk)
		if err := c.List(t.Context(), list, client.HasLabels{oam.LabelAppName}); err != nil {
			t.Fatal(err)
		}
		for _, o := range list.Items {
			spec, _, _ := unstructured.NestedMap(o.Object, "spec")
			for _, assigned := range []string{"clusterIP", "clusterIPs"} {
				delete(spec, assigned)
			}
			out[gvk.Kind+" "+o.GetNamespace()+"/"+o.GetName()] = map[string]any{
				"labels": o.GetLabels(), "generation": o.GetGeneration(), "spec": spec,
			}
		}
	}
	return out
}

// install lets the controller install vela and look after the definitions that
// it brings, and ends it. It talks to the hub directly: what it writes is no
// part of a delivery.
func (w *world) install(t *testing.T) {
	t.Helper()
	stop := w.start(t, "--kubeconfig", w.hubFile, "--install")
	defer stop()
	err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, patience, true, w.settled)
	if err != nil {
		t.Fatalf("vela-core --install did not bring the definitions, or not their revisions: %v", err)
	}
}

// settled says that nothing is left to write about definitions.
func (w *world) settled(ctx context.Context) (bool, error) {
	last := client.ObjectKey{Namespace: oam.SystemNamespace, Name: "suspend"} // among the last to come
	if w.hub.Get(ctx, last, &v1beta1.WorkflowStepDefinition{}) != nil {
		return false, nil
	}
	for _, kind := range []string{
		v1beta1.ComponentDefinitionKind, v1beta1.TraitDefinitionKind, v1beta1.PolicyDefinitionKind, v1beta1.WorkflowStepDefinitionKind,
	} {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(v1beta1.GroupVersion.WithKind(kind))
		if err := w.hub.List(ctx, list); err != nil {
			return false, err
		}
		for _, o := range list.Items {
			if name, _, _ := unstructured.NestedString(o.Object, "status", "latestRevision", "name"); name == "" {
				return false, nil
			}
		}
	}
	return true, nil
}

// controller starts vela-core through the gate. The returned function is kill
// -9, once.
func (w *world) controller(t *testing.T) func() {
	t.Helper()
	return w.start(t, "--kubeconfig", w.through)
}

func (w *world) start(t *testing.T, args ...string) func() {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(w.dir, "vela-core.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	args = append(args, "--metrics-bind-address", "0", "--health-probe-bind-address", "0")
	cmd := exec.Command(filepath.Join(w.root, "bin", "vela-core"), args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("start vela-core: %v (run make build)", err)
	}
	dead := make(chan struct{})
	go func() { _ = cmd.Wait(); _ = log.Close(); close(dead) }()
	kill := func() { _ = cmd.Process.Kill(); <-dead }
	t.Cleanup(kill)
	return kill
}

func (w *world) vela(t *testing.T, args ...string) {
	t.Helper()
	w.run(t, "vela", append(args, "--kubeconfig", w.hubFile)...)
}

func (w *world) run(t *testing.T, binary string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(w.root, "bin", binary), args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", binary, args, err, out)
	}
	return out
}

// newWorld starts the clusters, installs vela and joins the members through
// the gate.
func newWorld(t *testing.T) *world {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{root: root, dir: t.TempDir(), members: map[string]client.Client{}, app: firstApp(t, root)}
	data := filepath.Join(w.dir, "data")
	t.Cleanup(func() { // the context of the test has ended by now
		_ = exec.Command(filepath.Join(root, "bin", "vela-local"), "stop", "--data-dir", data).Run()
	})
	w.run(t, "vela-local", "start", "--data-dir", data, "--members", "staging,production", "--nodes", "simulated", "--control-plane=false")
	var state struct {
		Clusters []struct{ Name, Kubeconfig string }
	}
	if err := json.Unmarshal(w.run(t, "vela-local", "status", "--data-dir", data, "-o", "json"), &state); err != nil {
		t.Fatal(err)
	}
	for _, c := range state.Clusters {
		cfg, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig)
		if err != nil {
			t.Fatal(err)
		}
		if c.Name == "hub" {
			w.hubFile, w.hub = c.Kubeconfig, newClient(t, cfg)
			w.install(t)
			w.through = w.kubeconfig(t, w.gate.open(t, cfg))
			continue
		}
		w.members[c.Name] = newClient(t, cfg)
		w.join(t, c.Name, w.gate.open(t, cfg))
	}
	return w
}

// firstApp reads the example that make run delivers.
func firstApp(t *testing.T, root string) *v1beta1.Application {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "examples", "first-app", "app.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	app := &v1beta1.Application{}
	if err := yaml.UnmarshalStrict(data, app); err != nil {
		t.Fatal(err)
	}
	return app
}

func newClient(t *testing.T, cfg *rest.Config) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, apis.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	cfg.QPS = -1
	c, err := client.New(cfg, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// kubeconfig writes a kubeconfig for a door.
func (w *world) kubeconfig(t *testing.T, d door) string {
	t.Helper()
	path := filepath.Join(w.dir, "through-the-gate.kubeconfig")
	cfg := clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"hub": {Server: d.URL, CertificateAuthorityData: d.CA}},
		Contexts:       map[string]*clientcmdapi.Context{"hub": {Cluster: "hub"}},
		CurrentContext: "hub",
	}
	if err := clientcmd.WriteToFile(cfg, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// join makes a member known by its credential Secret, through the gate.
func (w *world) join(t *testing.T, name string, d door) {
	t.Helper()
	ctx := t.Context()
	err := w.hub.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: oam.SystemNamespace, Labels: map[string]string{
			oam.LabelClusterCredentialType: "ServiceAccountToken",
		}},
		StringData: map[string]string{"endpoint": d.URL, "ca.crt": string(d.CA), "token": "added-by-the-gate"},
	})
	if err != nil {
		t.Fatal(err)
	}
}
