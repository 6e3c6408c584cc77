// Package env gives tests a real API server: one per test package, started
// when the first test asks for it, with the CRDs that ship.
//
//	func TestSomething(t *testing.T) {
//		ns := env.Namespace(t)
//		k8s := env.Client(t)
//		env.Create(t, build.ConfigMap(ns, "a"))
//		...
//	}
//
// The server is `bin/vela-local apiserver`: kube-apiserver and its store in one
// process. It ends when the test process does, however that ends. There are no
// controllers unless asked for (see Cluster and WithControllers), so nothing is
// garbage-collected and a deleted namespace stays terminating: tests use one
// namespace each and leave it behind.
//
// Only tests import this package. Everything here is safe for concurrent use
// by parallel tests.
package env

import (
	"sync"
	"testing"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// sharedName is the name of the server that package-level functions use.
const sharedName = "hub"

// servers holds the running servers of this test process by name. It is the
// one piece of process state here: a server per package needs one.
var servers registry

type registry struct {
	mu     sync.Mutex
	byName map[string]func() (*Server, error)
}

// get starts the named server once; later callers share the result.
func (r *registry) get(name string, o options) (*Server, error) {
	r.mu.Lock()
	if r.byName == nil {
		r.byName = map[string]func() (*Server, error){}
	}
	start, ok := r.byName[name]
	if !ok {
		start = sync.OnceValues(func() (*Server, error) { return launch(name, o) })
		r.byName[name] = start
	}
	r.mu.Unlock()
	return start()
}

// An Option changes how a server is started.
type Option func(*options)

type options struct {
	controllers bool
	bare        bool
}

// WithControllers adds the controller manager: Deployments get ReplicaSets and
// Pods (which stay pending), owner references are collected, namespaces go.
func WithControllers() Option { return func(o *options) { o.controllers = true } }

// WithoutCRDs leaves the server as a plain Kubernetes, as a member cluster is.
func WithoutCRDs() Option { return func(o *options) { o.bare = true } }

// Shared returns the API server of this test package.
func Shared(t testing.TB) *Server {
	t.Helper()
	return Cluster(t, sharedName)
}

// Cluster returns the API server of that name, started on first use: a second
// cluster beside the shared one. Options count on first use only.
func Cluster(t testing.TB, name string, opts ...Option) *Server {
	t.Helper()
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	s, err := servers.get(name, o)
	if err != nil {
		t.Fatalf("API server %q: %v", name, err)
	}
	return s
}

// Config returns the administrator's access to the shared server. The caller
// owns the copy.
func Config(t testing.TB) *rest.Config {
	t.Helper()
	return Shared(t).Config()
}

// Kubeconfig returns the path of the shared server's kubeconfig.
func Kubeconfig(t testing.TB) string {
	t.Helper()
	return Shared(t).Kubeconfig()
}

// Client returns a client of the shared server. Interceptors apply in order,
// the first one outermost.
func Client(t testing.TB, interceptors ...interceptor.Funcs) client.WithWatch {
	t.Helper()
	return Shared(t).Client(t, interceptors...)
}

// Namespace creates a namespace of the shared server for this test alone.
func Namespace(t testing.TB) string {
	t.Helper()
	return Shared(t).Namespace(t)
}

// Create creates the objects on the shared server.
func Create(t testing.TB, objects ...client.Object) {
	t.Helper()
	Shared(t).Create(t, objects...)
}

// EventuallyGone waits until the object is gone from the shared server.
func EventuallyGone(t testing.TB, object client.Object) {
	t.Helper()
	Shared(t).EventuallyGone(t, object)
}
