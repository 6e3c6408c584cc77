package cluster_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/identity"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

var configMaps = schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}

func configMap(ns, name, value string, labels map[string]string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"namespace": ns, "name": name},
		"data":     map[string]any{"k": value},
	}}
	if labels != nil {
		u.SetLabels(labels)
	}
	return u
}

func ofApp(ns, name string) map[string]string {
	return map[string]string{"app.oam.dev/name": name, "app.oam.dev/namespace": ns}
}

// registry returns a registry of the shared server whose members are in a
// namespace of this test.
func registry(t *testing.T, options ...func(*cluster.Options)) (*cluster.Registry, string) {
	t.Helper()
	ns := env.Namespace(t)
	o := cluster.Options{Hub: env.Config(t), Namespace: ns}
	for _, option := range options {
		option(&o)
	}
	r, err := cluster.NewRegistry(o)
	if err != nil {
		t.Fatal(err)
	}
	return r, ns
}

// started runs a registry for the rest of the test and returns what it tells.
func started(t *testing.T, r *cluster.Registry) *events {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		r.Wait()
	})
	e := &events{}
	r.Subscribe(e.add)
	if err := r.Start(ctx); err != nil {
		t.Fatal(err)
	}
	return e
}

// events collects what a registry tells.
type events struct {
	mu   sync.Mutex
	seen []cluster.Event
}

func (e *events) add(event cluster.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen = append(e.seen, event)
}

// take returns what was told about an object since it was last asked.
func (e *events) take(match func(cluster.Event) bool) []cluster.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out, rest []cluster.Event
	for _, event := range e.seen {
		if match(event) {
			out = append(out, event)
			continue
		}
		rest = append(rest, event)
	}
	e.seen = rest
	return out
}

func about(key types.NamespacedName) func(cluster.Event) bool {
	return func(e cluster.Event) bool { return e.Object == key }
}

func TestApplyTellsWhetherTheObjectIsNew(t *testing.T) {
	t.Parallel()
	r, ns := registry(t)
	hub := r.Hub()
	steps := []struct {
		name        string
		value       string
		dryRun      bool
		wantCreated bool
		wantStored  string
	}{
		{"a dry run of a new object writes nothing", "1", true, true, ""},
		{"the first apply creates", "1", false, true, "1"},
		{"the next one changes", "2", false, false, "2"},
		{"a dry run of a change writes nothing", "3", true, false, "2"},
	}
	for _, step := range steps {
		_, created, err := hub.Apply(t.Context(), configMap(ns, "a", step.value, nil), cluster.ApplyOptions{DryRun: step.dryRun})
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		stored := ""
		obj, err := hub.Get(t.Context(), configMaps, types.NamespacedName{Namespace: ns, Name: "a"})
		if err == nil {
			stored, _, _ = unstructured.NestedString(obj.Object, "data", "k")
		}
		if created != step.wantCreated || stored != step.wantStored {
			t.Errorf("%s: created %v and stored %q, want %v and %q", step.name, created, stored, step.wantCreated, step.wantStored)
		}
	}
}

func TestRequestsActAsTheIdentity(t *testing.T) {
	t.Parallel()
	r, ns := registry(t)
	nobody := identity.Identity{User: "ann", Groups: []string{"dev"}}
	_, _, err := r.Hub().Apply(t.Context(), configMap(ns, "a", "1", nil), cluster.ApplyOptions{As: nobody})
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `User "ann"`) {
		t.Errorf("apply as ann: %v, want Forbidden for her", err)
	}
	_, err = r.Hub().Delete(t.Context(), configMaps, types.NamespacedName{Namespace: ns, Name: "a"}, cluster.DeleteOptions{As: nobody})
	if !apierrors.IsForbidden(err) {
		t.Errorf("delete as ann: %v, want Forbidden", err)
	}
	admin := identity.Identity{User: "root", Groups: []string{"system:masters"}}
	if _, _, err := r.Hub().Apply(t.Context(), configMap(ns, "a", "1", nil), cluster.ApplyOptions{As: admin}); err != nil {
		t.Errorf("apply as an administrator: %v", err)
	}
}

// A name from a manifest must not lead to another resource.
func TestNamesAreNoPaths(t *testing.T) {
	t.Parallel()
	r, ns := registry(t)
	for _, name := range []string{"../secrets/x", "a/b", "..", "a%2fb"} {
		_, err := r.Hub().Get(t.Context(), configMaps, types.NamespacedName{Namespace: ns, Name: name})
		if !apierrors.IsBadRequest(err) {
			t.Errorf("Get(%q) error = %v, want BadRequest", name, err)
		}
	}
}

func TestAKindWithoutNamespacesIsFoundAnyway(t *testing.T) {
	t.Parallel()
	r, ns := registry(t)
	started(t, r)
	hub := r.Hub()
	role := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
		"metadata": map[string]any{"namespace": ns, "name": ns},
	}}
	role.SetLabels(ofApp(ns, "store"))
	key := types.NamespacedName{Namespace: ns, Name: ns}
	if err := hub.Watch(t.Context(), role.GroupVersionKind()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := hub.Apply(t.Context(), role, cluster.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	if obj, known := hub.Live(role.GroupVersionKind(), key); !known || obj == nil {
		t.Errorf("Live(...) = %v, known %v, want the role", obj, known)
	}
	if gone, err := hub.Delete(t.Context(), role.GroupVersionKind(), key, cluster.DeleteOptions{}); !gone || err != nil {
		t.Errorf("Delete(...) = %v, %v", gone, err)
	}
}

func TestDeleteChecksTheUID(t *testing.T) {
	t.Parallel()
	r, ns := registry(t)
	hub, key := r.Hub(), types.NamespacedName{Namespace: ns, Name: "a"}
	obj, _, err := hub.Apply(t.Context(), configMap(ns, "a", "1", nil), cluster.ApplyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if gone, err := hub.Delete(t.Context(), configMaps, key, cluster.DeleteOptions{UID: "another"}); gone || !apierrors.IsConflict(err) {
		t.Errorf("delete of another object: gone %v, error %v, want a conflict", gone, err)
	}
	if gone, err := hub.Delete(t.Context(), configMaps, key, cluster.DeleteOptions{UID: obj.GetUID()}); !gone || err != nil {
		t.Errorf("delete: gone %v, error %v", gone, err)
	}
	if gone, err := hub.Delete(t.Context(), configMaps, key, cluster.DeleteOptions{}); !gone || err != nil {
		t.Errorf("delete of what is gone: gone %v, error %v", gone, err)
	}
	held := configMap(ns, "held", "1", nil)
	held.SetFinalizers([]string{"example.com/wait"})
	if _, _, err := hub.Apply(t.Context(), held, cluster.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	if gone, err := hub.Delete(t.Context(), configMaps, types.NamespacedName{Namespace: ns, Name: "held"}, cluster.DeleteOptions{}); gone || err != nil {
		t.Errorf("delete of what a finalizer holds: gone %v, error %v, want neither", gone, err)
	}
}

func TestTheOwnedCacheKnowsWithoutAsking(t *testing.T) {
	t.Parallel()
	var requests counts
	r, ns := registry(t, func(o *cluster.Options) { o.Hub.Wrap(requests.wrap) })
	told := started(t, r)
	hub, key := r.Hub(), types.NamespacedName{Namespace: ns, Name: "a"}
	if _, known := hub.Live(configMaps, key); known {
		t.Errorf("a kind that nobody watches is known")
	}
	if err := hub.Watch(t.Context(), configMaps); err != nil {
		t.Fatal(err)
	}
	if obj, known := hub.Live(configMaps, key); !known || obj != nil {
		t.Errorf("before the first apply: %v, known %v", obj, known)
	}
	sent, _, err := hub.Apply(t.Context(), configMap(ns, "a", "1", ofApp(ns, "store")), cluster.ApplyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	before := requests.total()
	obj, known := hub.Live(configMaps, key)
	if !known || obj == nil || obj.GetUID() != sent.GetUID() || len(obj.GetManagedFields()) > 0 {
		t.Errorf("after an apply the cache has %v, known %v", obj, known)
	}
	if n := requests.total() - before; n != 0 {
		t.Errorf("the cache sent %d requests", n)
	}

	k8s := env.Client(t)
	var cm corev1.ConfigMap
	if err := k8s.Get(t.Context(), key, &cm); err != nil {
		t.Fatal(err)
	}
	cm.Data["k"] = "9"
	if err := k8s.Update(t.Context(), &cm); err != nil {
		t.Fatal(err)
	}
	want := []cluster.Event{{
		Cluster: cluster.Local, App: types.NamespacedName{Namespace: ns, Name: "store"}, Kind: configMaps, Object: key,
	}}
	var got []cluster.Event
	env.Eventually(t, "the change of another is told", func() (bool, error) {
		got = append(got, told.take(about(key))...)
		obj, _ := hub.Live(configMaps, key)
		return len(got) > 0 && obj.GetResourceVersion() == cm.ResourceVersion, nil
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events: our own write is none (-want +got):\n%s", diff)
	}

	if _, err := hub.Delete(t.Context(), configMaps, key, cluster.DeleteOptions{UID: sent.GetUID()}); err != nil {
		t.Fatal(err)
	}
	if obj, known := hub.Live(configMaps, key); !known || obj != nil {
		t.Errorf("after our delete: %v, known %v, want gone at once", obj, known)
	}
	if _, _, err := hub.Apply(t.Context(), configMap(ns, "a", "2", ofApp(ns, "store")), cluster.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	if obj, _ := hub.Live(configMaps, key); obj == nil || obj.GetUID() == sent.GetUID() {
		t.Errorf("after a new create the cache has %v", obj)
	}
}

func TestObjectsThatLoseTheirLabelLeaveTheCache(t *testing.T) {
	t.Parallel()
	r, ns := registry(t)
	started(t, r)
	hub, key := r.Hub(), types.NamespacedName{Namespace: ns, Name: "a"}
	if err := hub.Watch(t.Context(), configMaps); err != nil {
		t.Fatal(err)
	}
	if _, _, err := hub.Apply(t.Context(), configMap(ns, "a", "1", ofApp(ns, "store")), cluster.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	patch := map[string]any{"metadata": map[string]any{"labels": map[string]any{"app.oam.dev/name": nil}}}
	if _, err := hub.MergePatch(t.Context(), configMaps, key, patch, identity.Identity{}); err != nil {
		t.Fatal(err)
	}
	if obj, known := hub.Live(configMaps, key); !known || obj != nil {
		t.Errorf("without its label the cache has %v, known %v", obj, known)
	}
}

func TestKindsAreDiscoveredWhenTheyAppear(t *testing.T) {
	t.Parallel()
	r, ns := registry(t)
	group := ns + ".example.com" // of this run alone
	gvk := schema.GroupVersionKind{Group: group, Version: "v1", Kind: "Late"}
	if _, err := r.Hub().Mapping(t.Context(), gvk); !meta.IsNoMatchError(err) {
		t.Fatalf("Mapping of a kind that is not there: %v, want no match", err)
	}
	if _, err := r.Hub().Served(t.Context(), gvk); !meta.IsNoMatchError(err) {
		t.Fatalf("Served of a kind that is not there: %v, want no match", err)
	}
	crd := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": "lates." + group},
		"spec": map[string]any{
			"group": group, "scope": "Namespaced",
			"names": map[string]any{"plural": "lates", "singular": "late", "kind": "Late", "listKind": "LateList"},
			"versions": []any{map[string]any{
				"name": "v1", "served": true, "storage": true,
				"schema": map[string]any{"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
			}},
		},
	}}
	if _, _, err := r.Hub().Apply(t.Context(), crd, cluster.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	env.Eventually(t, "the kind is known", func() (bool, error) {
		_, err := r.Hub().Mapping(t.Context(), gvk)
		return err == nil, err
	})
	old := gvk
	old.Version = "v1alpha1"
	if got, err := r.Hub().Served(t.Context(), old); err != nil || got != gvk {
		t.Errorf("Served(%v) = %v, %v, want the version that is served", old, got, err)
	}
}

// member returns the second server of these tests.
func member(t *testing.T) *env.Server {
	t.Helper()
	return env.Cluster(t, "member", env.WithoutCRDs())
}

func TestMembersFollowTheirSecrets(t *testing.T) {
	t.Parallel()
	r, ns := registry(t)
	if _, err := r.Get(t.Context(), "prod"); !cluster.IsNotJoined(err) {
		t.Fatalf("Get before the join: %v, want not joined", err)
	}
	told := started(t, r)
	info, err := r.Join(t.Context(), cluster.JoinOptions{
		Name: "prod", Kubeconfig: member(t).Kubeconfig(), Alias: "Production", Labels: map[string]string{"env": "prod"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if info.Alias != "Production" || info.Version.Major == "" || info.Credential != cluster.CredentialCertificate {
		t.Errorf("Join(...) = %+v", info)
	}
	env.Eventually(t, "the join is told", func() (bool, error) {
		return len(told.take(func(e cluster.Event) bool { return e.Cluster == "prod" })) > 0, nil
	})
	first, err := r.Get(t.Context(), "prod")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Version(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.SetLabels(t.Context(), "prod", map[string]string{"env": "", "tier": "gold"}); err != nil {
		t.Fatal(err)
	}
	env.Eventually(t, "the labels are known", func() (bool, error) {
		infos, err := r.List(t.Context())
		return len(infos) == 2 && infos[1].Labels["tier"] == "gold" && infos[1].Labels["env"] == "", err
	})
	if again, _ := r.Get(t.Context(), "prod"); again != first {
		t.Errorf("new labels made a new connection")
	}

	secret := &corev1.Secret{}
	k8s := env.Client(t)
	if err := k8s.Get(t.Context(), types.NamespacedName{Namespace: ns, Name: "prod"}, secret); err != nil {
		t.Fatal(err)
	}
	good := secret.Data["tls.crt"]
	secret.Labels["cluster.core.oam.dev/cluster-credential-type"] = cluster.CredentialToken
	secret.Data["token"] = []byte("expired")
	if err := k8s.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	env.Eventually(t, "the new credential is used and refused", func() (bool, error) {
		c, err := r.Get(t.Context(), "prod")
		if err != nil {
			return false, err
		}
		var away *cluster.AwayError
		_, err = c.Probe(t.Context())
		return errors.As(err, &away) && strings.Contains(away.Reason, "credential is not accepted"), err
	})
	secret.Labels["cluster.core.oam.dev/cluster-credential-type"] = cluster.CredentialCertificate
	secret.Data["tls.crt"] = good
	if err := k8s.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	env.Eventually(t, "the old credential is used again", func() (bool, error) {
		c, err := r.Get(t.Context(), "prod")
		if err != nil {
			return false, err
		}
		_, err = c.Probe(t.Context())
		return err == nil, err
	})
	if _, err := r.Detach(t.Context(), "prod", cluster.DetachOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Get(t.Context(), "prod"); !cluster.IsNotJoined(err) {
		t.Errorf("Get after the detach: %v, want not joined", err)
	}
}

func TestAMemberThatWasKnownBeforeTheStartIsWatched(t *testing.T) {
	t.Parallel()
	r, _ := registry(t)
	if _, err := r.Join(t.Context(), cluster.JoinOptions{Name: "early", Kubeconfig: member(t).Kubeconfig()}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Get(t.Context(), "early"); err != nil {
		t.Fatal(err)
	}
	started(t, r)
	c, err := r.Get(t.Context(), "early")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Watch(t.Context(), configMaps); err != nil {
		t.Fatal(err)
	}
	if _, known := c.Live(configMaps, types.NamespacedName{Namespace: "default", Name: "x"}); !known {
		t.Errorf("the cache of a member that was known before the start does not know")
	}
}

func TestJoinRefuses(t *testing.T) {
	t.Parallel()
	r, ns := registry(t)
	if _, err := r.Join(t.Context(), cluster.JoinOptions{Name: "first", Kubeconfig: member(t).Kubeconfig()}); err != nil {
		t.Fatal(err)
	}
	env.Create(t, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "taken"}})
	cases := map[string]struct {
		options cluster.JoinOptions
		want    string
	}{
		"the name of the hub":     {cluster.JoinOptions{Name: "local"}, `"local" is the name of the hub itself (choose another name)`},
		"a name that is no name":  {cluster.JoinOptions{Name: "arn:aws/x"}, `"arn:aws/x" cannot be the name of a cluster: `},
		"a name that is taken":    {cluster.JoinOptions{Name: "taken"}, `the name "taken" is taken`},
		"the hub itself":          {cluster.JoinOptions{Name: "me", Kubeconfig: env.Kubeconfig(t)}, `this cluster is the hub itself, which is always there as "local"`},
		"a cluster that has":      {cluster.JoinOptions{Name: "second"}, `this cluster has joined already as "first"`},
		"a label that is no name": {cluster.JoinOptions{Name: "x", Labels: map[string]string{"a b": "c"}}, `label "a b": `},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if tc.options.Kubeconfig == "" {
				tc.options.Kubeconfig = member(t).Kubeconfig()
			}
			_, err := r.Join(t.Context(), tc.options)
			if err == nil || !strings.HasPrefix(fault.Message(err), tc.want) {
				t.Errorf("Join(%+v) error = %v, want %s", tc.options, err, tc.want)
			}
		})
	}
}

func TestDetachAndRenameMindWhoUsesTheCluster(t *testing.T) {
	t.Parallel()
	r, ns := registry(t)
	if _, err := r.Join(t.Context(), cluster.JoinOptions{Name: ns, Kubeconfig: member(t).Kubeconfig()}); err != nil {
		t.Fatal(err)
	}
	tracker := &v1beta1.ResourceTracker{
		ObjectMeta: metav1.ObjectMeta{Name: "store-" + ns, Labels: ofApp(ns, "store")},
		Spec: v1beta1.ResourceTrackerSpec{Type: v1beta1.ResourceTrackerRoot, ManagedResources: []v1beta1.ManagedResource{
			{ClusterObjectReference: v1beta1.ClusterObjectReference{Cluster: ns, ObjectReference: corev1.ObjectReference{Name: "away"}}},
			{ClusterObjectReference: v1beta1.ClusterObjectReference{Cluster: "local", ObjectReference: corev1.ObjectReference{Name: "here"}}},
		}},
	}
	tracker.Spec.Compression.Type = "zstd"
	env.Create(t, tracker)

	const use = ": Applications have objects there: "
	_, err := r.Detach(t.Context(), ns, cluster.DetachOptions{})
	if err == nil || !strings.Contains(err.Error(), use+ns+"/store (1 objects)") {
		t.Errorf("Detach(...) error = %v, want the Application named", err)
	}
	if err := r.Rename(t.Context(), ns, ns+"-2"); err == nil || !strings.Contains(err.Error(), use) {
		t.Errorf("Rename(...) error = %v, want the Application named", err)
	}
	if _, err := r.Detach(t.Context(), ns, cluster.DetachOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	if err := env.Client(t).Get(t.Context(), types.NamespacedName{Name: tracker.Name}, tracker); err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, m := range tracker.Spec.ManagedResources {
		left = append(left, m.Name)
	}
	if diff := cmp.Diff([]string{"here"}, left); diff != "" {
		t.Errorf("tracker after the forced detach (-want +got):\n%s", diff)
	}
}

func TestRenameKeepsTheCredential(t *testing.T) {
	t.Parallel()
	r, ns := registry(t)
	if _, err := r.Join(t.Context(), cluster.JoinOptions{Name: "old-" + ns, Kubeconfig: member(t).Kubeconfig()}); err != nil {
		t.Fatal(err)
	}
	if err := r.Rename(t.Context(), "old-"+ns, "new-"+ns); err != nil {
		t.Fatal(err)
	}
	infos, err := r.Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(infos) != 2 || infos[1].Name != "new-"+ns || infos[1].Away || infos[1].Version.Major == "" {
		t.Errorf("Probe(...) = %+v, want the hub and the renamed member, which answers", infos)
	}
}

// A cluster that goes away fails at once and alone, and comes back by itself.
func TestAClusterThatGoesAway(t *testing.T) {
	t.Parallel()
	r, _ := registry(t, func(o *cluster.Options) { o.Timeout = 10 * time.Second })
	wire := newWire(t, member(t).Config().Host)
	if _, err := r.Join(t.Context(), cluster.JoinOptions{Name: "prod", Kubeconfig: through(t, member(t), wire.address())}); err != nil {
		t.Fatal(err)
	}
	told := started(t, r)
	c, err := r.Get(t.Context(), "prod")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Watch(t.Context(), configMaps); err != nil {
		t.Fatal(err)
	}
	key := types.NamespacedName{Namespace: "default", Name: "away-test"}
	if _, known := c.Live(configMaps, key); !known {
		t.Fatalf("the cache does not know")
	}
	wire.cut()
	env.Eventually(t, "the cluster is away", func() (bool, error) { return c.Away() != nil, nil })
	if _, known := c.Live(configMaps, key); known {
		t.Errorf("the cache claims to know a cluster that is away")
	}
	_, err = c.Get(t.Context(), configMaps, key)
	var away *cluster.AwayError
	if !errors.As(err, &away) || away.Since.IsZero() {
		t.Errorf("Get error = %v, want away since a time", err)
	}
	infos, err := r.List(t.Context())
	if err != nil || !infos[1].Away || infos[1].Reason == "" || infos[0].Away {
		t.Errorf("List(...) = %+v, %v: want prod away and the hub there", infos, err)
	}
	if _, err := r.Hub().Version(t.Context()); err != nil {
		t.Errorf("the hub is affected: %v", err)
	}
	told.take(func(cluster.Event) bool { return true })
	wire.mend()
	env.Eventually(t, "the cluster is back", func() (bool, error) {
		_, known := c.Live(configMaps, key)
		return known && c.Away() == nil, nil
	})
	if len(told.take(func(e cluster.Event) bool { return e.Cluster == "prod" && e.App.Name == "" })) == 0 {
		t.Errorf("nobody was told that the cluster is back")
	}
}

// through writes a kubeconfig that reaches a server at another address.
func through(t *testing.T, s *env.Server, address string) string {
	t.Helper()
	kc, err := clientcmd.LoadFromFile(s.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range kc.Clusters {
		c.Server = "https://" + address
		c.CertificateAuthority = absolute(s.Kubeconfig(), c.CertificateAuthority)
	}
	for _, u := range kc.AuthInfos {
		u.ClientCertificate = absolute(s.Kubeconfig(), u.ClientCertificate)
		u.ClientKey = absolute(s.Kubeconfig(), u.ClientKey)
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*kc, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func absolute(base, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(base), path)
}

// A wire forwards connections to a server until it is cut.
type wire struct {
	t        *testing.T
	target   string
	listener net.Listener
	wg       sync.WaitGroup

	mu    sync.Mutex
	off   bool
	conns []net.Conn
}

func newWire(t *testing.T, host string) *wire {
	t.Helper()
	u, err := url.Parse(host)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{t: t, target: u.Host, listener: listener}
	w.wg.Go(w.serve)
	t.Cleanup(func() {
		_ = listener.Close()
		w.cut()
		w.wg.Wait()
	})
	return w
}

func (w *wire) address() string { return w.listener.Addr().String() }

func (w *wire) serve() {
	for {
		in, err := w.listener.Accept()
		if err != nil {
			return
		}
		w.mu.Lock()
		off := w.off
		w.mu.Unlock()
		out, err := net.Dial("tcp", w.target)
		if off || err != nil {
			_ = in.Close()
			continue
		}
		w.mu.Lock()
		w.conns = append(w.conns, in, out)
		w.mu.Unlock()
		for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
			w.wg.Go(func() {
				_, _ = io.Copy(pair[0], pair[1])
				_ = pair[0].Close()
			})
		}
	}
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.off = true
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
}

func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.off = false
}

// counts counts requests.
type counts struct {
	mu sync.Mutex
	n  int
}

func (c *counts) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		c.mu.Lock()
		c.n++
		c.mu.Unlock()
		return next.RoundTrip(req)
	})
}

func (c *counts) total() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
