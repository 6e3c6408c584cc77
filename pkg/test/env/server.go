package env

import (
	"crypto/rand"
	"encoding/hex"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// maxSlug leaves room for the random suffix in a namespace name.
const maxSlug = 50

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// A Server is one running API server.
type Server struct {
	name       string
	config     *rest.Config
	kubeconfig string
	leash      io.Closer // closing it ends the process
}

// Name returns the name the server was started under.
func (s *Server) Name() string { return s.name }

// Config returns the administrator's access. The caller owns the copy.
func (s *Server) Config() *rest.Config { return rest.CopyConfig(s.config) }

// Kubeconfig returns the path of the administrator's kubeconfig.
func (s *Server) Kubeconfig() string { return s.kubeconfig }

// Client returns a client that knows every type of Scheme. Interceptors apply
// in order, the first one outermost.
func (s *Server) Client(t testing.TB, interceptors ...interceptor.Funcs) client.WithWatch {
	t.Helper()
	c, err := client.NewWithWatch(s.Config(), client.Options{Scheme: Scheme(t)})
	if err != nil {
		t.Fatalf("client of API server %q: %v", s.name, err)
	}
	for _, funcs := range slices.Backward(interceptors) {
		c = interceptor.NewClient(c, funcs)
	}
	return c
}

// Namespace creates a namespace for this test alone, named after it.
func (s *Server) Namespace(t testing.TB) string {
	t.Helper()
	slug := strings.Trim(notInName.ReplaceAllString(strings.ToLower(t.Name()), "-"), "-")
	if len(slug) > maxSlug {
		slug = strings.TrimRight(slug[:maxSlug], "-")
	}
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails
	ns := slug + "-" + hex.EncodeToString(random[:])
	s.Create(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})
	return ns
}

// Create creates the objects, in order.
func (s *Server) Create(t testing.TB, objects ...client.Object) {
	t.Helper()
	c := s.Client(t)
	for _, obj := range objects {
		if err := c.Create(t.Context(), obj); err != nil {
			t.Fatalf("create %s: %v", describe(t, obj), err)
		}
	}
}

// EventuallyGone waits until the object does not exist any more.
func (s *Server) EventuallyGone(t testing.TB, object client.Object) {
	t.Helper()
	c := s.Client(t)
	obj, ok := object.DeepCopyObject().(client.Object)
	if !ok {
		t.Fatalf("%T is no API object", object)
	}
	Eventually(t, describe(t, obj)+" is gone", func() (bool, error) {
		err := c.Get(t.Context(), client.ObjectKeyFromObject(obj), obj)
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	})
}

func describe(t testing.TB, obj client.Object) string {
	t.Helper()
	kind := obj.GetObjectKind().GroupVersionKind().Kind
	if gvk, err := gvkOf(t, obj); err == nil {
		kind = gvk.Kind
	}
	return kind + " " + client.ObjectKeyFromObject(obj).String()
}
