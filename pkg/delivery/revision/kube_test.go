package revision_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/seed-c5f95f19/vela/pkg/delivery/revision"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// On a real server: a new revision is one write, what comes back is what was
// stored, and revisions of other Applications are left alone.
func TestKube(t *testing.T) {
	t.Parallel()
	ns := env.Namespace(t)
	writes := 0
	k8s := env.Client(t, interceptor.Funcs{Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
		writes++
		return c.Create(ctx, o, opts...)
	}})
	store := revision.Kube{Reader: k8s, Writer: k8s}
	w := world{text: "x"}
	app := func(name, image string) *build.Application {
		return build.App(ns+"/"+name).UID("5ea6f1a0-0000-4000-8000-000000000000").Component("web", "c", "image: "+image)
	}
	first := w.blueprint(t, app("shop", "a"))
	rev, err := revision.Ensure(t.Context(), store, first, nil)
	if err != nil {
		t.Fatal(err)
	}
	if writes != 1 {
		t.Errorf("a new revision took %d writes, want 1", writes)
	}
	got, err := revision.Load(t.Context(), store, ns, rev.Name)
	if err != nil {
		t.Fatal(err)
	}
	if revision.Hash(got) != rev.Hash {
		t.Errorf("Hash(Load()) = %s, want %s", revision.Hash(got), rev.Hash)
	}
	again, err := revision.Ensure(t.Context(), store, first, nil)
	if err != nil || again.Name != rev.Name || again.Created {
		t.Errorf("Ensure() again = %+v, %v, want the stored %s", again, err, rev.Name)
	}
	if _, err := revision.Ensure(t.Context(), store, w.blueprint(t, app("other", "a")), nil); err != nil {
		t.Fatal(err)
	}
	next, err := revision.Ensure(t.Context(), store, w.blueprint(t, app("shop", "b")), rev.Status())
	if err != nil {
		t.Fatal(err)
	}
	if err := revision.Trim(t.Context(), store, first.App, next, 0); err != nil {
		t.Fatal(err)
	}
	names := func(app string) []string {
		list, err := store.Names(t.Context(), ns, app)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(list)
		return list
	}
	if diff := cmp.Diff([][]string{{"shop-v2"}, {"other-v1"}}, [][]string{names("shop"), names("other")}); diff != "" {
		t.Errorf("revisions left (-want +got):\n%s", diff)
	}
}
