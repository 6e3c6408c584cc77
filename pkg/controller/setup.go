// Package controller is the list of everything that runs in vela-core, and how
// it is wired. The controllers themselves are in the packages below.
package controller

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/seed-c5f95f19/vela/apis"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/controller/application"
	definitioncontroller "github.com/seed-c5f95f19/vela/pkg/controller/definition"
	"github.com/seed-c5f95f19/vela/pkg/controller/packages"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/definition/check"
	"github.com/seed-c5f95f19/vela/pkg/delivery"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/dispatch"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inspect"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/observe"
	"github.com/seed-c5f95f19/vela/pkg/delivery/referred"
	"github.com/seed-c5f95f19/vela/pkg/delivery/render"
	"github.com/seed-c5f95f19/vela/pkg/delivery/revision"
	"github.com/seed-c5f95f19/vela/pkg/delivery/transform"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/metrics"
	"github.com/seed-c5f95f19/vela/pkg/workflow/step"
)

// Options are what an operator can set.
type Options struct {
	Concurrency   int // Applications at the same time
	RevisionLimit int // revisions kept beside the newest
	// DefinitionLimit is how many revisions of a definition are kept beside the
	// newest and those that are named.
	DefinitionLimit int
	// Admission adds what judges before anything is stored; nil adds nothing. It is
	// another front door, so that cmd connects it.
	Admission func(Judgement) error
	// RenderingEffects lets templates send HTTP requests that may change something
	// while they render.
	RenderingEffects bool
	Referred         referred.Scope // of what components may refer to
	// Gates switch on what is off by default.
	Gates transform.Gates
	// Sandbox evaluates definitions that did not come with the program; nil means
	// that this process does, and that one of them can end it.
	Sandbox cue.Sandbox
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

// A Judgement is what the controllers judge Applications and definitions with.
type Judgement struct {
	References  blueprint.References
	Definitions blueprint.Definitions
	Check       blueprint.Options
	Transform   transform.Options
}

// unread finds no objects: no cluster is asked while somebody waits for admission.
type unread struct{}

// Find implements blueprint.Objects.
func (unread) Find(context.Context, string, blueprint.Component) ([]map[string]any, error) {
	return nil, nil
}

// Setup wires everything and adds it to mgr.
func Setup(mgr ctrl.Manager, o Options) error {
	troubles := &definitioncontroller.Troubles{}
	r, registry, err := wire(mgr, o, troubles)
	if err != nil {
		return err
	}
	if err := definitioncontroller.Setup(mgr, definitioncontroller.Options{
		Client: mgr.GetClient(), Engines: check.Engines{Templates: r.Options.Components, Steps: r.Options.Steps},
		References: r.References, Recorder: r.Recorder, Clock: r.Clock, RevisionLimit: o.DefinitionLimit, Packages: r.Packages,
		Troubles: troubles,
	}); err != nil {
		return fmt.Errorf("look after definitions: %w", err)
	}
	if o.Admission != nil {
		j := Judgement{References: r.References, Definitions: r.Definitions, Check: r.Options, Transform: r.Transform}
		j.Check.Objects, j.Transform.Actions = unread{}, nil
		if err := o.Admission(j); err != nil {
			return err
		}
	}
	return r.Setup(mgr, registry, o.Concurrency)
}

// wire puts together what delivers Applications, and lets mgr start the
// connections to the clusters.
func wire(mgr ctrl.Manager, o Options, troubles *definitioncontroller.Troubles) (*application.Reconciler, *cluster.Registry, error) {
	requests, err := cluster.NewMetrics(ctrlmetrics.Registry)
	if err != nil {
		return nil, nil, fmt.Errorf("count requests: %w", err)
	}
	stages, err := metrics.NewDelivery(ctrlmetrics.Registry)
	if err != nil {
		return nil, nil, fmt.Errorf("time the stages: %w", err)
	}
	registry, err := cluster.NewRegistry(cluster.Options{Hub: mgr.GetConfig(), Metrics: requests})
	if err != nil {
		return nil, nil, fmt.Errorf("connect to the hub: %w", err)
	}
	if err := mgr.Add(manager.RunnableFunc(registry.Start)); err != nil {
		return nil, nil, err
	}
	hub, err := client.New(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme(), HTTPClient: mgr.GetHTTPClient()})
	if err != nil {
		return nil, nil, err
	}
	builtin, err := definition.Builtin()
	if err != nil {
		return nil, nil, fmt.Errorf("read the built-in definitions: %w", err)
	}
	limits := cue.Options{Sandbox: o.Sandbox, Trusted: builtin.Ours, OnTrouble: troubles.Add}
	limits.Packages = all.DefinitionSchemas()
	templates := cue.NewEngine(limits)
	limits.Packages = all.WorkflowSchemas()
	steps := cue.NewEngine(limits)
	pkgs := &packages.Reconciler{
		Client: mgr.GetClient(), Engines: []*cue.Engine{templates, steps},
		Recorder: mgr.GetEventRecorderFor("vela-core"), //nolint:staticcheck // as below
	}
	if err := pkgs.Setup(mgr); err != nil {
		return nil, nil, fmt.Errorf("watch Packages: %w", err)
	}
	tracker := inventory.NewTracker(hub)
	m := newMeans(hub, templates, pkgs, o.RenderingEffects)
	d := &delivery.Delivery{
		Engine: templates, Renderer: render.New(render.Options{Engine: templates, Scope: scopeIn(registry.Hub())}), Observer: observe.New(templates),
		Clusters: registry, Ledger: tracker, Dispatcher: dispatch.New(registry, tracker),
		Templates: m.rendering,
		Applications: func(ctx context.Context, namespace, name string) (*v1beta1.Application, error) {
			app := &v1beta1.Application{}
			return app, mgr.GetClient().Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, app)
		},
	}
	if err := ctrlmetrics.Registry.Register(d.Renderer.Collector()); err != nil {
		return nil, nil, fmt.Errorf("count renders: %w", err)
	}
	definitions := definition.Chain(definition.Cluster(mgr.GetClient()), builtin)
	world := inspect.World{Clusters: registry, Ledger: tracker, Application: d.Applications}
	return &application.Reconciler{
		Client: mgr.GetClient(), Reader: hub,
		References:  blueprint.FromCluster(mgr.GetClient()),
		Definitions: definitions,
		Transform:   transform.Options{Gates: o.Gates, Definitions: definitions, Engine: templates, Actions: m.transforming(d)},
		Options:     blueprint.Options{Components: templates, Steps: steps, Memo: blueprint.NewMemo(0), Objects: objects(registry, m, o.Referred)},
		Revisions:   revision.Kube{Reader: hub, Writer: hub},
		Delivery:    d,
		Steps: func(run *delivery.Run) application.Runners {
			return stepRunners(run, steps, builtin, m.steps(run, world))
		},
		Packages: pkgs,
		Warm: func(ctx context.Context) error {
			if err := pkgs.Load(ctx); err != nil { // templates that import one must not fail first
				return err
			}
			return tracker.Warm(ctx)
		},
		Orphan:        tracker.Abandon,
		Recorder:      mgr.GetEventRecorderFor("vela-core"), //nolint:staticcheck // the newer API cannot say what happened without a related object
		Metrics:       stages,
		Clock:         clock.RealClock{},
		RevisionLimit: o.RevisionLimit,
	}, registry, nil
}

// objects finds what components refer to: in the scope that they may see, and in
// the network.
func objects(registry *cluster.Registry, m means, scope referred.Scope) blueprint.Objects {
	live := referred.Clusters{Get: registry.Get, Scope: scope}
	return &referred.Finder{Sources: []referred.Source{live}, Fetch: referred.Web(m.web), Scope: scope}
}

// scopeIn asks a cluster whether objects of a kind live in namespaces.
func scopeIn(c *cluster.Cluster) render.Scope {
	return func(gvk schema.GroupVersionKind) (namespaced, known bool) {
		mapping, err := c.Mapping(context.Background(), gvk) // bounded by the timeout of the cluster, and remembered
		if err != nil {
			return false, false
		}
		return mapping.Scope.Name() == meta.RESTScopeNameNamespace, true
	}
}

// stepRunners finds what executes the steps of a run: their definitions are
// those that the Blueprint froze.
func stepRunners(run *delivery.Run, engine *cue.Engine, builtin *definition.Static, deps all.Deps) application.Runners {
	return step.Runners(step.Options{
		Engine: engine,
		Definition: func(stepType string) (step.Definition, error) {
			ref := definition.Ref{Kind: definition.WorkflowStep, Name: stepType}
			def, ok := run.Blueprint.Definitions[ref]
			if !ok {
				return step.Definition{}, fault.Because(v1beta1.ReasonDefinitionMissing, fmt.Errorf("%s is not part of the revision", ref))
			}
			ours, err := builtin.Get(context.Background(), "", definition.Ref{Kind: ref.Kind, Name: def.Name})
			return step.Definition{Name: def.Name, Text: def.Template, Builtin: err == nil && ours.Digest == def.Digest}, nil
		},
		Deployer: run.Deployer,
		Deps:     deps,
	})
}
