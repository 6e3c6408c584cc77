package env_test

import (
	"net/http"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

func configMap(ns, name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}}
}

func TestEveryTestHasItsOwnNamespace(t *testing.T) {
	t.Parallel()
	a, b := env.Namespace(t), env.Namespace(t)
	env.Create(t, configMap(a, "x"), configMap(b, "x"))
	var list corev1.ConfigMapList
	if err := env.Client(t).List(t.Context(), &list, client.InNamespace(a)); err != nil {
		t.Fatal(err)
	}
	if len(list.Items) != 1 || a == b {
		t.Errorf("namespaces %q and %q share objects: %d in the first", a, b, len(list.Items))
	}
}

func TestARefusedDeleteLeavesTheObject(t *testing.T) {
	t.Parallel()
	ns := env.Namespace(t)
	k8s := env.Client(t, interceptor.Funcs{Delete: env.Refuse("ConfigMap", "keep")})
	env.Create(t, configMap(ns, "keep"), configMap(ns, "drop"))
	if err := k8s.Delete(t.Context(), configMap(ns, "keep")); !apierrors.IsForbidden(err) {
		t.Errorf("delete of keep: error = %v, want Forbidden", err)
	}
	if err := k8s.Delete(t.Context(), configMap(ns, "drop")); err != nil {
		t.Errorf("delete of drop: %v", err)
	}
	env.EventuallyGone(t, configMap(ns, "drop"))
	if err := k8s.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "keep"}, &corev1.ConfigMap{}); err != nil {
		t.Errorf("keep after the refused delete: %v", err)
	}
}

func TestANamedClusterIsAnotherServer(t *testing.T) {
	t.Parallel()
	hub, staging := env.Shared(t), env.Cluster(t, "staging", env.WithoutCRDs())
	if diff := cmp.Diff(staging.Config().Host, env.Cluster(t, "staging").Config().Host); diff != "" {
		t.Errorf("two calls with one name gave two servers (-first +second):\n%s", diff)
	}
	if hub.Config().Host == staging.Config().Host {
		t.Fatalf("both clusters answer at %s", hub.Config().Host)
	}
	ns := staging.Namespace(t)
	err := hub.Client(t).Get(t.Context(), client.ObjectKey{Name: ns}, &corev1.Namespace{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("namespace of staging on the hub: error = %v, want NotFound", err)
	}
}

func TestControllersCollectWhatLostItsOwner(t *testing.T) {
	t.Parallel()
	s := env.Cluster(t, "controllers", env.WithControllers())
	ns := s.Namespace(t)
	owner := configMap(ns, "owner")
	s.Create(t, owner)
	owned := configMap(ns, "owned")
	owned.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID}}
	s.Create(t, owned)
	if err := s.Client(t).Delete(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	s.EventuallyGone(t, owned)
}

func TestStrangersAreRefused(t *testing.T) {
	t.Parallel()
	cfg := env.Config(t)
	cfg.CertData, cfg.KeyData = nil, nil
	c, err := client.New(cfg, client.Options{Scheme: env.Scheme(t), Mapper: env.Client(t).RESTMapper()})
	if err != nil {
		t.Fatal(err)
	}
	err = c.List(t.Context(), &corev1.SecretList{})
	if status := apierrors.ReasonForError(err); status != metav1.StatusReasonUnauthorized {
		t.Errorf("list Secrets without a certificate: %v, want %d", err, http.StatusUnauthorized)
	}
	info, err := os.Stat(env.Kubeconfig(t))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("kubeconfig has mode %o, want 600", info.Mode().Perm())
	}
}
