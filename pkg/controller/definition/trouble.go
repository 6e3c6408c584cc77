package definition

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
)

// Troubles brings to definitions what engines have found out while others used
// them: that a text ran away, and is not evaluated any more. Give Add to the
// engines as cue.Options.OnTrouble. The zero value works; it is safe for
// concurrent use.
type Troubles struct {
	mu     sync.Mutex
	notify []func(cue.Source)
}

// Add wakes the definitions that a source may come from. It does not block.
func (t *Troubles) Add(src cue.Source) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range t.notify {
		f(src)
	}
}

func (t *Troubles) subscribe(f func(cue.Source)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.notify = append(t.notify, f)
}

// troubles wakes the definitions of this kind that are called like the source
// of a trouble: whether they have its text is seen when they are looked at.
func (r *reconciler) troubles(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	if r.Troubles == nil {
		return nil
	}
	r.Troubles.subscribe(func(src cue.Source) {
		if ctx.Err() != nil {
			return
		}
		for _, key := range r.those(ctx, func(obj client.Object) bool { return obj.GetName() == src.Name }) {
			queue.Add(reconcile.Request{NamespacedName: key})
		}
	})
	return nil
}

// Packages tells when texts can import other packages.
type Packages interface {
	Subscribe(func()) (cancel func())
}

// imports wakes the definitions of this kind that did not compile: what they
// import may be there now.
func (r *reconciler) imports(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	if r.Packages == nil {
		return nil
	}
	context.AfterFunc(ctx, r.Packages.Subscribe(func() {
		for _, key := range r.those(ctx, unsynced) {
			queue.Add(reconcile.Request{NamespacedName: key})
		}
	}))
	return nil
}

func unsynced(obj client.Object) bool {
	c := v1beta1.FindCondition(statusOf(obj).Conditions, v1beta1.ConditionSynced)
	return c != nil && c.Status != metav1.ConditionTrue
}

// those are the definitions of this kind that fit, in any namespace.
func (r *reconciler) those(ctx context.Context, fits func(client.Object) bool) []client.ObjectKey {
	empty, err := r.Client.Scheme().New(v1beta1.GroupVersion.WithKind(r.kind.WireKind() + "List"))
	if err != nil {
		return nil
	}
	list, ok := empty.(client.ObjectList)
	if !ok || r.Client.List(ctx, list) != nil { // from the cache
		return nil
	}
	var keys []client.ObjectKey
	_ = meta.EachListItem(list, func(o runtime.Object) error {
		if obj, ok := o.(client.Object); ok && fits(obj) {
			keys = append(keys, client.ObjectKeyFromObject(obj))
		}
		return nil
	})
	return keys
}
