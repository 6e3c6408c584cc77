package application

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/delivery/transform"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// Clusters tells what happens in the clusters. *cluster.Registry does.
type Clusters interface {
	Subscribe(func(cluster.Event)) (cancel func())
}

// Packages tells when templates can import other packages.
type Packages interface {
	Subscribe(func()) (cancel func())
}

// Delays of the queue.
const (
	// gatherDelay lets events of one Application that come together be one run.
	gatherDelay = 150 * time.Millisecond
	minRetry    = 500 * time.Millisecond
	maxRetry    = 2 * time.Minute
)

// Setup adds the controller to mgr. What wakes an Application: its own changes,
// changes of its objects in any cluster, definitions that it waits for, policies
// and workflows that it may refer to, and clusters that come, go or change.
func (r *Reconciler) Setup(mgr ctrl.Manager, clusters Clusters, concurrency int) error {
	b := ctrl.NewControllerManagedBy(mgr).
		For(&v1beta1.Application{}, builder.WithPredicates(r.foreign())).
		WatchesRawSource(source.Func(func(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
			if err := r.Warm(ctx); err != nil { // here, and not earlier: another leader may have written until now
				return err
			}
			cancel := clusters.Subscribe(func(e cluster.Event) { r.wake(ctx, queue, e) })
			context.AfterFunc(ctx, cancel)
			if r.Packages != nil {
				context.AfterFunc(ctx, r.Packages.Subscribe(func() { r.wakeParsing(ctx, queue) }))
			}
			return nil
		})).
		Watches(&v1alpha1.Policy{}, handler.EnqueueRequestsFromMapFunc(r.neighbours)).
		Watches(&v1alpha1.Workflow{}, handler.EnqueueRequestsFromMapFunc(r.neighbours))
	for _, kind := range []client.Object{
		&v1beta1.ComponentDefinition{}, &v1beta1.TraitDefinition{}, &v1beta1.PolicyDefinition{}, &v1beta1.WorkflowStepDefinition{},
	} {
		b = b.Watches(kind, handler.EnqueueRequestsFromMapFunc(r.waiting), builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, kept())))
	}
	return b.WithOptions(controller.Options{
		MaxConcurrentReconciles: concurrency,
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](minRetry, maxRetry),
	}).Named("application").Complete(r)
}

// kept lets a definition through whose newest version has just been kept: until
// then no Application could find it by its version.
func kept() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, now := latest(e.ObjectOld), latest(e.ObjectNew)
		return now != nil && (before == nil || before.Name != now.Name)
	}}
}

func latest(obj client.Object) *v1beta1.Revision {
	switch o := obj.(type) {
	case *v1beta1.ComponentDefinition:
		return o.Status.LatestRevision
	case *v1beta1.TraitDefinition:
		return o.Status.LatestRevision
	case *v1beta1.PolicyDefinition:
		return o.Status.LatestRevision
	case *v1beta1.WorkflowStepDefinition:
		return o.Status.LatestRevision
	}
	return nil
}

// foreign drops the events of our own writes.
func (r *Reconciler) foreign() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return !r.memory.ours(e.ObjectNew)
	}}
}

// wake puts the Application in the queue that an event of a cluster is about; an
// event of the cluster itself concerns those that have something in it or are
// not delivered yet.
func (r *Reconciler) wake(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request], e cluster.Event) {
	if e.App != (types.NamespacedName{}) {
		queue.AddAfter(reconcile.Request{NamespacedName: e.App}, gatherDelay)
		return
	}
	for _, req := range r.list(ctx, "", func(app *v1beta1.Application) bool {
		return app.Status.Phase != v1beta1.ApplicationRunning || uses(app, e.Cluster)
	}) {
		queue.AddAfter(req, gatherDelay)
	}
}

// wakeParsing puts the Applications in the queue that could not be parsed.
func (r *Reconciler) wakeParsing(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
	for _, req := range r.list(ctx, "", func(app *v1beta1.Application) bool { return app.Status.Phase == v1beta1.ApplicationRendering }) {
		queue.AddAfter(req, gatherDelay)
	}
}

func uses(app *v1beta1.Application, name string) bool {
	for _, s := range app.Status.Services {
		if s.Cluster == name {
			return true
		}
	}
	return false
}

// neighbours are the Applications in the namespace of an object that they may
// refer to.
func (r *Reconciler) neighbours(ctx context.Context, obj client.Object) []reconcile.Request {
	return r.list(ctx, obj.GetNamespace(), func(*v1beta1.Application) bool { return true })
}

// waiting are the Applications that a definition may help: those that could not
// be parsed, and those that ask for updates.
func (r *Reconciler) waiting(ctx context.Context, obj client.Object) []reconcile.Request {
	namespace := obj.GetNamespace()
	if namespace == oam.SystemNamespace {
		namespace = ""
	}
	return r.list(ctx, namespace, func(app *v1beta1.Application) bool {
		return app.Status.Phase == v1beta1.ApplicationRendering || transform.Follows(app)
	})
}

// list returns requests for the Applications of a namespace, "" for all, that
// fit.
func (r *Reconciler) list(ctx context.Context, namespace string, fits func(*v1beta1.Application) bool) []reconcile.Request {
	apps := &v1beta1.ApplicationList{}
	if err := r.Client.List(ctx, apps, client.InNamespace(namespace)); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "List Applications to wake")
		return nil
	}
	var out []reconcile.Request
	for i := range apps.Items {
		if fits(&apps.Items[i]) {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&apps.Items[i])})
		}
	}
	return out
}
