package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/delivery/dispatch"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
	"github.com/seed-c5f95f19/vela/pkg/identity"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// A fixture is one control plane that delivers one Application. A second one of
// the same namespace is the same after a restart.
type fixture struct {
	t          *testing.T
	ns         string
	owner      inventory.Owner
	wire       *wire
	registry   *cluster.Registry
	tracker    *inventory.Tracker
	dispatcher *dispatch.Dispatcher
	rules      plan.Rules
}

// start returns a control plane that is running.
func start(t *testing.T, ns string) *fixture {
	t.Helper()
	f := &fixture{t: t, ns: ns, owner: inventory.Owner{Namespace: ns, Name: "store", UID: "uid"}, wire: &wire{}}
	cfg := env.Config(t)
	cfg.Wrap(f.wire.wrap)
	r, err := cluster.NewRegistry(cluster.Options{Hub: cfg, Namespace: ns})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		r.Wait()
	})
	if err := r.Start(ctx); err != nil {
		t.Fatal(err)
	}
	tracked := env.Config(t)
	tracked.Wrap(f.wire.wrap)
	k8s, err := client.New(tracked, client.Options{Scheme: env.Scheme(t)})
	if err != nil {
		t.Fatal(err)
	}
	f.registry, f.tracker = r, inventory.NewTracker(k8s)
	f.dispatcher = dispatch.New(r, f.tracker)
	return f
}

// manifest returns one of component web from YAML, with our labels.
func (f *fixture) manifest(text string, args ...any) manifest.Manifest {
	f.t.Helper()
	obj := map[string]any{}
	if err := yaml.Unmarshal(fmt.Appendf(nil, text, args...), &obj); err != nil {
		f.t.Fatalf("%v in:\n%s", err, text)
	}
	u := &unstructured.Unstructured{Object: obj}
	labels := map[string]string{"app.oam.dev/name": f.owner.Name, "app.oam.dev/namespace": f.owner.Namespace}
	for key, value := range u.GetLabels() {
		labels[key] = value
	}
	u.SetLabels(labels)
	m := manifest.New(manifest.Local, u)
	m.Component, m.ComponentType = "web", "webservice"
	return m
}

func (f *fixture) configMap(name, value string) manifest.Manifest {
	return f.manifest("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: %s}\ndata: {k: %q}", name, f.ns, value)
}

// plan computes the delivery of desired.
func (f *fixture) plan(desired ...manifest.Manifest) (plan.Plan, error) {
	owned, err := f.tracker.Load(f.t.Context(), f.owner)
	if err != nil {
		return plan.Plan{}, err
	}
	live, err := f.dispatcher.Gather(f.t.Context(), dispatch.GatherInput{Desired: desired})
	if err != nil {
		return plan.Plan{}, err
	}
	return plan.Compute(plan.Input{Owner: f.owner, Desired: desired, Owned: owned, Live: live, Rules: f.rules}), nil
}

// deliver plans and executes.
func (f *fixture) deliver(desired ...manifest.Manifest) (dispatch.ChangeSet, error) {
	p, err := f.plan(desired...)
	if err != nil {
		return dispatch.ChangeSet{}, err
	}
	return f.dispatcher.Execute(f.t.Context(), p, f.owner, identity.Identity{})
}

// sweep removes what is owned and not desired; with final, everything.
func (f *fixture) sweep(final bool, desired ...manifest.Manifest) (dispatch.ChangeSet, error) {
	owned, err := f.tracker.Load(f.t.Context(), f.owner)
	if err != nil {
		return dispatch.ChangeSet{}, err
	}
	var keys []manifest.Key
	for _, m := range desired {
		keys = append(keys, m.Key)
	}
	live, err := f.dispatcher.Gather(f.t.Context(), dispatch.GatherInput{Owned: owned.Without(keys...).Entries})
	if err != nil {
		return dispatch.ChangeSet{}, err
	}
	in := plan.Input{Owner: f.owner, Desired: desired, Owned: owned, Live: live, Rules: f.rules, Complete: true}
	p := plan.Sweep(in)
	if final {
		p = plan.Teardown(in)
	}
	return f.dispatcher.Execute(f.t.Context(), p, f.owner, identity.Identity{})
}

// must fails the test on an error.
func (f *fixture) must(_ dispatch.ChangeSet, err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// owned returns the names in the inventory as another process reads it.
func owned(t *testing.T, o inventory.Owner) []string {
	t.Helper()
	inv, err := inventory.NewTracker(env.Client(t)).Load(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, e := range inv.Entries {
		names = append(names, e.Key.Name)
	}
	slices.Sort(names)
	return names
}

// live returns name=value of the ConfigMaps in the namespace that are ours.
func live(t *testing.T, ns string) []string {
	t.Helper()
	var list corev1.ConfigMapList
	if err := env.Client(t).List(t.Context(), &list, client.InNamespace(ns), client.HasLabels{"app.oam.dev/name"}); err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, cm := range list.Items {
		names = append(names, cm.Name+"="+cm.Data["k"])
	}
	slices.Sort(names)
	return names
}

func get(t *testing.T, ns, name string) *corev1.ConfigMap {
	t.Helper()
	var cm corev1.ConfigMap
	if err := env.Client(t).Get(t.Context(), types.NamespacedName{Namespace: ns, Name: name}, &cm); err != nil {
		t.Fatal(err)
	}
	return &cm
}

// settled waits until the cache has seen what others did to an object.
func (f *fixture) settled(m manifest.Manifest, resourceVersion string) {
	f.t.Helper()
	key := types.NamespacedName{Namespace: m.Key.Namespace, Name: m.Key.Name}
	env.Eventually(f.t, "the cache has seen "+m.Key.Name, func() (bool, error) {
		obj, known := f.registry.Hub().Live(m.Object.GroupVersionKind(), key)
		if resourceVersion == "" {
			return known && obj == nil, nil
		}
		return known && obj != nil && obj.GetResourceVersion() == resourceVersion, nil
	})
}

// A wire sees every request of a control plane and can refuse it.
type wire struct {
	mu     sync.Mutex
	log    []string // method and path of requests, without watches and discovery
	refuse func(verb, name string) error

	judging sync.Mutex
}

func (w *wire) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		verb, name := verbOf(req), req.URL.Path[strings.LastIndex(req.URL.Path, "/")+1:]
		w.mu.Lock()
		refuse := w.refuse
		if verb != "" {
			w.log = append(w.log, verb+" "+name)
		}
		w.mu.Unlock()
		if refuse != nil && verb != "" {
			w.judging.Lock() // tests count without locks
			err := refuse(verb, name)
			w.judging.Unlock()
			if errors.Is(err, errDenied) {
				return denied(req), nil
			}
			if err != nil {
				return nil, err
			}
		}
		return next.RoundTrip(req)
	})
}

func verbOf(req *http.Request) string {
	query := req.URL.Query()
	switch {
	case query.Get("watch") != "" || strings.Count(req.URL.Path, "/") < 4 || query.Get("limit") == "500" && req.Method == http.MethodGet:
		return ""
	case query.Get("dryRun") != "":
		return "dryrun"
	case strings.Contains(req.Header.Get("Content-Type"), "apply-patch"):
		return "apply"
	}
	return strings.ToLower(req.Method)
}

// take returns the requests since it was last asked, in order of name.
func (w *wire) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.log
	w.log = nil
	slices.Sort(out)
	return out
}

func (w *wire) on(refuse func(verb, name string) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refuse = refuse
}

func isWrite(verb string) bool {
	return verb != "" && verb != "get" && verb != "dryrun"
}

var (
	errKilled = errors.New("killed") // the connection is lost
	errDenied = errors.New("denied") // the server says no, as admission does
)

func denied(req *http.Request) *http.Response {
	body := `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"denied by the test","reason":"Forbidden","code":403}`
	return &http.Response{
		StatusCode: http.StatusForbidden, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)),
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
