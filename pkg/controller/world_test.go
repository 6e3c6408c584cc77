package controller_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/controller"
	"github.com/seed-c5f95f19/vela/pkg/cue/worker"
	"github.com/seed-c5f95f19/vela/pkg/delivery/transform"
	"github.com/seed-c5f95f19/vela/pkg/oam"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// member is the name of the cluster beside the hub.
const member = "staging"

// requests are what the controllers of this package have sent to the hub.
type requests struct {
	mu  sync.Mutex
	all []string
}

func (r *requests) wrap(next http.RoundTripper) http.RoundTripper { return counter{r, next} }

// about returns the requests that name something and are no watch.
func (r *requests) about(name string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, line := range r.all {
		if strings.Contains(line, name) && !strings.Contains(line, "watch=true") {
			out = append(out, line)
		}
	}
	return out
}

type counter struct {
	to   *requests
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (c counter) RoundTrip(req *http.Request) (*http.Response, error) {
	c.to.mu.Lock()
	c.to.all = append(c.to.all, req.Method+" "+req.URL.RequestURI())
	c.to.mu.Unlock()
	return c.next.RoundTrip(req)
}

// world starts the controllers once for all tests of this package.
var world = sync.OnceValues(func() (*requests, error) {
	t := setup
	cfg := env.Config(t)
	seen := &requests{}
	ctrl.SetLogger(logr.Discard())
	cfg.QPS = -1
	cfg.Wrap(seen.wrap)
	scheme, err := controller.Scheme()
	if err != nil {
		return nil, err
	}
	mgr, err := ctrl.NewManager(cfg, ctrl.Options{
		Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0",
		Client: controller.ClientOptions(), Cache: controller.CacheOptions(),
	})
	if err != nil {
		return nil, err
	}
	ctx := context.Background() // ends with the process: the servers do too
	if err := controller.Setup(mgr, controller.Options{
		Concurrency: 4, RevisionLimit: 10, Gates: transform.Gates{Scoped: true, Global: true},
		Sandbox: worker.NewPool(worker.Options{CPU: time.Second / 2}),
	}); err != nil {
		return nil, err
	}
	go func() {
		if err := mgr.Start(ctx); err != nil {
			panic(err)
		}
	}()
	return seen, nil
})

// setup is the test that happened to start the world.
var setup testing.TB

var setupOnce sync.Mutex

// start returns a client of the hub, with a member joined and the controllers
// running.
func start(t *testing.T) (client.WithWatch, *requests) {
	t.Helper()
	setupOnce.Lock()
	defer setupOnce.Unlock()
	if setup == nil {
		setup = t
		join(t)
	}
	seen, err := world()
	if err != nil {
		t.Fatal(err)
	}
	return env.Client(t), seen
}

// join makes the member known to the hub.
func join(t *testing.T) {
	t.Helper()
	cfg := env.Cluster(t, member, env.WithoutCRDs()).Config()
	hub := env.Client(t)
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: oam.SystemNamespace}}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: member, Namespace: ns.Name, Labels: map[string]string{oam.LabelClusterCredentialType: "X509Certificate"}},
		Data: map[string][]byte{
			"endpoint": []byte(cfg.Host), "ca.crt": cfg.CAData, "tls.crt": cfg.CertData, "tls.key": cfg.KeyData,
		},
	}
	for _, o := range []client.Object{ns, secret} {
		if err := hub.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
}

// reaches waits until the Application satisfies want and returns it.
func reaches(t *testing.T, c client.Client, app *v1beta1.Application, what string, want func(*v1beta1.Application) bool) *v1beta1.Application {
	t.Helper()
	got := &v1beta1.Application{}
	env.Eventually(t, what, func() (bool, error) {
		err := c.Get(t.Context(), client.ObjectKeyFromObject(app), got)
		return err == nil && got.Status.ObservedGeneration == got.Generation && want(got), err
	})
	return got
}

func phase(p v1beta1.ApplicationPhase) func(*v1beta1.Application) bool {
	return func(a *v1beta1.Application) bool { return a.Status.Phase == p }
}

// setReady says what a Deployment controller would say of a Deployment that
// runs.
func setReady(t *testing.T, c client.Client, key client.ObjectKey) error {
	t.Helper()
	d := &appsv1.Deployment{}
	if err := c.Get(t.Context(), key, d); err != nil {
		return err
	}
	n := *d.Spec.Replicas
	d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: n, UpdatedReplicas: n, ReadyReplicas: n, AvailableReplicas: n}
	return c.Status().Update(t.Context(), d)
}

// edit writes the specification of app over the one that is stored, whatever
// else was written meanwhile.
func edit(t *testing.T, c client.Client, app *v1beta1.Application) {
	t.Helper()
	data, err := json.Marshal(map[string]any{"spec": app.Spec})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Patch(t.Context(), app, client.RawPatch(types.MergePatchType, data)); err != nil {
		t.Fatal(err)
	}
}
