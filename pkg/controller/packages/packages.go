// Package packages watches Package objects and lets templates import them. The
// engines and the actions of runs get all of them at once, from a cache: nothing
// is asked of the API server while something renders. A Package that is wrong gets
// an event and breaks only who imports it.
package packages

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	cuev1alpha1 "github.com/seed-c5f95f19/vela/apis/cue.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/external"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/http"
	"github.com/seed-c5f95f19/vela/pkg/event"
)

// ReasonInvalid is the reason of the event of a Package that nobody can import.
const ReasonInvalid = "InvalidPackage"

// A Reconciler keeps what can be imported as the Packages say. It is safe for
// concurrent use.
type Reconciler struct {
	Client   client.Reader // reads from a cache
	Engines  []*cue.Engine // the last one knows most packages
	Recorder event.Recorder

	current atomic.Pointer[[]external.Package]

	mu       sync.Mutex
	schemas  []provider.Schema
	reported map[types.UID]string // what the last event of an object said
	wake     []*func()
}

// Setup adds the controller to mgr. All events lead to one request: what can be
// imported depends on all Packages together.
func (r *Reconciler) Setup(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("packages").
		Watches(&cuev1alpha1.Package{}, handler.EnqueueRequestsFromMapFunc(func(context.Context, client.Object) []reconcile.Request {
			return []reconcile.Request{{}}
		})).
		Complete(r)
}

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler) Reconcile(ctx context.Context, _ ctrl.Request) (ctrl.Result, error) {
	return ctrl.Result{}, r.Load(ctx)
}

// Load takes over the Packages of the moment. Call it before anything renders.
func (r *Reconciler) Load(ctx context.Context) error {
	list := &cuev1alpha1.PackageList{}
	if err := r.Client.List(ctx, list); err != nil {
		if meta.IsNoMatchError(err) {
			return nil // an installation from before there were any
		}
		return fmt.Errorf("list Packages: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	found, problems := external.Read(list.Items)
	schemas := make([]provider.Schema, len(found))
	for i, p := range found {
		schemas[i] = p.Schema
	}
	r.current.Store(&found)
	if !slices.Equal(schemas, r.schemas) {
		r.schemas = schemas
		for _, e := range r.Engines {
			e.SetPackages(schemas)
		}
		for _, wake := range r.wake {
			(*wake)()
		}
	}
	r.report(append(problems, r.broken(list.Items, found)...))
	return nil
}

// broken finds the packages that do not compile.
func (r *Reconciler) broken(items []cuev1alpha1.Package, found []external.Package) []external.Problem {
	var out []external.Problem
	if len(r.Engines) == 0 {
		return nil
	}
	for _, p := range found {
		_, err := r.Engines[len(r.Engines)-1].Compile(cue.Source{Kind: "package", Name: p.Name, Text: p.Probe()})
		if err == nil {
			continue
		}
		i := slices.IndexFunc(items, func(o cuev1alpha1.Package) bool { return o.Namespace == p.Namespace && o.Name == p.Name })
		out = append(out, external.Problem{Object: &items[i], Err: err})
	}
	return out
}

// report emits an event for each new problem.
func (r *Reconciler) report(problems []external.Problem) {
	said := map[types.UID]string{}
	for _, p := range problems {
		message := p.Err.Error()
		if r.reported[p.Object.UID] != message {
			r.Recorder.Event(p.Object, corev1.EventTypeWarning, ReasonInvalid, message)
		}
		said[p.Object.UID] = message
	}
	r.reported = said
}

// Actions returns what executes the functions of all Packages.
func (r *Reconciler) Actions(client *http.Client) []provider.Package {
	found := r.current.Load()
	if found == nil {
		return nil
	}
	out := make([]provider.Package, len(*found))
	for i, p := range *found {
		out[i] = p.Actions(client)
	}
	return out
}

// Subscribe calls wake whenever other packages can be imported, until cancel is
// called. wake must not block.
func (r *Reconciler) Subscribe(wake func()) (cancel func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wake = append(r.wake, &wake)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.wake = slices.DeleteFunc(r.wake, func(w *func()) bool { return w == &wake })
	}
}
