package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// Defaults of Options.
const (
	DefaultTimeout     = 15 * time.Second
	DefaultConcurrency = 64
)

// Options are what a Registry needs.
type Options struct {
	Hub *rest.Config
	// Namespace holds the credential Secrets; vela-system by default.
	Namespace string
	// Timeout bounds every request but watches; DefaultTimeout by default.
	Timeout time.Duration
	// Concurrency bounds the requests to one cluster; DefaultConcurrency by
	// default.
	Concurrency int
	Metrics     *Metrics         // may be nil
	Now         func() time.Time // time.Now by default
}

// A Registry knows the clusters by name. It is safe for concurrent use. Without
// Start it reads credentials when they are needed and caches no objects, which
// suits a command; with Start it follows them, which suits a controller.
type Registry struct {
	namespace string
	settings  settings
	hub       *Cluster

	mu          sync.Mutex
	members     map[string]*member
	subscribers map[int]func(Event)
	nextID      int
	life        context.Context //nolint:containedctx // what Start was given
	wg          sync.WaitGroup
}

// A member is a cluster that joined, as its Secret describes it.
type member struct {
	secret  *corev1.Secret // nobody modifies it
	cluster *Cluster       // nil when err is set
	err     error          // what is wrong with the credential
	stop    context.CancelFunc
}

// A NotJoinedError says that no cluster of this name has joined.
type NotJoinedError struct{ Cluster string }

func (e *NotJoinedError) Error() string { return fmt.Sprintf("no cluster %q has joined", e.Cluster) }

// IsNotJoined reports whether err says that the cluster has not joined.
func IsNotJoined(err error) bool {
	var e *NotJoinedError
	return errors.As(err, &e)
}

// NewRegistry returns the registry of a hub. It sends nothing.
func NewRegistry(o Options) (*Registry, error) {
	r := &Registry{
		namespace:   cmp.Or(o.Namespace, oam.SystemNamespace),
		members:     map[string]*member{},
		subscribers: map[int]func(Event){},
	}
	r.settings = settings{
		timeout:     cmp.Or(o.Timeout, DefaultTimeout),
		concurrency: cmp.Or(o.Concurrency, DefaultConcurrency),
		metrics:     o.Metrics,
		now:         o.Now,
		notify:      r.notify,
	}
	if r.settings.now == nil {
		r.settings.now = time.Now
	}
	hub, err := connect(Local, o.Hub, r.settings)
	if err != nil {
		return nil, err
	}
	r.hub = hub
	return r, nil
}

// Hub returns the hub's own cluster.
func (r *Registry) Hub() *Cluster { return r.hub }

// Get returns the cluster of that name; "" is the hub. A name that nobody joined
// under gives an error for which IsNotJoined is true.
func (r *Registry) Get(ctx context.Context, name string) (*Cluster, error) {
	if name == "" || name == Local {
		return r.hub, nil
	}
	r.mu.Lock()
	m, following := r.members[name], r.following()
	r.mu.Unlock()
	if m == nil || !following {
		// What the watch does not show may still be there: who believes that a
		// cluster is gone forgets the objects in it.
		secret, err := r.secret(ctx, name)
		if err != nil {
			return nil, err
		}
		m = r.know(secret)
	}
	return m.cluster, m.err
}

// following reports whether members follow their Secrets. The caller holds the
// lock.
func (r *Registry) following() bool { return r.life != nil && r.life.Err() == nil }

// Subscribe calls f for every event until the returned function is called. f
// must not block.
func (r *Registry) Subscribe(f func(Event)) (cancel func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := r.nextID
	r.nextID++
	r.subscribers[id] = f
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.subscribers, id)
	}
}

func (r *Registry) notify(e Event) {
	r.mu.Lock()
	subscribers := slices.Collect(maps.Values(r.subscribers))
	r.mu.Unlock()
	for _, f := range subscribers {
		f(e)
	}
}

// secret reads the credential Secret of a member.
func (r *Registry) secret(ctx context.Context, name string) (*corev1.Secret, error) {
	obj, err := r.hub.Get(ctx, secretKind(), types.NamespacedName{Namespace: r.namespace, Name: name})
	if apierrors.IsNotFound(err) || apierrors.IsBadRequest(err) { // a name that no Secret can have
		return nil, &NotJoinedError{Cluster: name}
	}
	if err != nil {
		return nil, fmt.Errorf("read credential of cluster %q: %w", name, err)
	}
	if obj.GetLabels()[oam.LabelClusterCredentialType] == "" {
		return nil, &NotJoinedError{Cluster: name}
	}
	return secretOf(obj)
}

// know makes r know the member that secret describes and returns it. The
// connections stay while the credential is the same.
func (r *Registry) know(secret *corev1.Secret) *member {
	r.mu.Lock()
	before := r.members[secret.Name]
	if before != nil && sameCredential(before.secret, secret) {
		m := &member{secret: secret, cluster: before.cluster, err: before.err, stop: before.stop}
		changed := !maps.Equal(before.secret.Labels, secret.Labels)
		r.members[secret.Name] = m
		r.mu.Unlock()
		if changed {
			r.notify(Event{Cluster: secret.Name})
		}
		return m
	}
	m := r.join(secret)
	r.members[secret.Name] = m
	r.mu.Unlock()
	if before != nil && before.stop != nil {
		before.stop()
	}
	r.notify(Event{Cluster: secret.Name})
	return m
}

// join connects to the member. The caller holds the lock.
func (r *Registry) join(secret *corev1.Secret) *member {
	m := &member{secret: secret}
	cred, err := credentialOf(secret)
	if err == nil {
		m.cluster, err = cred.connect(secret.Name, r.settings)
	}
	if m.err = err; err == nil && r.following() {
		r.enliven(m)
	}
	return m
}

// enliven lets the cluster of m cache what is owned until the member leaves. The
// caller holds the lock.
func (r *Registry) enliven(m *member) {
	var life context.Context
	life, m.stop = context.WithCancel(r.life)
	m.cluster.owned.start(life)
	r.wg.Go(func() {
		<-life.Done()
		m.cluster.owned.wait()
	})
}

// forget makes r not know the member any more.
func (r *Registry) forget(name string) {
	r.mu.Lock()
	m := r.members[name]
	delete(r.members, name)
	r.mu.Unlock()
	if m == nil {
		return
	}
	if m.stop != nil {
		m.stop()
	}
	r.notify(Event{Cluster: name})
}

func (c credential) connect(name string, s settings) (*Cluster, error) {
	cfg, err := c.config()
	if err != nil {
		return nil, err
	}
	return connect(name, cfg, s)
}

func sameCredential(a, b *corev1.Secret) bool {
	return a.Labels[oam.LabelClusterCredentialType] == b.Labels[oam.LabelClusterCredentialType] &&
		maps.EqualFunc(a.Data, b.Data, slices.Equal[[]byte])
}

func secretOf(obj *unstructured.Unstructured) (*corev1.Secret, error) {
	var s corev1.Secret
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, &s); err != nil {
		return nil, fmt.Errorf("decode Secret %q: %w", obj.GetName(), err)
	}
	return &s, nil
}
