package inspect_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/query"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inspect"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/oam"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// A ledger is an inventory.
type ledger inventory.Inventory

func (l ledger) Load(context.Context, inventory.Owner) (inventory.Inventory, error) {
	return inventory.Inventory(l), nil
}

var (
	deployments = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	services    = schema.GroupVersionKind{Version: "v1", Kind: "Service"}
	pods        = schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
)

func entry(ns, name string, gvk schema.GroupVersionKind) inventory.Entry {
	return inventory.Entry{
		Key:     manifest.Key{Cluster: cluster.Local, Group: gvk.Group, Kind: gvk.Kind, Namespace: ns, Name: name},
		Version: gvk.Version, Component: "web",
	}
}

// newWorld asks the shared test server about an Application that owns entries.
func newWorld(t *testing.T, entries ...inventory.Entry) inspect.World {
	t.Helper()
	registry, err := cluster.NewRegistry(cluster.Options{Hub: env.Config(t)})
	if err != nil {
		t.Fatal(err)
	}
	return inspect.World{
		Clusters: registry, Ledger: ledger(inventory.Of(entries...)),
		Application: func(_ context.Context, namespace, name string) (*v1beta1.Application, error) {
			if name != "shop" {
				return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "applications"}, name)
			}
			app := &v1beta1.Application{ObjectMeta: metav1.ObjectMeta{
				Namespace: namespace, Name: name, Annotations: map[string]string{oam.AnnotationPublishVersion: "p1"},
			}}
			app.Status.LatestRevision = &v1beta1.Revision{Name: "shop-v2"}
			return app, nil
		},
	}
}

func owned(t *testing.T, w inspect.World, ns string) []query.Resource {
	t.Helper()
	out, err := w.Owned(t.Context(), types.NamespacedName{Namespace: ns, Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestOwned(t *testing.T) {
	t.Parallel()
	gone := entry("a", "gone", services)
	gone.Deleted = true
	w := newWorld(t, entry("a", "web", deployments), gone)
	want := []query.Resource{{
		Cluster: "local", GVK: deployments, Namespace: "a", Name: "web", Component: "web", Revision: "shop-v2", PublishVersion: "p1",
	}}
	if diff := cmp.Diff(want, owned(t, w, "a")); diff != "" {
		t.Errorf("Owned() mismatch (-want +got):\n%s", diff)
	}
	if _, err := w.Owned(t.Context(), types.NamespacedName{Name: "other"}); !apierrors.IsNotFound(err) {
		t.Errorf("Owned() of an Application that is gone: error %v, want NotFound", err)
	}
}

func TestTreesHoldWhatControllersMade(t *testing.T) {
	t.Parallel()
	ns := env.Namespace(t)
	labels := map[string]string{"app": "web"}
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "nginx"}}},
	}
	set := &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "web"},
		Spec:       appsv1.StatefulSetSpec{Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: template},
	}
	env.Create(t, set)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "web-0", Labels: labels}, Spec: template.Spec}
	pod.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "StatefulSet", Name: "web", UID: set.UID}}
	env.Create(t, pod)

	sets := appsv1.SchemeGroupVersion.WithKind("StatefulSet")
	w := newWorld(t, entry(ns, "absent", services), entry(ns, "web", sets))
	trees, err := w.Trees(t.Context(), owned(t, w, ns))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range trees {
		got = append(got, describe(n))
	}
	if diff := cmp.Diff([]string{"nothing", "StatefulSet/web Progressing [Pod/web-0 Progressing []]"}, got); diff != "" {
		t.Errorf("Trees() mismatch (-want +got):\n%s", diff)
	}
}

func describe(n query.Node) string {
	if n.Object == nil {
		return "nothing"
	}
	var below []string
	for _, c := range n.Children {
		below = append(below, describe(c))
	}
	return n.Object.GetKind() + "/" + n.Object.GetName() + " " + string(n.Health) + " [" + strings.Join(below, ", ") + "]"
}

// A port of a node is reachable from outside; a Service that is not there has
// no endpoints.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	ns := env.Namespace(t)
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: ns}}
	env.Create(t, node)
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "10.9.8.7"}}
	if err := env.Client(t).Status().Update(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	web := http("web", corev1.ServiceTypeNodePort, ns)
	env.Create(t, http("inner", corev1.ServiceTypeClusterIP, ns), web)

	w := newWorld(t, entry(ns, "inner", services), entry(ns, "absent", services), entry(ns, "web", services), entry(ns, "web", deployments))
	found, err := w.Endpoints(t.Context(), owned(t, w, ns))
	if err != nil {
		t.Fatal(err)
	}
	type end struct {
		Name, Protocol, AppProtocol, Host, PortName string
		Port                                        int64
		Inner                                       bool
	}
	var got []end
	for _, e := range found {
		got = append(got, end{e.Resource.Name, e.Protocol, e.AppProtocol, e.Host, e.PortName, e.Port, e.Inner})
	}
	want := []end{
		{"web", "TCP", "http", "10.9.8.7", "http", int64(web.Spec.Ports[0].NodePort), false},
		{"inner", "TCP", "http", "inner." + ns, "http", 80, true},
		{"web", "TCP", "http", "web." + ns, "http", 80, true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Endpoints() mismatch (-want +got):\n%s", diff)
	}
}

func http(name string, kind corev1.ServiceType, ns string) *corev1.Service {
	protocol := "http"
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name},
		Spec:       corev1.ServiceSpec{Type: kind, Ports: []corev1.ServicePort{{Name: "http", Port: 80, AppProtocol: &protocol}}},
	}
}

// A server says itself why a log cannot be read.
func TestLogOfAPodThatDoesNotRun(t *testing.T) {
	t.Parallel()
	ns := env.Namespace(t)
	env.Create(t, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "web"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "nginx"}}},
	})
	w := newWorld(t)
	lines := int64(3)
	of := query.Container{Cluster: "", Namespace: ns, Pod: "web", Options: query.LogOptions{Container: "sidecar", TailLines: &lines}}
	if _, err := w.Log(t.Context(), of); !apierrors.IsBadRequest(err) || !strings.Contains(err.Error(), "sidecar") {
		t.Errorf("Log() of another container: error %v, want a bad request that names it", err)
	}
	of.Pod = "gone"
	if _, err := w.Log(t.Context(), of); !apierrors.IsNotFound(err) {
		t.Errorf("Log() of another pod: error %v, want NotFound", err)
	}
}

// A kind that is not installed has no objects.
func TestLiveOfAKindThatIsNotInstalled(t *testing.T) {
	t.Parallel()
	ns := env.Namespace(t)
	w := newWorld(t, entry(ns, "x", schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Widget"}), entry(ns, "gone", pods))
	live, err := w.Live(t.Context(), owned(t, w, ns))
	if err != nil || len(live) != 2 || live[0] != nil || live[1] != nil {
		t.Errorf("Live() = %v, %v, want nothing for both", live, err)
	}
}
