// Package kube is the provider package "vela/kube": templates read objects of
// the clusters, and workflow steps write them.
//
// The rendering compiler and the workflow compiler know different texts under
// this path: Definition and Workflow return them. Reading goes through Reader.
// Writing goes through Writer, which the owner of the run implements, so that
// objects that a step sends are recorded as everything else.
package kube

import (
	"context"
	_ "embed"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

//go:embed definition.cue
var definitionSchema string

//go:embed workflow.cue
var workflowSchema string

// A Reader reads objects; cluster "" is the control plane's own. Objects belong
// to the caller. An absent object or kind gives an error of apierrors or meta.
type Reader interface {
	Get(ctx context.Context, cluster string, gvk schema.GroupVersionKind, key types.NamespacedName) (*unstructured.Unstructured, error)
	List(ctx context.Context, cluster string, gvk schema.GroupVersionKind, filter Filter) ([]unstructured.Unstructured, error)
}

// A Filter chooses objects of one kind; an empty field chooses all.
type Filter struct {
	Namespace string            `json:"namespace,omitempty"`
	Labels    map[string]string `json:"matchingLabels,omitempty"`
}

// A Writer changes objects.
type Writer interface {
	// Apply makes the objects as they are given and returns them as they are then.
	Apply(ctx context.Context, cluster string, objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, error)
	// Merge changes an object that exists by a JSON merge patch.
	Merge(ctx context.Context, cluster string, gvk schema.GroupVersionKind, key types.NamespacedName, change map[string]any) (*unstructured.Unstructured, error)
	// Delete removes an object. One that is absent is no error.
	Delete(ctx context.Context, cluster string, object *unstructured.Unstructured) error
}

// Options are what the package needs; actions of a part that is nil are not
// offered.
type Options struct {
	Reader Reader
	Writer Writer
}

// DefinitionSchema is the text that components, traits and policies import.
func DefinitionSchema() provider.Schema {
	return provider.Schema{Path: "vela/kube", Text: definitionSchema}
}

// WorkflowSchema is the text that workflow steps import.
func WorkflowSchema() provider.Schema {
	return provider.Schema{Path: "vela/kube", Text: workflowSchema}
}

// Definition returns the package for components, traits and policies. It only
// reads.
func Definition(o Options) provider.Package {
	p := provider.Package{Name: "kube", Schema: definitionSchema, Read: provider.Actions{"apply": refuse, "patch": refuse}}
	if o.Reader != nil {
		p.Read["get"] = provider.Func(o.get)
		p.Read["list"] = provider.Func(o.listObject)
	}
	return p
}

// refuse answers what only workflow steps may do.
func refuse(_ context.Context, call provider.Call) (any, error) {
	return nil, fmt.Errorf("the action %q changes the cluster, which a rendering must not; return the object in output or outputs, or do it in a workflow step", call.Do)
}

// Workflow returns the package for workflow steps.
func Workflow(o Options) provider.Package {
	p := provider.Package{Name: "kube", Schema: workflowSchema, Read: provider.Actions{}, Write: provider.Actions{}}
	if o.Reader != nil {
		p.Read["read"] = provider.Func(o.read)
		p.Read["list"] = o.list
	}
	if o.Writer != nil {
		p.Write["apply"] = o.apply
		p.Write["apply-in-parallel"] = provider.Func(o.applyAll)
		if o.Reader != nil {
			p.Write["patch"] = o.patch
			p.Write["delete"] = provider.Func(o.delete)
		}
	}
	return p
}

// defaultNamespace is where an object without a namespace is.
const defaultNamespace = "default"

type valueIn struct {
	Cluster string `json:"cluster"`
	Value   object `json:"value"`
}

type valueOut struct {
	Value object `json:"value,omitempty"`
	Err   string `json:"err,omitempty"`
}

// absent says that there is no such object, or that its kind is not installed:
// both are data for a template, not failures.
func absent(err error) bool { return apierrors.IsNotFound(err) || meta.IsNoMatchError(err) }

func (o Options) read(ctx context.Context, in valueIn) (valueOut, error) {
	u, err := in.Value.named()
	if err != nil {
		return valueOut{}, err
	}
	got, err := o.fetch(ctx, in.Cluster, u)
	if absent(err) {
		return valueOut{Err: err.Error()}, nil
	}
	if err != nil {
		return valueOut{}, err
	}
	return valueOut{Value: got.Object}, nil
}

func (o Options) fetch(ctx context.Context, cluster string, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	got, err := o.Reader.Get(ctx, cluster, u.GroupVersionKind(), keyOf(u))
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w", u.GetKind(), keyOf(u), err)
	}
	return got, nil
}

type listIn struct {
	Cluster  string `json:"cluster"`
	Resource object `json:"resource"`
	Filter   Filter `json:"filter"`
}

// listObject answers with a list as the API server writes it.
func (o Options) listObject(ctx context.Context, in listIn) (object, error) {
	u, err := in.Resource.kind()
	if err != nil {
		return nil, err
	}
	items, err := o.Reader.List(ctx, in.Cluster, u.GroupVersionKind(), in.Filter)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", u.GetKind(), err)
	}
	list := make([]any, len(items))
	for i := range items {
		list[i] = items[i].Object
	}
	return object{"apiVersion": u.GetAPIVersion(), "kind": u.GetKind() + "List", "items": list}, nil
}

func (o Options) list(ctx context.Context, call provider.Call) (any, error) {
	var in listIn
	if err := provider.Decode(call.Params, &in); err != nil {
		return nil, fmt.Errorf("parameters of list: %w", err)
	}
	list, err := o.listObject(ctx, in)
	switch {
	case absent(err):
		return map[string]any{"err": err.Error()}, nil
	case err != nil:
		return nil, err
	case call.Flat:
		return map[string]any{"list": map[string]any(list)}, nil
	}
	return map[string]any{"values": map[string]any(list)}, nil
}

// get is the read of the rendering compiler: absence fails the rendering.
func (o Options) get(ctx context.Context, in struct {
	Cluster  string `json:"cluster"`
	Resource object `json:"resource"`
}) (object, error) {
	u, err := in.Resource.named()
	if err != nil {
		return nil, err
	}
	got, err := o.fetch(ctx, in.Cluster, u)
	if err != nil {
		return nil, err
	}
	return got.Object, nil
}

func (o Options) apply(ctx context.Context, call provider.Call) (any, error) {
	var in valueIn
	if err := provider.Decode(call.Params, &in); err != nil {
		return nil, fmt.Errorf("parameters of apply: %w", err)
	}
	u, err := in.Value.named()
	if err != nil {
		return nil, err
	}
	if u.Object, err = patched(call, u.Object); err != nil {
		return nil, err
	}
	sent, err := o.Writer.Apply(ctx, in.Cluster, []*unstructured.Unstructured{u})
	if err != nil {
		return nil, err
	}
	return map[string]any{"value": sent[0].Object}, nil
}

// patched merges the parameter patch into an object.
func patched(call provider.Call, base map[string]any) (map[string]any, error) {
	if call.Patch == nil {
		return base, nil
	}
	read, err := call.Patch("patch")
	if err != nil || read == nil {
		return base, err
	}
	return patch.Apply(base, read.(patch.Patch))
}

func (o Options) applyAll(ctx context.Context, in struct {
	Cluster string   `json:"cluster"`
	Value   []object `json:"value"`
}) (any, error) {
	objects := make([]*unstructured.Unstructured, len(in.Value))
	for i, v := range in.Value {
		u, err := v.named()
		if err != nil {
			return nil, fmt.Errorf("value[%d]: %w", i, err)
		}
		objects[i] = u
	}
	sent, err := o.Writer.Apply(ctx, in.Cluster, objects)
	if err != nil {
		return nil, err
	}
	value := make([]any, len(sent))
	for i, u := range sent {
		value[i] = u.Object
	}
	return map[string]any{"value": value}, nil
}

// patch changes an object that exists.
func (o Options) patch(ctx context.Context, call provider.Call) (any, error) {
	var in valueIn
	if err := provider.Decode(call.Params, &in); err != nil {
		return nil, fmt.Errorf("parameters of patch: %w", err)
	}
	u, err := in.Value.named()
	if err != nil {
		return nil, err
	}
	got, err := o.fetch(ctx, in.Cluster, u)
	if err != nil {
		return nil, err
	}
	wanted, err := patched(call, got.Object)
	if err != nil {
		return nil, err
	}
	change := difference(got.Object, wanted)
	if len(change) == 0 {
		return map[string]any{"result": got.Object}, nil
	}
	out, err := o.Writer.Merge(ctx, in.Cluster, u.GroupVersionKind(), keyOf(u), change)
	if err != nil {
		return nil, err
	}
	return map[string]any{"result": out.Object}, nil
}

func (o Options) delete(ctx context.Context, in struct {
	Cluster string  `json:"cluster"`
	Value   object  `json:"value"`
	Filter  *Filter `json:"filter"`
}) (any, error) {
	if in.Filter == nil {
		u, err := in.Value.named()
		if err != nil {
			return nil, err
		}
		return nil, o.Writer.Delete(ctx, in.Cluster, u)
	}
	u, err := in.Value.kind()
	if err != nil {
		return nil, err
	}
	if in.Filter.Namespace == "" {
		in.Filter.Namespace = keyOf(u).Namespace
	}
	items, err := o.Reader.List(ctx, in.Cluster, u.GroupVersionKind(), *in.Filter)
	if absent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", u.GetKind(), err)
	}
	for i := range items {
		if err := o.Writer.Delete(ctx, in.Cluster, &items[i]); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
