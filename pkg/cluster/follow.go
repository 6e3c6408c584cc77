package cluster

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"github.com/seed-c5f95f19/vela/pkg/oam"
)

func secretKind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Version: "v1", Kind: "Secret"}
}

// Start makes r follow the credential Secrets and lets clusters cache what they
// own, until ctx ends. It returns when the members are known. Wait returns when
// everything has ended. Start a Registry once.
func (r *Registry) Start(ctx context.Context) error {
	r.mu.Lock()
	r.life = ctx
	for _, m := range r.members { // that somebody has asked for already
		if m.cluster != nil {
			r.enliven(m)
		}
	}
	r.mu.Unlock()
	r.hub.owned.start(ctx)
	r.wg.Go(func() {
		<-ctx.Done()
		r.hub.owned.wait()
	})
	controller := r.followSecrets()
	r.wg.Go(func() { controller.RunWithContext(ctx) })

	limited, cancel := context.WithTimeoutCause(ctx, r.settings.timeout, errTimeout)
	defer cancel()
	select {
	case <-controller.HasSyncedChecker().Done():
		return nil
	case <-limited.Done():
		return fmt.Errorf("read clusters from namespace %q: %w", r.namespace, context.Cause(limited))
	}
}

// Wait returns when everything that Start began has ended.
func (r *Registry) Wait() { r.wg.Wait() }

func (r *Registry) followSecrets() cache.Controller {
	secrets := r.hub.dynamic.Resource(schema.GroupVersionResource{Version: "v1", Resource: "secrets"}).Namespace(r.namespace)
	lw := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
			opts.LabelSelector = oam.LabelClusterCredentialType
			return secrets.List(ctx, opts)
		},
		WatchFuncWithContext: func(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
			opts.LabelSelector = oam.LabelClusterCredentialType
			return secrets.Watch(ctx, opts)
		},
	}
	know := func(item any) {
		if obj, ok := item.(*unstructured.Unstructured); ok {
			if secret, err := secretOf(obj); err == nil {
				r.know(secret)
			}
		}
	}
	_, controller := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: cache.ToListWatcherWithWatchListSemantics(lw, r.hub.dynamic),
		ObjectType:    &unstructured.Unstructured{},
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    know,
			UpdateFunc: func(_, item any) { know(item) },
			DeleteFunc: func(item any) {
				if unknown, ok := item.(cache.DeletedFinalStateUnknown); ok {
					item = unknown.Obj
				}
				if obj, ok := item.(*unstructured.Unstructured); ok {
					r.forget(obj.GetName())
				}
			},
		},
		Transform: slim,
	})
	return controller
}
