package definition

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// Delays after a failure.
const (
	minRetry = 500 * time.Millisecond
	maxRetry = 5 * time.Minute
)

// Setup adds a controller for each kind of definitions to mgr. What wakes them:
// changes of definitions, and of the ConfigMaps that describe them.
func Setup(mgr ctrl.Manager, o Options) error {
	configMaps, err := cache.New(mgr.GetConfig(), cache.Options{
		Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(), HTTPClient: mgr.GetHTTPClient(),
		ByObject: map[client.Object]cache.ByObject{&corev1.ConfigMap{}: {
			Namespaces: map[string]cache.Config{
				definition.SystemNamespace: {}, // forms have no label
				cache.AllNamespaces:        {LabelSelector: labels.SelectorFromSet(labels.Set{oam.LabelDefinition: "schema"})},
			},
			Transform: forget,
		}},
	})
	if err != nil {
		return fmt.Errorf("watch the ConfigMaps of definitions: %w", err)
	}
	if err := mgr.Add(configMaps); err != nil {
		return err
	}
	for _, kind := range []definition.Kind{definition.Component, definition.Trait, definition.Policy, definition.WorkflowStep} {
		r := &reconciler{Options: o, kind: kind, configMaps: configMaps, wrote: map[client.ObjectKey]client.Object{}}
		err := ctrl.NewControllerManagedBy(mgr).
			For(kind.Object(), builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, revisionNamed()))).
			WatchesRawSource(source.Func(r.troubles)).
			WatchesRawSource(source.Func(r.imports)).
			WatchesRawSource(source.Kind(configMaps, &corev1.ConfigMap{}, handler.TypedEnqueueRequestsFromMapFunc(r.describes))).
			WithOptions(controller.Options{
				RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](minRetry, maxRetry),
			}).
			Named("definition-" + string(kind)).
			Complete(r)
		if err != nil {
			return err
		}
	}
	return nil
}

// describes is the definition that a ConfigMap is about, by its name.
func (r *reconciler) describes(_ context.Context, cm *corev1.ConfigMap) []reconcile.Request {
	for _, prefix := range []string{r.kind.SchemaName(""), r.kind.FormName("")} {
		if name, ok := strings.CutPrefix(cm.Name, prefix); ok {
			return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: cm.Namespace, Name: name}}}
		}
	}
	return nil
}

// forget drops from ConfigMaps that describe no definition what is in them.
func forget(obj any) (any, error) {
	cm, ok := obj.(*corev1.ConfigMap)
	if !ok {
		return obj, nil
	}
	cm.ManagedFields = nil
	if !strings.Contains(cm.Name, "-schema-") && !strings.Contains(cm.Name, "-uischema-") {
		cm.Data, cm.BinaryData, cm.Annotations = nil, nil, nil
	}
	return cm, nil
}

// revisionNamed lets a change of the wanted revision name through, which is not
// part of the specification.
func revisionNamed() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return e.ObjectOld.GetAnnotations()[oam.AnnotationDefinitionRevision] != e.ObjectNew.GetAnnotations()[oam.AnnotationDefinitionRevision]
	}}
}
