// Package preview builds for commands what the controller has: definitions,
// clusters and a delivery, online from the hub or offline from files alone. The
// stages that run are those of pkg/delivery; nothing is rendered or planned in
// another way here, and nothing is written.
package preview

import (
	"context"
	"errors"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	cuev1alpha1 "github.com/seed-c5f95f19/vela/apis/cue.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/dispatch"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/observe"
	"github.com/seed-c5f95f19/vela/pkg/delivery/render"
	"github.com/seed-c5f95f19/vela/pkg/delivery/transform"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/source"
)

// Options say where a Preview takes things from.
type Options struct {
	Factory *connect.Factory
	// Documents come first: definitions, policies and workflows in them go before
	// those of the cluster.
	Documents []source.Document
	// DefinitionDirs are files and folders with further definitions.
	DefinitionDirs []string
	// Namespace replaces the one of every namespaced document; "" leaves it.
	Namespace string
	Offline   bool
	Strict    bool
	// KubeVersion is what templates see of the cluster offline, such as "1.29";
	// "" is a recent one.
	KubeVersion string
	// Gates say which policies change Applications. What is in the cluster tells it
	// too, for Applications that are there.
	Gates transform.Gates
}

// A Preview renders and plans Applications. Create it with New.
type Preview struct {
	// Apps are the Applications among the documents, in their order.
	Apps []App
	// Client reads the hub; nil offline.
	Client client.WithWatch

	documents   []source.Document
	definitions definition.Source
	references  references
	imported    imported
	options     blueprint.Options
	from        Options
	delivery    *delivery.Delivery // made when something is rendered or planned

	scoped *sync.Map // whether a namespace has policies that change Applications, by name
}

// An App is an Application with the document that it was written in.
type App struct {
	*v1beta1.Application
	Document source.Document
	Warnings []string // about the document
}

// New reads what the options name. Online it connects to the hub.
func New(o Options) (*Preview, error) {
	p := &Preview{documents: o.Documents, from: o, scoped: &sync.Map{}}
	var written []runtime.Object
	p.references = references{policies: map[client.ObjectKey]*v1alpha1.Policy{}, workflows: map[client.ObjectKey]*v1alpha1.Workflow{}}
	for _, doc := range o.Documents {
		object, err := p.take(o, doc)
		if err != nil {
			return nil, err
		}
		if object != nil {
			written = append(written, object)
		}
	}
	if err := p.find(o, written); err != nil {
		return nil, err
	}
	engines, err := newEngines(o.Factory)
	if err != nil {
		return nil, err
	}
	if err := p.offer(context.Background(), engines); err != nil {
		return nil, err
	}
	p.options = blueprint.Options{Components: engines.components, Steps: engines.steps, Strict: o.Strict, Objects: objects{p}}
	return p, nil
}

// deliver connects to the clusters when that is needed for the first time.
func (p *Preview) deliver() (*delivery.Delivery, error) {
	if p.delivery != nil {
		return p.delivery, nil
	}
	clusters, err := p.reach()
	if err != nil {
		return nil, err
	}
	engine := p.options.Components
	d := &delivery.Delivery{
		Engine: engine, Clusters: clusters, Offline: p.from.Offline,
		Renderer: render.New(render.Options{Engine: engine}), Observer: observe.New(engine),
	}
	charts, functions := p.charts(), p.imported.functions(p.from.Offline)
	d.Templates = func(run *delivery.Run) provider.Table {
		deps := all.Deps{Namespace: run.Owner.Namespace, Charts: charts, External: functions} // what else is far away is not asked by a preview
		if p.Client != nil {
			deps.Reader = run.Own()
		}
		return all.Definition(deps)
	}
	if p.Client != nil {
		tracker := inventory.NewTracker(p.Client)
		d.Ledger, d.Dispatcher = tracker, dispatch.New(clusters, tracker)
	}
	p.delivery = d
	return d, nil
}

// take sorts one document; a definition is returned.
func (p *Preview) take(o Options, doc source.Document) (runtime.Object, error) {
	gvk := doc.Object.GroupVersionKind()
	place := func(obj client.Object) {
		switch {
		case o.Namespace != "":
			obj.SetNamespace(o.Namespace)
		case obj.GetNamespace() == "" && o.Offline:
			obj.SetNamespace("default")
		case obj.GetNamespace() == "":
			obj.SetNamespace(o.Factory.Namespace())
		}
	}
	switch {
	case gvk == v1beta1.GroupVersion.WithKind(v1beta1.ApplicationKind):
		app := &v1beta1.Application{}
		warnings, err := doc.Decode(app)
		if err != nil {
			return nil, err
		}
		warnings = append(append([]string{}, doc.Warnings...), warnings...)
		if o.Strict && len(warnings) > 0 {
			return nil, errors.New(warnings[0])
		}
		place(app)
		p.Apps = append(p.Apps, App{app, doc, warnings})
	case gvk.Group == v1beta1.Group && gvk.Kind == v1beta1.ApplicationKind:
		return nil, fmt.Errorf("%s: Applications of version %q are not served any more: write %s",
			doc.At("apiVersion"), gvk.Version, v1beta1.GroupVersion)
	case gvk.Group == v1beta1.Group && gvk.Kind == "Policy":
		policy := &v1alpha1.Policy{}
		if _, err := doc.Decode(policy); err != nil {
			return nil, err
		}
		place(policy)
		p.references.policies[client.ObjectKeyFromObject(policy)] = policy
	case gvk.Group == v1beta1.Group && gvk.Kind == "Workflow":
		workflow := &v1alpha1.Workflow{}
		if _, err := doc.Decode(workflow); err != nil {
			return nil, err
		}
		place(workflow)
		p.references.workflows[client.ObjectKeyFromObject(workflow)] = workflow
	case gvk == cuev1alpha1.GroupVersion.WithKind(cuev1alpha1.PackageKind):
		return nil, p.imported.add(doc)
	case definition.IsDefinition(doc.Object):
		return typed(doc, v1beta1.GroupVersion.WithKind(gvk.Kind)) // older versions have the same fields
	}
	return nil, nil
}

func typed(doc source.Document, gvk schema.GroupVersionKind) (runtime.Object, error) {
	object, err := connect.Scheme().New(gvk)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doc.At("kind"), err)
	}
	if _, err := doc.Decode(object); err != nil {
		return nil, err
	}
	return object, nil
}

// find chains the places where definitions are: what the user gave, the
// cluster, what comes with the binary.
func (p *Preview) find(o Options, written []runtime.Object) error {
	own, err := definition.Of(written...)
	if err != nil {
		return err
	}
	sources := []definition.Source{own}
	for _, dir := range o.DefinitionDirs {
		static, err := definition.FromFiles(dir)
		if err != nil {
			return err
		}
		sources = append(sources, static)
	}
	if !o.Offline {
		if p.Client, err = o.Factory.Client(); err != nil {
			return err
		}
		p.references.online = blueprint.FromCluster(p.Client)
		sources = append(sources, definition.Cluster(p.Client, o.Factory.SystemNamespace()))
	}
	builtin, err := definition.Builtin()
	if err != nil {
		return err
	}
	p.definitions = definition.Chain(append(sources, builtin)...)
	return nil
}

// Blueprint is what app is once every name in it is resolved. Mistakes are
// located in the document of app.
func (p *Preview) Blueprint(ctx context.Context, app App) (*blueprint.Blueprint, error) {
	latest, err := p.latest(ctx, app.Application)
	if err != nil {
		return nil, err
	}
	draft, err := p.draft(ctx, app, latest)
	if err != nil {
		return nil, err
	}
	return p.resolve(ctx, app, draft)
}

// resolve pins what a draft uses.
func (p *Preview) resolve(ctx context.Context, app App, draft blueprint.Draft) (*blueprint.Blueprint, error) {
	var notes []string
	if p.Client == nil {
		draft.Workflow.Steps, notes = p.installed(ctx, draft.App.Namespace, draft.Workflow.Steps)
	}
	b, err := blueprint.Resolve(ctx, draft, p.definitions, p.options)
	if err != nil {
		return nil, p.Locate(app, err)
	}
	b.Warnings = append(append(b.Warnings, notes...), p.imported.notes...)
	for i, warning := range b.Warnings {
		b.Warnings[i] = source.LocateText(app.Document, p.documents, warning)
	}
	return &b, nil
}

// installed leaves out the steps whose type is not at hand. Offline nobody
// knows what a cluster has installed, and such steps render nothing.
func (p *Preview) installed(ctx context.Context, namespace string, steps []blueprint.Step) (kept []blueprint.Step, notes []string) {
	for _, s := range steps {
		ref := definition.Ref{Kind: definition.WorkflowStep, Name: s.Type}
		native := s.Type == blueprint.StepSuspend || s.Type == blueprint.StepGroup
		if _, err := p.definitions.Get(ctx, namespace, ref); !native && errors.Is(err, definition.ErrNotFound) {
			notes = append(notes, fmt.Sprintf("%s: step %q is left out: its type %q is not at hand", s.Origin, s.Name, s.Type))
			continue
		}
		var more []string
		s.SubSteps, more = p.installed(ctx, namespace, s.SubSteps)
		kept, notes = append(kept, s), append(notes, more...)
	}
	return kept, notes
}

// Locate adds file and line to mistakes in what app wrote, or in a policy or
// workflow that it refers to.
func (p *Preview) Locate(app App, err error) error {
	return source.Locate(app.Document, p.documents, err)
}

// references finds what Applications refer to, in the documents and then in
// the cluster.
type references struct {
	policies  map[client.ObjectKey]*v1alpha1.Policy
	workflows map[client.ObjectKey]*v1alpha1.Workflow
	online    blueprint.References
}

// Policy implements blueprint.References.
func (r references) Policy(ctx context.Context, namespace, name string) (*v1alpha1.Policy, error) {
	if policy := r.policies[client.ObjectKey{Namespace: namespace, Name: name}]; policy != nil {
		return policy, nil
	}
	if r.online == nil {
		return nil, apierrors.NewNotFound(schema.GroupResource{Group: v1beta1.Group, Resource: "policies"}, name)
	}
	return r.online.Policy(ctx, namespace, name)
}

// Workflow implements blueprint.References.
func (r references) Workflow(ctx context.Context, namespace, name string) (*v1alpha1.Workflow, error) {
	if workflow := r.workflows[client.ObjectKey{Namespace: namespace, Name: name}]; workflow != nil {
		return workflow, nil
	}
	if r.online == nil {
		return nil, apierrors.NewNotFound(schema.GroupResource{Group: v1beta1.Group, Resource: "workflows"}, name)
	}
	return r.online.Workflow(ctx, namespace, name)
}
