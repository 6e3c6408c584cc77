package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// An Event says that something changed in a cluster: an object that belongs to
// App, or, when App is empty, the cluster itself (joined, changed, left, away or
// back).
type Event struct {
	Cluster string
	App     types.NamespacedName
	Kind    schema.GroupVersionKind
	Object  types.NamespacedName
}

// owned is the cache of the objects of one cluster that carry the label of an
// Application: one watch per kind, started when the kind is first asked for.
type owned struct {
	cluster *Cluster
	notify  func(Event)

	mu    sync.Mutex
	ctx   context.Context //nolint:containedctx // the life of the watches, not of a call
	kinds map[schema.GroupVersionKind]*watched
	wg    sync.WaitGroup
}

func newOwned(c *Cluster, notify func(Event)) *owned {
	return &owned{cluster: c, notify: notify, kinds: map[schema.GroupVersionKind]*watched{}}
}

// start allows watches until ctx ends.
func (o *owned) start(ctx context.Context) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ctx = ctx
}

// wait returns when every watch has ended.
func (o *owned) wait() { o.wg.Wait() }

// Live returns an object from the owned cache without asking the server. It is
// nil when no object of that name carries the label of an Application. Known is
// false when the cache cannot tell: the kind is not watched (yet), or the
// cluster is away. What this process wrote is seen at once.
func (c *Cluster) Live(gvk schema.GroupVersionKind, key types.NamespacedName) (obj *unstructured.Unstructured, known bool) {
	c.owned.mu.Lock()
	w := c.owned.kinds[gvk]
	c.owned.mu.Unlock()
	if w == nil || !w.synced() || c.link.state() != nil {
		return nil, false
	}
	if c.mapper.clusterScoped(gvk) {
		key.Namespace = ""
	}
	return w.get(key), true
}

// Watch makes sure that the kinds are watched and waits until the cache knows
// their objects, the request timeout at most. A kind that cannot be watched is
// an error; a Registry that was not started watches nothing, which is none.
func (c *Cluster) Watch(ctx context.Context, kinds ...schema.GroupVersionKind) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, errTimeout)
	defer cancel()
	var waiting []*watched
	for _, gvk := range kinds {
		w, err := c.owned.ensure(ctx, gvk)
		if err != nil {
			return err
		}
		if w != nil && !w.synced() {
			waiting = append(waiting, w)
		}
	}
	for _, w := range waiting {
		select {
		case <-w.done:
			return w.failure()
		case <-w.controller.HasSyncedChecker().Done():
		case <-w.failed:
			return w.failure()
		case <-ctx.Done():
			return fmt.Errorf("watch %s in cluster %q: %w", w.gvk.Kind, c.name, context.Cause(ctx))
		}
	}
	return nil
}

// ensure returns the watch of a kind, started if need be; nil without a life to
// run in.
func (o *owned) ensure(ctx context.Context, gvk schema.GroupVersionKind) (*watched, error) {
	o.mu.Lock()
	w, life := o.kinds[gvk], o.ctx
	o.mu.Unlock()
	if w != nil || life == nil || life.Err() != nil {
		return w, nil
	}
	mapping, err := o.cluster.Mapping(ctx, gvk)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if w := o.kinds[gvk]; w != nil {
		return w, nil
	}
	w = o.watch(gvk, mapping)
	o.kinds[gvk] = w
	o.wg.Go(func() { w.run(life) })
	return w, nil
}

// writing announces a write. The returned function takes the answer, nil for
// none, which is remembered until the watch has caught up with it. Events of the
// object wait meanwhile: only the answer tells which of them is the echo.
func (o *owned) writing(gvk schema.GroupVersionKind, key types.NamespacedName) func(*unstructured.Unstructured) {
	o.mu.Lock()
	w := o.kinds[gvk]
	o.mu.Unlock()
	if w == nil {
		return func(*unstructured.Unstructured) {}
	}
	w.hold(key)
	return func(answer *unstructured.Unstructured) {
		version := ""
		if answer != nil {
			version = answer.GetResourceVersion()
			answer = answer.DeepCopy()
			answer.SetManagedFields(nil)
			w.remember(key, pending{obj: answer})
		}
		for _, obj := range w.resume(key) {
			if obj.GetResourceVersion() != version {
				w.tell(obj)
			}
		}
	}
}

// deleted remembers that an object is gone until the watch has caught up.
func (o *owned) deleted(gvk schema.GroupVersionKind, key types.NamespacedName, uid types.UID) {
	o.mu.Lock()
	w := o.kinds[gvk]
	o.mu.Unlock()
	if w != nil && uid != "" {
		w.remember(key, pending{gone: uid})
	}
}

// watched is one kind in the owned cache.
type watched struct {
	gvk        schema.GroupVersionKind
	owner      *owned
	store      cache.Store
	controller cache.Controller
	stop       context.CancelFunc
	done       chan struct{} // closed when run returns
	failed     chan struct{} // closed on the first failure before the first sync
	failOnce   sync.Once

	mu      sync.Mutex
	err     error
	latest  string // the highest resourceVersion that the watch has shown
	pending map[types.NamespacedName]pending
	held    map[types.NamespacedName]*held
}

// held are the events of an object that is being written.
type held struct {
	writers int
	events  []*unstructured.Unstructured
}

func (w *watched) hold(key types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held[key] == nil {
		w.held[key] = &held{}
	}
	w.held[key].writers++
}

// resume returns the events that waited for the last writer.
func (w *watched) resume(key types.NamespacedName) []*unstructured.Unstructured {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.held[key]
	if h.writers--; h.writers > 0 {
		return nil
	}
	delete(w.held, key)
	return h.events
}

// pending is a write that the watch may not have seen yet.
type pending struct {
	obj  *unstructured.Unstructured
	gone types.UID
}

func (o *owned) watch(gvk schema.GroupVersionKind, mapping meta.RESTMapping) *watched {
	w := &watched{
		gvk: gvk, owner: o,
		pending: map[types.NamespacedName]pending{}, held: map[types.NamespacedName]*held{},
		done: make(chan struct{}), failed: make(chan struct{}),
	}
	client := o.cluster.dynamic.Resource(mapping.Resource)
	lw := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
			opts.LabelSelector = oam.LabelAppName
			list, err := client.List(ctx, opts)
			return list, w.seen(err)
		},
		WatchFuncWithContext: func(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
			opts.LabelSelector = oam.LabelAppName
			stream, err := client.Watch(ctx, opts)
			return stream, w.seen(err)
		},
	}
	w.store, w.controller = cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: cache.ToListWatcherWithWatchListSemantics(lw, o.cluster.dynamic),
		ObjectType:    &unstructured.Unstructured{},
		Handler: cache.ResourceEventHandlerDetailedFuncs{
			AddFunc:    w.added,
			UpdateFunc: w.updated,
			DeleteFunc: w.removed,
		},
		Transform: slim,
	})
	return w
}

func (w *watched) run(life context.Context) {
	ctx, cancel := context.WithCancel(life)
	w.mu.Lock()
	w.stop = cancel
	w.mu.Unlock()
	defer close(w.done)
	defer cancel()
	w.controller.RunWithContext(ctx)
}

// seen records why a list or watch failed. A kind that is gone (its definition
// was deleted) stops being watched; asking for it starts over.
func (w *watched) seen(err error) error {
	w.mu.Lock()
	w.err = err
	stop := w.stop
	w.mu.Unlock()
	if err == nil {
		return nil
	}
	w.failOnce.Do(func() { close(w.failed) })
	if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) {
		w.owner.drop(w)
		if stop != nil {
			stop()
		}
	}
	return err
}

func (o *owned) drop(w *watched) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.kinds[w.gvk] == w {
		delete(o.kinds, w.gvk)
	}
}

var errStopped = errors.New("the watch has ended")

func (w *watched) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.err
	if err == nil {
		err = errStopped
	}
	return fmt.Errorf("watch %s in cluster %q: %w", w.gvk.Kind, w.owner.cluster.name, err)
}

// synced reports whether the store tells what the server has. After a failure
// it does not until the watch is back.
func (w *watched) synced() bool {
	if !w.controller.HasSynced() {
		return false
	}
	select {
	case <-w.done: // the cluster was detached or got another credential
		return false
	default:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err == nil
}

func (w *watched) get(key types.NamespacedName) *unstructured.Unstructured {
	w.mu.Lock()
	p, waiting := w.pending[key]
	w.mu.Unlock()
	stored := w.stored(key)
	switch {
	case !waiting:
		return stored
	case p.gone != "":
		if stored != nil && stored.GetUID() == p.gone {
			return nil
		}
		return stored
	case stored != nil && !older(stored, p.obj):
		return stored
	}
	return labelled(p.obj)
}

// labelled returns obj when the watch would show it.
func labelled(obj *unstructured.Unstructured) *unstructured.Unstructured {
	if obj.GetLabels()[oam.LabelAppName] == "" {
		return nil
	}
	return obj
}

func (w *watched) stored(key types.NamespacedName) *unstructured.Unstructured {
	item, found, err := w.store.GetByKey(storeKey(key))
	if err != nil || !found {
		return nil
	}
	obj, _ := item.(*unstructured.Unstructured)
	return obj
}

func (w *watched) remember(key types.NamespacedName, p pending) {
	w.mu.Lock()
	defer w.mu.Unlock()
	stored := w.stored(key)
	switch {
	case p.obj != nil && w.latest != "" && !precedes(w.latest, p.obj.GetResourceVersion()):
		return // the watch was faster; it may even have seen the object go
	case p.obj == nil && stored == nil:
		return
	}
	w.pending[key] = p
}

// reached notes how far the watch has come. The caller holds the lock.
func (w *watched) reached(obj *unstructured.Unstructured) {
	if w.latest == "" || precedes(w.latest, obj.GetResourceVersion()) {
		w.latest = obj.GetResourceVersion()
	}
}

// caughtUp drops what waited for obj. It reports whether obj is news to this
// process: the echo of its own write is not.
func (w *watched) caughtUp(obj *unstructured.Unstructured) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reached(obj)
	if h := w.held[keyOf(obj)]; h != nil {
		h.events = append(h.events, obj)
		return false
	}
	p, waiting := w.pending[keyOf(obj)]
	if !waiting {
		return true
	}
	if p.obj == nil {
		if obj.GetUID() != p.gone {
			delete(w.pending, keyOf(obj))
		}
		return true
	}
	if older(obj, p.obj) {
		return false
	}
	delete(w.pending, keyOf(obj))
	return obj.GetResourceVersion() != p.obj.GetResourceVersion()
}

func (w *watched) added(obj any, initial bool) {
	u, ok := obj.(*unstructured.Unstructured)
	if ok && w.caughtUp(u) && !initial {
		w.tell(u)
	}
}

func (w *watched) updated(before, after any) {
	old, _ := before.(*unstructured.Unstructured)
	u, ok := after.(*unstructured.Unstructured)
	if !ok || old == nil || old.GetResourceVersion() == u.GetResourceVersion() {
		return
	}
	if w.caughtUp(u) {
		w.tell(old, u)
	}
}

func (w *watched) removed(obj any) {
	if unknown, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = unknown.Obj
	}
	u, ok := obj.(*unstructured.Unstructured)
	if !ok {
		return
	}
	w.mu.Lock()
	w.reached(u)
	if p, waiting := w.pending[keyOf(u)]; waiting && (p.obj == nil || p.obj.GetUID() == u.GetUID()) {
		delete(w.pending, keyOf(u))
	}
	w.mu.Unlock()
	w.tell(u)
}

// tell notifies every Application that has to do with the object.
func (w *watched) tell(objects ...*unstructured.Unstructured) {
	told := map[types.NamespacedName]bool{}
	for _, obj := range objects {
		for _, app := range applications(obj) {
			if told[app] {
				continue
			}
			told[app] = true
			w.owner.notify(Event{Cluster: w.owner.cluster.name, App: app, Kind: w.gvk, Object: keyOf(obj)})
		}
	}
}

// slim removes what nobody compares before an object enters the cache.
func slim(item any) (any, error) {
	if obj, ok := item.(*unstructured.Unstructured); ok {
		obj.SetManagedFields(nil)
	}
	return item, nil
}

// older reports whether a is an earlier state than b. Versions that cannot be
// compared count as news.
func older(a, b *unstructured.Unstructured) bool {
	return precedes(a.GetResourceVersion(), b.GetResourceVersion())
}

func precedes(a, b string) bool {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order < 0
}

func storeKey(key types.NamespacedName) string {
	if key.Namespace == "" {
		return key.Name
	}
	return key.Namespace + "/" + key.Name
}
