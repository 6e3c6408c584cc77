// Package controller is the list of everything that runs in vela-core, and how
// it is wired. The controllers themselves are in the packages below.
package controller

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/seed-c5f95f19/vela/apis"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/controller/application"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/dispatch"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/observe"
	"github.com/seed-c5f95f19/vela/pkg/delivery/render"
	"github.com/seed-c5f95f19/vela/pkg/delivery/revision"
)

// Options are what an operator can set.
type Options struct {
	Concurrency   int // Applications at the same time
	RevisionLimit int // revisions kept beside the newest
	Parallel      int // objects of one plan at the same time
}

// Scheme knows every kind that vela-core reads or writes as a type.
func Scheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, apis.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	return scheme, nil
}

// ClientOptions say what is read from the server and not from a cache: what is
// read seldom and is large, or secret.
func ClientOptions() client.Options {
	return client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{
		&v1beta1.ApplicationRevision{}, &v1beta1.ResourceTracker{}, &v1beta1.DefinitionRevision{},
		&corev1.ConfigMap{}, &corev1.Secret{},
	}}}
}

// CacheOptions keep out of memory what nobody looks at.
func CacheOptions() cache.Options {
	return cache.Options{DefaultTransform: cache.TransformStripManagedFields()}
}

// Setup wires everything and adds it to mgr.
func Setup(ctx context.Context, mgr ctrl.Manager, o Options) error {
	registry, err := cluster.NewRegistry(cluster.Options{Hub: mgr.GetConfig()})
	if err != nil {
		return fmt.Errorf("connect to the hub: %w", err)
	}
	if err := mgr.Add(manager.RunnableFunc(registry.Start)); err != nil {
		return err
	}
	hub, err := client.New(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme(), HTTPClient: mgr.GetHTTPClient()})
	if err != nil {
		return err
	}
	templates := cue.NewEngine(cue.Options{Packages: all.Templates()})
	steps := cue.NewEngine(cue.Options{Packages: all.Steps()})
	builtin, err := definition.Builtin()
	if err != nil {
		return fmt.Errorf("read the built-in definitions: %w", err)
	}
	tracker := inventory.NewTracker(hub)
	r := &application.Reconciler{
		Client: mgr.GetClient(), Reader: hub,
		References:  blueprint.FromCluster(mgr.GetClient()),
		Definitions: definition.Chain(definition.Cluster(mgr.GetClient()), builtin),
		Options:     blueprint.Options{Components: templates, Steps: steps},
		Revisions:   revision.Kube{Reader: hub, Writer: hub},
		Delivery: &delivery.Delivery{
			Engine: templates, Renderer: render.New(render.Options{Engine: templates}), Observer: observe.New(templates),
			Clusters: registry, Ledger: tracker, Dispatcher: dispatch.New(registry, tracker),
		},
		Orphan:        tracker.Abandon,
		Recorder:      mgr.GetEventRecorderFor("vela-core"), //nolint:staticcheck // the newer API cannot say what happened without a related object
		Clock:         clock.RealClock{},
		RevisionLimit: o.RevisionLimit,
	}
	return r.Setup(mgr, registry, o.Concurrency)
}
