package deftest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/referred"
	"github.com/seed-c5f95f19/vela/pkg/delivery/render"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

func typeMeta(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: v1beta1.GroupVersion.String(), Kind: kind}
}

func objectMeta(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name} }

// application renders the Application of a test: its objects, or what is wrong
// with it, and its health with the live objects of the archive.
func (r *Runner) application(ctx context.Context, in input, files, out Files) error {
	b, err := r.blueprint(ctx, in, files["objects.yaml"])
	if err != nil {
		out["want/error"] = said(err)
		return nil
	}
	if len(b.Warnings) > 0 {
		out["want/warnings"] = strings.Join(b.Warnings, "\n") + "\n"
	}
	d := delivery{Runner: r, blueprint: b, input: in}
	docs, err := d.objects(ctx, nil)
	if err != nil {
		out["want/error"] = said(err)
		return nil
	}
	out["want.yaml"] = docs
	for _, name := range slices.Sorted(maps.Keys(files)) {
		rest, ok := strings.CutPrefix(name, "live")
		if !ok || rest != ".yaml" && !strings.HasPrefix(rest, "/") {
			continue
		}
		if err := d.live(ctx, files[name], rest, out); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// said is an error as a user reads it.
func said(err error) string { return fault.Message(err) + "\n" }

// blueprint resolves the Application. cluster are the objects that it can refer
// to.
func (r *Runner) blueprint(ctx context.Context, in input, cluster string) (*blueprint.Blueprint, error) {
	found, err := documents(cluster)
	if err != nil {
		return nil, fmt.Errorf("objects.yaml: %w", err)
	}
	draft, err := blueprint.Parse(ctx, in.app, nil)
	if err != nil {
		return nil, err
	}
	b, err := blueprint.Resolve(ctx, draft, r.defs, blueprint.Options{Components: r.components, Steps: r.steps, Objects: objects(found)})
	return &b, err
}

// objects are what components can refer to.
type objects []map[string]any

// Find implements blueprint.Objects. A test without objects may have the objects
// themselves where an Application has what names them.
func (o objects) Find(ctx context.Context, namespace string, c blueprint.Component) ([]map[string]any, error) {
	if len(o) > 0 {
		var files referred.Files
		for _, object := range o {
			files = append(files, unstructured.Unstructured{Object: object})
		}
		return (&referred.Finder{Sources: []referred.Source{files}}).Find(ctx, namespace, c)
	}
	list, _ := c.Properties["objects"].([]any)
	var out []map[string]any
	for _, v := range list {
		if object, ok := v.(map[string]any); ok {
			out = append(out, object)
		}
	}
	return out, nil
}

// A delivery is one Application of a test that could be resolved.
type delivery struct {
	*Runner
	blueprint *blueprint.Blueprint
	input     input
}

func (d delivery) request(c blueprint.Component, live *render.Live, w *world) render.Request {
	return render.Request{
		Blueprint: d.blueprint, Component: c, Cluster: d.input.cluster.Name, Namespace: d.blueprint.App.Namespace,
		ClusterVersion: render.ClusterVersion{Major: "1", Minor: d.input.cluster.Minor, GitVersion: fmt.Sprintf("v1.%d.0", d.input.cluster.Minor), Platform: "linux/amd64"},
		RevisionName:   d.blueprint.App.Name + "-v1", RevisionNumber: 1,
		Live: live, Actions: w.reads(),
	}
}

// objects writes down what the templates give, one document for each object,
// and before them the requests that were sent to render them.
func (d delivery) objects(ctx context.Context, live map[string]*render.Live) (string, error) {
	var docs []string
	w := d.world(d.input)
	for _, c := range d.blueprint.Components {
		if _, err := d.renderer.Parts(ctx, d.request(c, live[c.Name], d.world(d.input))); err != nil {
			return "", err // as a delivery would refuse it
		}
		bare, err := d.renderer.Bare(ctx, d.request(c, live[c.Name], w))
		if err != nil {
			return "", err
		}
		for _, request := range w.taken() {
			text, err := document(request)
			if err != nil {
				return "", err
			}
			docs = append(docs, "# request\n"+text)
		}
		for _, o := range bare {
			text, err := document(o.Fields)
			if err != nil {
				return "", err
			}
			docs = append(docs, text)
		}
	}
	return strings.Join(docs, "---\n"), nil
}

// manifests are the objects of a component as they are sent.
func (d delivery) manifests(ctx context.Context, c blueprint.Component, live *render.Live) ([]manifest.Manifest, error) {
	return d.renderer.Parts(ctx, d.request(c, live, d.world(d.input)))
}

// waits lists the traits of a component that are sent after it is healthy.
func (d delivery) waits(c blueprint.Component) []string {
	var out []string
	for _, t := range c.Traits {
		def := d.blueprint.Definitions[definition.Ref{Kind: definition.Trait, Name: t.Type}]
		if def.Stage == string(manifest.PostDispatch) {
			out = append(out, t.Type)
		}
	}
	return out
}
