package inventory_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// requests counts what a client sends.
type requests struct{ reads, writes atomic.Int64 }

func (r *requests) funcs() interceptor.Funcs {
	return interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
			r.reads.Add(1)
			return c.Get(ctx, key, obj, opts...)
		},
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			r.reads.Add(1)
			return c.List(ctx, list, opts...)
		},
		Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			r.writes.Add(1)
			return c.Create(ctx, obj, opts...)
		},
		Update: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.UpdateOption) error {
			r.writes.Add(1)
			return c.Update(ctx, obj, opts...)
		},
		Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			r.writes.Add(1)
			return c.Delete(ctx, obj, opts...)
		},
	}
}

func (r *requests) take() [2]int64 { return [2]int64{r.reads.Swap(0), r.writes.Swap(0)} }

func owner(t *testing.T) inventory.Owner {
	t.Helper()
	return inventory.Owner{Namespace: env.Namespace(t), Name: "store", UID: "uid-1"}
}

// stored returns what a process that knows nothing reads.
func stored(t *testing.T, o inventory.Owner) inventory.Inventory {
	t.Helper()
	inv, err := inventory.NewTracker(env.Client(t)).Load(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

func record(t *testing.T, tr *inventory.Tracker, o inventory.Owner, entries ...inventory.Entry) {
	t.Helper()
	if err := tr.Record(t.Context(), o, entries); err != nil {
		t.Fatal(err)
	}
}

func trackers(t *testing.T, o inventory.Owner) []v1beta1.ResourceTracker {
	t.Helper()
	var list v1beta1.ResourceTrackerList
	err := env.Client(t).List(t.Context(), &list, client.MatchingLabels{"app.oam.dev/name": o.Name, "app.oam.dev/namespace": o.Namespace})
	if err != nil {
		t.Fatal(err)
	}
	return list.Items
}

func TestATrackerWritesOnlyWhatIsNew(t *testing.T) {
	t.Parallel()
	o := owner(t)
	var count requests
	tr := inventory.NewTracker(env.Client(t, count.funcs()))
	hinted := entry("a", "web")
	hinted.UID, hinted.Digest = "live", "of what was sent"
	steps := []struct {
		name string
		do   func() error
		want [2]int64 // reads and writes
		keys []string
	}{
		{"the first record reads and creates", func() error {
			return tr.Record(t.Context(), o, []inventory.Entry{entry("a", "web"), entry("b", "web")})
		}, [2]int64{1, 1}, []string{"a:web", "b:web"}},
		{"the same again costs nothing", func() error {
			return tr.Record(t.Context(), o, []inventory.Entry{entry("b", "web")})
		}, [2]int64{}, []string{"a:web", "b:web"}},
		{"hints alone cost nothing", func() error {
			return tr.Record(t.Context(), o, []inventory.Entry{hinted})
		}, [2]int64{}, []string{"a:web", "b:web"}},
		{"reading costs nothing", func() error {
			_, err := tr.Load(t.Context(), o)
			return err
		}, [2]int64{}, []string{"a:web", "b:web"}},
		{"something new is one write", func() error {
			return tr.Record(t.Context(), o, []inventory.Entry{entry("c", "api")})
		}, [2]int64{0, 1}, []string{"a:web", "b:web", "c:api"}},
		{"forgetting is one write", func() error {
			return tr.Forget(t.Context(), o, []manifest.Key{key("b")})
		}, [2]int64{0, 1}, []string{"a:web", "c:api"}},
		{"forgetting what is not known costs nothing", func() error {
			return tr.Forget(t.Context(), o, []manifest.Key{key("b")})
		}, [2]int64{}, []string{"a:web", "c:api"}},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if diff := cmp.Diff(step.want, count.take()); diff != "" {
			t.Errorf("%s: reads and writes (-want +got):\n%s", step.name, diff)
		}
		if diff := cmp.Diff(step.keys, names(stored(t, o))); diff != "" {
			t.Errorf("%s: stored (-want +got):\n%s", step.name, diff)
		}
	}
	if e, _ := stored(t, o).Find(key("a")); e.UID != "live" || e.Digest != "of what was sent" {
		t.Errorf("hints did not ride along: %+v", e)
	}
	root := trackers(t, o)[0]
	if root.Name != "store-"+o.Namespace || root.Spec.Type != v1beta1.ResourceTrackerRoot || len(root.Finalizers) != 1 {
		t.Errorf("tracker = %s, type %s, finalizers %v", root.Name, root.Spec.Type, root.Finalizers)
	}
}

func TestALargeTrackerIsPacked(t *testing.T) {
	t.Parallel()
	o := owner(t)
	var entries []inventory.Entry
	for n := range 300 {
		entries = append(entries, entry(fmt.Sprint("object-", n), "web"))
	}
	record(t, inventory.NewTracker(env.Client(t)), o, entries...)
	if diff := cmp.Diff(entries, stored(t, o).Entries); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	if kind := trackers(t, o)[0].Spec.Compression.Type; kind != "zstd" {
		t.Errorf("compression = %q, want zstd", kind)
	}
}

// Two processes that do not know of each other lose nothing.
func TestWritersAtTheSameTimeLoseNothing(t *testing.T) {
	t.Parallel()
	o := owner(t)
	const writers, each = 3, 6
	var wg sync.WaitGroup
	errs := make([]error, writers)
	for w := range writers {
		tr := inventory.NewTracker(env.Client(t))
		wg.Go(func() {
			for n := range each {
				errs[w] = errors.Join(errs[w], tr.Record(t.Context(), o, []inventory.Entry{entry(fmt.Sprintf("w%d-%d", w, n), "web")}))
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if n := stored(t, o).Len(); n != writers*each {
		t.Errorf("%d entries are stored, want %d", n, writers*each)
	}
}

func versioned(o inventory.Owner, name, uid string, resources ...string) *v1beta1.ResourceTracker {
	tr := &v1beta1.ResourceTracker{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Finalizers: []string{"resourcetracker.core.oam.dev/finalizer"},
			Labels: map[string]string{"app.oam.dev/name": o.Name, "app.oam.dev/namespace": o.Namespace, "app.oam.dev/uid": uid},
		},
		Spec: v1beta1.ResourceTrackerSpec{Type: v1beta1.ResourceTrackerVersioned, ApplicationGeneration: 1},
	}
	for _, r := range resources {
		tr.Spec.ManagedResources = append(tr.Spec.ManagedResources, v1beta1.ManagedResource{
			ClusterObjectReference: v1beta1.ClusterObjectReference{
				Creator:         "workflow",
				ObjectReference: corev1.ObjectReference{APIVersion: "v1", Kind: "ConfigMap", Namespace: "shop", Name: r},
			},
			Component: "web",
		})
	}
	return tr
}

func TestKubeVelaTrackersAreMergedAndRetired(t *testing.T) {
	t.Parallel()
	o := owner(t)
	env.Create(t,
		versioned(o, "store-v1-"+o.Namespace, string(o.UID), "a"),
		versioned(o, "store-v2-"+o.Namespace, string(o.UID), "a", "b"))
	tr := inventory.NewTracker(env.Client(t))
	inv, err := tr.Load(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a:web", "b:web"}
	if diff := cmp.Diff(want, names(inv)); diff != "" {
		t.Errorf("Load(...) (-want +got):\n%s", diff)
	}
	if len(trackers(t, o)) != 2 {
		t.Errorf("reading changed the trackers")
	}
	record(t, tr, o, entry("c", "web"))
	left := trackers(t, o)
	if len(left) != 1 || left[0].Name != "store-"+o.Namespace {
		t.Errorf("trackers after a record: %d, want the root alone", len(left))
	}
	if diff := cmp.Diff(append(want, "c:web"), names(stored(t, o))); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
}

// A crash between writing the root and retiring the others repeats no entry and
// loses none.
func TestACrashWhileRetiringIsHarmless(t *testing.T) {
	t.Parallel()
	o := owner(t)
	env.Create(t, versioned(o, "store-v1-"+o.Namespace, string(o.UID), "a"))
	k8s := env.Client(t, interceptor.Funcs{Update: func(context.Context, client.WithWatch, client.Object, ...client.UpdateOption) error {
		return errors.New("killed")
	}})
	if err := inventory.NewTracker(k8s).Record(t.Context(), o, []inventory.Entry{entry("b", "web")}); err == nil {
		t.Fatal("the fault did not happen")
	}
	record(t, inventory.NewTracker(env.Client(t)), o, entry("c", "web"))
	if diff := cmp.Diff([]string{"a:web", "b:web", "c:web"}, names(stored(t, o))); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	if n := len(trackers(t, o)); n != 1 {
		t.Errorf("%d trackers are left, want 1", n)
	}
}

func TestAnOlderApplicationOfTheSameName(t *testing.T) {
	t.Parallel()
	old := owner(t)
	record(t, inventory.NewTracker(env.Client(t)), old, entry("a", "web"))
	young := old
	young.UID = "uid-2"
	tr := inventory.NewTracker(env.Client(t))
	record(t, tr, young, entry("b", "web"))
	if diff := cmp.Diff([]string{"a:web", "b:web"}, names(stored(t, young))); diff != "" {
		t.Errorf("the new one owns (-want +got):\n%s", diff)
	}
	left := trackers(t, young)
	if len(left) != 1 || left[0].Labels["app.oam.dev/uid"] != "uid-2" {
		t.Errorf("trackers: %d, want one of the new Application", len(left))
	}
}

// Applications a-b in c and a in b-c have the same tracker name.
func TestTwoApplicationsWithOneTrackerName(t *testing.T) {
	t.Parallel()
	base := env.Namespace(t)
	one := inventory.Owner{Name: "a-x", Namespace: base, UID: "1"}
	two := inventory.Owner{Name: "a", Namespace: "x-" + base, UID: "2"}
	tr := inventory.NewTracker(env.Client(t))
	record(t, tr, one, entry("of-one", "web"))
	record(t, tr, two, entry("of-two", "web"))
	if diff := cmp.Diff([]string{"of-one:web"}, names(stored(t, one))); diff != "" {
		t.Errorf("the first owns (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"of-two:web"}, names(stored(t, two))); diff != "" {
		t.Errorf("the second owns (-want +got):\n%s", diff)
	}
}

func TestATrackerThatIsRemovedByHandIsRestored(t *testing.T) {
	t.Parallel()
	o := owner(t)
	k8s := env.Client(t)
	tr := inventory.NewTracker(k8s)
	record(t, tr, o, entry("a", "web"))
	root := &trackers(t, o)[0]
	root.Finalizers = nil
	if err := k8s.Update(t.Context(), root); err != nil {
		t.Fatal(err)
	}
	if err := k8s.Delete(t.Context(), root); err != nil {
		t.Fatal(err)
	}
	record(t, tr, o, entry("b", "web"))
	if diff := cmp.Diff([]string{"a:web", "b:web"}, names(stored(t, o))); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
}

func TestATrackerThatIsBeingDeletedIsReplaced(t *testing.T) {
	t.Parallel()
	o := owner(t)
	k8s := env.Client(t)
	tr := inventory.NewTracker(k8s)
	record(t, tr, o, entry("a", "web"))
	if err := k8s.Delete(t.Context(), &trackers(t, o)[0]); err != nil {
		t.Fatal(err)
	}
	record(t, tr, o, entry("b", "web"))
	if diff := cmp.Diff([]string{"a:web", "b:web"}, names(stored(t, o))); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	if left := trackers(t, o); len(left) != 1 || left[0].DeletionTimestamp != nil {
		t.Errorf("%d trackers are left, want one that stays", len(left))
	}
}

func TestTheTrackerGoesLast(t *testing.T) {
	t.Parallel()
	o := owner(t)
	var count requests
	tr := inventory.NewTracker(env.Client(t, count.funcs()))
	record(t, tr, o, entry("a", "web"), entry("b", "web"))
	count.take()
	if err := tr.Drop(t.Context(), o, []manifest.Key{key("a")}); err == nil {
		t.Errorf("dropped although something is owned")
	}
	if err := tr.Drop(t.Context(), o, []manifest.Key{key("a"), key("b")}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([2]int64{0, 2}, count.take()); diff != "" {
		t.Errorf("reads and writes of the end (-want +got):\n%s", diff)
	}
	if n := len(trackers(t, o)); n != 0 {
		t.Errorf("%d trackers are left", n)
	}
	record(t, tr, o, entry("c", "web")) // an Application of this name can start over
	if diff := cmp.Diff([]string{"c:web"}, names(stored(t, o))); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
}

func TestAbandonLeavesNoTracker(t *testing.T) {
	t.Parallel()
	o := owner(t)
	tr := inventory.NewTracker(env.Client(t))
	record(t, tr, o, entry("a", "web"))
	if err := tr.Abandon(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if n := len(trackers(t, o)); n != 0 {
		t.Errorf("%d trackers are left", n)
	}
}

func TestWarmReadsEverythingOnce(t *testing.T) {
	t.Parallel()
	o := owner(t)
	record(t, inventory.NewTracker(env.Client(t)), o, entry("a", "web"))
	var count requests
	tr := inventory.NewTracker(env.Client(t, count.funcs()))
	if err := tr.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	inv, err := tr.Load(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	empty, err := tr.Load(t.Context(), inventory.Owner{Namespace: o.Namespace, Name: "other", UID: "3"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a:web"}, names(inv)); diff != "" || empty.Len() != 0 {
		t.Errorf("loaded %d of nothing, and (-want +got):\n%s", empty.Len(), diff)
	}
	if diff := cmp.Diff([2]int64{1, 0}, count.take()); diff != "" {
		t.Errorf("reads and writes (-want +got):\n%s", diff)
	}
}

func TestAFailedWriteIsNotBelieved(t *testing.T) {
	t.Parallel()
	o := owner(t)
	fail := true
	k8s := env.Client(t, interceptor.Funcs{Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
		if fail {
			return apierrors.NewInternalError(errors.New("no"))
		}
		return c.Create(ctx, obj, opts...)
	}})
	tr := inventory.NewTracker(k8s)
	if err := tr.Record(t.Context(), o, []inventory.Entry{entry("a", "web")}); err == nil {
		t.Fatal("the failure was swallowed")
	}
	inv, err := tr.Load(t.Context(), o)
	if err != nil || inv.Len() != 0 {
		t.Errorf("Load(...) = %v, %v: want nothing, it is not durable", names(inv), err)
	}
	fail = false
	record(t, tr, o, entry("a", "web"))
	if diff := cmp.Diff([]string{"a:web"}, names(stored(t, o)), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
}
