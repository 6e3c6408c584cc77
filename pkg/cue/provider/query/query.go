// Package query is the provider package "vela/query", and its older dialect in
// "vela/ql": templates of workflow steps and views ask what an Application owns,
// what runs of it, how it is reached, and what its pods say.
//
// It only reads. What answers is a World, which the owner of the run implements;
// this package turns questions of templates into questions to it, and answers
// into the shapes that templates of KubeVela expect. An Application or a pod that
// does not exist is an answer (`err`), a cluster that cannot be asked is an error.
package query

import (
	"context"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/kube"
)

//go:embed query.cue
var text string

//go:embed flat.cue
var flat string

// Schema is the text that templates import.
func Schema() provider.Schema { return provider.Schema{Path: "vela/query", Text: text} }

// Flat is the text of the older dialect, a part of the packages "vela/op" and
// "vela/ql".
func Flat() string { return flat }

// Options are what the package needs; actions of a part that is nil are not
// offered.
type Options struct {
	World  World
	Reader kube.Reader // of events
}

// New returns the package.
func New(o Options) provider.Package {
	p := provider.Package{Name: "query", Schema: text, Read: provider.Actions{}}
	if o.World != nil {
		p.Read["listResourcesInApp"] = provider.Func(o.objects)
		p.Read["listAppliedResources"] = provider.Func(o.applied)
		p.Read["collectResources"] = provider.Func(o.collect)
		p.Read["collectServiceEndpoints"] = provider.Func(o.endpoints)
		p.Read["collectLogsInPod"] = provider.Func(o.log)
	}
	if o.Reader != nil {
		p.Read["searchEvents"] = provider.Func(o.events)
	}
	return p
}

// A question is about one Application.
type question struct {
	App struct {
		Name       string `json:"name"`
		Namespace  string `json:"namespace"`
		Filter     filter `json:"filter"`
		WithStatus bool   `json:"withStatus"`
		WithTree   bool   `json:"withTree"`
	} `json:"app"`
}

type filter struct {
	Cluster          string   `json:"cluster"`
	ClusterNamespace string   `json:"clusterNamespace"`
	Components       []string `json:"components"`
	Kind             string   `json:"kind"`
	APIVersion       string   `json:"apiVersion"`
}

// place chooses by where an object is and what it is part of.
func (f filter) place(r Resource) bool {
	return (f.Cluster == "" || f.Cluster == r.Cluster) &&
		(f.ClusterNamespace == "" || f.ClusterNamespace == r.Namespace) &&
		(len(f.Components) == 0 || slices.Contains(f.Components, r.Component))
}

// kind chooses by what an object is.
func (f filter) kind(gvk schema.GroupVersionKind) bool {
	return (f.Kind == "" || f.Kind == gvk.Kind) && (f.APIVersion == "" || f.APIVersion == gvk.GroupVersion().String())
}

// An answer is a list, or why there is none.
type answer[T any] struct {
	List []T    `json:"list"`
	Err  string `json:"err,omitempty"`
}

// answered turns what is absent into an answer.
func answered[T any](list []T, err error) (any, error) {
	switch {
	case absent(err):
		return map[string]any{"err": err.Error()}, nil
	case err != nil:
		return nil, err
	case list == nil:
		list = []T{}
	}
	return answer[T]{List: list}, nil
}

func absent(err error) bool { return apierrors.IsNotFound(err) || meta.IsNoMatchError(err) }

// owned returns what the Application of the question owns, where the filter
// leads.
func (o Options) owned(ctx context.Context, q question) ([]Resource, error) {
	if q.App.Name == "" {
		return nil, errors.New("app.name is empty")
	}
	all, err := o.World.Owned(ctx, types.NamespacedName{Namespace: q.App.Namespace, Name: q.App.Name})
	if err != nil {
		return nil, fmt.Errorf("what %s/%s owns: %w", q.App.Namespace, q.App.Name, err)
	}
	return slices.DeleteFunc(slices.Clone(all), func(r Resource) bool { return !q.App.Filter.place(r) }), nil
}

func (o Options) ofKind(ctx context.Context, q question) ([]Resource, error) {
	all, err := o.owned(ctx, q)
	return slices.DeleteFunc(all, func(r Resource) bool { return !q.App.Filter.kind(r.GVK) }), err
}

func (o Options) objects(ctx context.Context, q question) (any, error) {
	of, err := o.ofKind(ctx, q)
	if err != nil {
		return answered[object](nil, err)
	}
	live, err := o.World.Live(ctx, of)
	if err != nil {
		return nil, err
	}
	var out []object
	for i, l := range live {
		if l == nil {
			continue
		}
		out = append(out, object{Cluster: of[i].Cluster, Component: of[i].Component, Revision: of[i].Revision, Object: content(l, q.App.WithStatus)})
	}
	return answered(out, nil)
}

func (o Options) applied(ctx context.Context, q question) (any, error) {
	of, err := o.ofKind(ctx, q)
	if err != nil {
		return answered[applied](nil, err)
	}
	var trees []Node
	if q.App.WithTree {
		if trees, err = o.World.Trees(ctx, of); err != nil {
			return nil, err
		}
	}
	out := make([]applied, len(of))
	for i, r := range of {
		out[i] = appliedOf(r)
		if q.App.WithTree {
			out[i].grow(r, trees[i])
		}
	}
	return answered(out, nil)
}

// collect answers with the objects of one kind among what is owned and what
// hangs on it.
func (o Options) collect(ctx context.Context, q question) (any, error) {
	of, err := o.owned(ctx, q)
	if err != nil {
		return answered[item](nil, err)
	}
	trees, err := o.World.Trees(ctx, of)
	if err != nil {
		return nil, err
	}
	var out []item
	for i, t := range trees {
		out = collected(out, q.App.Filter, of[i], t)
	}
	return answered(out, nil)
}

func (o Options) endpoints(ctx context.Context, q question) (any, error) {
	of, err := o.owned(ctx, q)
	if err != nil {
		return answered[serviceEndpoint](nil, err)
	}
	found, err := o.World.Endpoints(ctx, of)
	if err != nil {
		return nil, err
	}
	out := make([]serviceEndpoint, len(found))
	for i, e := range found {
		out[i] = endpointOf(e)
	}
	return answered(out, nil)
}

type container struct {
	Cluster   string     `json:"cluster"`
	Namespace string     `json:"namespace"`
	Pod       string     `json:"pod"`
	Options   LogOptions `json:"options"`
}

// log answers with the log in base64, as templates of KubeVela decode it.
func (o Options) log(ctx context.Context, in container) (any, error) {
	if in.Pod == "" || in.Options.Container == "" {
		return nil, errors.New("the log needs the name of a pod and of a container")
	}
	got, err := o.World.Log(ctx, Container(in))
	if absent(err) || apierrors.IsBadRequest(err) { // such as a container that has not started
		return map[string]any{"outputs": map[string]any{"err": err.Error()}}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("log of pod %s/%s: %w", in.Namespace, in.Pod, err)
	}
	return map[string]any{"outputs": map[string]any{
		"logs": base64.StdEncoding.EncodeToString(got.Text),
		"info": map[string]any{"fromDate": got.From.UTC().Format(time.RFC3339), "toDate": got.To.UTC().Format(time.RFC3339)},
	}}, nil
}
