package inventory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// Client is what a Tracker needs of the hub. It must not be a cache.
type Client interface {
	client.Reader
	Create(ctx context.Context, obj client.Object, opts ...client.CreateOption) error
	Update(ctx context.Context, obj client.Object, opts ...client.UpdateOption) error
	Delete(ctx context.Context, obj client.Object, opts ...client.DeleteOption) error
}

// A Tracker keeps inventories in ResourceTrackers on the hub, one for each
// Application, and in memory: what it has read or written once costs no request.
// Another writer is noticed by the conflict; the edit is then made again on what
// that one wrote, so that no entry is lost. It is safe for concurrent use.
type Tracker struct {
	client Client

	mu       sync.Mutex
	apps     map[types.NamespacedName]*ledger
	complete bool // apps without a ledger are known to own nothing
}

// A ledger is what is known about one Application's trackers.
type ledger struct {
	mu sync.Mutex
	state

	queueMu sync.Mutex
	queue   []*edit // that wait for mu: whoever gets it makes them all at once
}

// An edit is a change of an inventory that waits to be written.
type edit struct {
	change func(Inventory) Inventory
	made   bool  // by whoever held the ledger; then err is its outcome
	err    error // guarded by the mutex of the ledger
}

type state struct {
	loaded bool
	uid    types.UID
	inv    Inventory
	root   *v1beta1.ResourceTracker  // without its spec; nil when there is none
	legacy []v1beta1.ResourceTracker // others with a part in inv, to be retired
}

// NewTracker returns a Tracker that has read nothing yet.
func NewTracker(c Client) *Tracker {
	return &Tracker{client: c, apps: map[types.NamespacedName]*ledger{}}
}

// Warm reads the inventories of all Applications at once, so that a restart does
// not cost a request for each.
func (t *Tracker) Warm(ctx context.Context) error {
	byApp := map[types.NamespacedName][]v1beta1.ResourceTracker{}
	for page := ""; ; {
		var list v1beta1.ResourceTrackerList
		if err := t.client.List(ctx, &list, client.Limit(500), client.Continue(page)); err != nil {
			return fmt.Errorf("list trackers: %w", err)
		}
		for _, item := range list.Items {
			app := types.NamespacedName{Namespace: item.Labels[oam.LabelAppNamespace], Name: item.Labels[oam.LabelAppName]}
			byApp[app] = append(byApp[app], item)
		}
		if page = list.Continue; page == "" {
			break
		}
	}
	for app, items := range byApp {
		l := t.ledger(app)
		l.mu.Lock()
		if !l.loaded {
			l.learn(items, types.UID(items[0].Labels[oam.LabelAppUID]))
		}
		l.mu.Unlock()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.complete = true
	return nil
}

// Load returns what the Application owns.
func (t *Tracker) Load(ctx context.Context, owner Owner) (Inventory, error) {
	l := t.ledger(owner.App())
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := t.load(ctx, l, owner); err != nil {
		return Inventory{}, err
	}
	return l.inv, nil
}

// Record adds the entries. They are durable when it returns; nothing is written
// when nothing but hints is new.
func (t *Tracker) Record(ctx context.Context, owner Owner, entries []Entry) error {
	return t.edit(ctx, owner, func(i Inventory) Inventory { return i.Upsert(entries...) })
}

// Forget removes the keys of objects that are gone.
func (t *Tracker) Forget(ctx context.Context, owner Owner, keys []manifest.Key) error {
	if len(keys) == 0 {
		return nil
	}
	return t.edit(ctx, owner, func(i Inventory) Inventory { return i.Without(keys...) })
}

// Drop removes the trackers themselves, when nothing is owned but the keys that
// are gone. It is the end of an Application.
func (t *Tracker) Drop(ctx context.Context, owner Owner, gone []manifest.Key) error {
	l := t.ledger(owner.App())
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := t.load(ctx, l, owner); err != nil {
		return err
	}
	if left := l.inv.Without(gone...); left.Len() > 0 {
		return fmt.Errorf("%d objects are still owned, %s among them", left.Len(), left.Entries[0].Key)
	}
	return t.abandon(ctx, l, owner)
}

// Abandon removes the trackers and with them the knowledge of what is owned:
// the objects stay.
func (t *Tracker) Abandon(ctx context.Context, owner Owner) error {
	l := t.ledger(owner.App())
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := t.load(ctx, l, owner); err != nil {
		return err
	}
	return t.abandon(ctx, l, owner)
}

func (t *Tracker) abandon(ctx context.Context, l *ledger, owner Owner) error {
	err := t.retire(ctx, l)
	if err == nil && l.root != nil {
		err = t.remove(ctx, l.root)
	}
	if err != nil {
		l.loaded = false
		return err
	}
	// Whoever waits for this ledger must not write through it any more.
	l.state = state{loaded: true, uid: owner.UID}
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.apps, owner.App())
	return nil
}

func (t *Tracker) ledger(app types.NamespacedName) *ledger {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.apps[app]
	if l == nil {
		l = &ledger{state: state{loaded: t.complete}}
		t.apps[app] = l
	}
	return l
}

// load reads the trackers of owner unless they are known. The caller holds the
// lock of l.
func (t *Tracker) load(ctx context.Context, l *ledger, owner Owner) error {
	if l.loaded {
		l.adopt(owner.UID)
		return nil
	}
	var list v1beta1.ResourceTrackerList
	err := t.client.List(ctx, &list, client.MatchingLabels{
		oam.LabelAppName: owner.Name, oam.LabelAppNamespace: owner.Namespace,
	})
	if err != nil {
		return fmt.Errorf("list trackers of %s: %w", owner.App(), err)
	}
	l.learn(list.Items, owner.UID)
	return nil
}

// attempts bounds how often an edit is made again after another writer. In each
// round somebody succeeds, so a few writers never get there.
const attempts = 20

// edit makes a change durable. Changes that come while another one is being
// written are written together: a hundred components that are sent side by side
// cost a few writes, not a hundred.
func (t *Tracker) edit(ctx context.Context, owner Owner, change func(Inventory) Inventory) error {
	l := t.ledger(owner.App())
	e := &edit{change: change}
	l.queueMu.Lock()
	l.queue = append(l.queue, e)
	l.queueMu.Unlock()

	l.mu.Lock()
	defer l.mu.Unlock()
	if e.made {
		return e.err
	}
	l.queueMu.Lock()
	batch := l.queue
	l.queue = nil
	l.queueMu.Unlock()
	err := t.commit(ctx, l, owner, func(i Inventory) Inventory {
		for _, e := range batch {
			i = e.change(i)
		}
		return i
	})
	for _, e := range batch {
		e.made, e.err = true, err
	}
	return err
}

// commit writes a change. The caller holds the lock of l.
func (t *Tracker) commit(ctx context.Context, l *ledger, owner Owner, change func(Inventory) Inventory) error {
	var err error
	for range attempts {
		if err = t.load(ctx, l, owner); err != nil {
			return err
		}
		next := change(l.inv)
		if l.root != nil || next.Len() > 0 {
			if len(l.legacy) == 0 && next.sameAs(l.inv) {
				l.inv = next // with its hints
				return nil
			}
			err = t.write(ctx, l, owner, next)
		}
		if err == nil {
			l.inv = next
			return t.retire(ctx, l)
		}
		lost := l.inv
		if l.loaded = false; apierrors.IsNotFound(err) { // removed by hand: memory knows what it held
			change = restoring(lost, change)
		}
		if !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) && !apierrors.IsNotFound(err) {
			break
		}
	}
	return fmt.Errorf("write tracker of %s: %w", owner.App(), err)
}

func restoring(lost Inventory, change func(Inventory) Inventory) func(Inventory) Inventory {
	return func(i Inventory) Inventory { return change(lost.Union(i)) }
}

// write makes inv durable in the root tracker.
func (t *Tracker) write(ctx context.Context, l *ledger, owner Owner, inv Inventory) error {
	if l.root != nil {
		root := l.root.DeepCopy()
		root.Spec = spec(inv)
		if err := t.client.Update(ctx, root); err != nil {
			return err
		}
		l.root = headOf(root)
		return nil
	}
	var err error
	for _, name := range owner.trackerNames() {
		if slices.ContainsFunc(l.legacy, func(old v1beta1.ResourceTracker) bool { return old.Name == name }) {
			continue
		}
		root := newRoot(owner, name)
		root.Spec = spec(inv)
		err = t.client.Create(ctx, root)
		if err == nil {
			l.root = headOf(root)
			return nil
		}
		if !apierrors.IsAlreadyExists(err) {
			return err
		}
		if ours, gerr := t.belongs(ctx, name, owner); ours || gerr != nil {
			return errors.Join(err, gerr) // not known before: read again
		}
	}
	return err
}

// belongs reports whether the tracker of that name is of this Application. Two
// Applications can have the same tracker name: a-b in c and a in b-c.
func (t *Tracker) belongs(ctx context.Context, name string, owner Owner) (bool, error) {
	var found v1beta1.ResourceTracker
	err := t.client.Get(ctx, types.NamespacedName{Name: name}, &found)
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	labels := found.Labels
	return labels[oam.LabelAppName] == owner.Name && labels[oam.LabelAppNamespace] == owner.Namespace, err
}

// retire removes the trackers whose entries are in the root.
func (t *Tracker) retire(ctx context.Context, l *ledger) error {
	for len(l.legacy) > 0 {
		if err := t.remove(ctx, &l.legacy[0]); err != nil {
			return err
		}
		l.legacy = l.legacy[1:]
	}
	return nil
}

// remove takes the finalizer from a tracker, and with it the list, and deletes
// it.
func (t *Tracker) remove(ctx context.Context, head *v1beta1.ResourceTracker) error {
	tracker := head.DeepCopy()
	err := t.release(ctx, tracker)
	for range attempts {
		if !apierrors.IsConflict(err) {
			break
		}
		if err = t.client.Get(ctx, types.NamespacedName{Name: head.Name}, tracker); err != nil {
			break
		}
		if tracker.UID != head.UID {
			return nil
		}
		err = t.release(ctx, tracker)
	}
	if err == nil && tracker.DeletionTimestamp == nil { // else that was what it waited for
		err = t.client.Delete(ctx, tracker, client.Preconditions{UID: &tracker.UID})
	}
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("remove tracker %q: %w", head.Name, err)
	}
	return nil
}

func (t *Tracker) release(ctx context.Context, tracker *v1beta1.ResourceTracker) error {
	kept := slices.DeleteFunc(slices.Clone(tracker.Finalizers), func(f string) bool { return f == oam.FinalizerTracked })
	if len(kept) == len(tracker.Finalizers) {
		return nil
	}
	tracker.Finalizers = kept
	return t.client.Update(ctx, tracker)
}

// learn takes over what the server has.
func (s *state) learn(items []v1beta1.ResourceTracker, uid types.UID) {
	slices.SortFunc(items, byAge)
	*s = state{loaded: true, uid: uid}
	for _, item := range items {
		s.inv = s.inv.Upsert(entries(item)...)
		head := headOf(&item)
		if s.root == nil && usable(head, uid) {
			s.root = head
			continue
		}
		s.legacy = append(s.legacy, *head)
	}
}

// adopt makes what an older Application of the same name owned part of this
// one's inventory: its objects carry our labels already, and what this one does
// not want is swept like anything else.
func (s *state) adopt(uid types.UID) {
	if s.uid == uid || uid == "" {
		return
	}
	if s.uid = uid; s.root != nil {
		s.legacy = append(s.legacy, *s.root)
		s.root = nil
	}
}
