// Package oam is the provider package "vela/oam": templates of workflow steps
// apply and render components of the Application that they belong to.
//
// What it needs is stated in Deployer and Application and implemented by the
// delivery, so that a step written in CUE goes through the same plan, dispatch
// and inventory as everything else.
package oam

import (
	"context"
	_ "embed"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

//go:embed oam.cue
var schema string

// Options are what the package needs; actions of a part that is nil are not
// offered.
type Options struct {
	Deployer    Deployer
	Application Application
	Allow       Allow // asked before each effect; nil allows everything
}

// Schema is the text that templates import.
func Schema() provider.Schema { return provider.Schema{Path: "vela/oam", Text: schema} }

// New returns the package.
func New(o Options) provider.Package {
	p := provider.Package{Name: "oam", Schema: schema, Read: provider.Actions{}, Write: provider.Actions{}}
	if o.Deployer != nil {
		d := deployment{o}
		p.Write["component-apply"] = provider.Func(d.apply)
		p.Read["component-render"] = provider.Func(d.render)
	}
	if o.Application != nil {
		a := application{o.Application}
		p.Read["load"] = provider.Func(a.load)
		p.Read["load-policies"] = provider.Func(a.policies)
		p.Read["load-comps-in-order"] = provider.Func(a.inOrder)
	}
	return p
}

type componentIn struct {
	Cluster     string         `json:"cluster"`
	Env         string         `json:"env"`
	Namespace   string         `json:"namespace"`
	WaitHealthy bool           `json:"waitHealthy"`
	Value       map[string]any `json:"value"`
	Patch       map[string]any `json:"patch"`
}

type componentOut struct {
	Output  map[string]any            `json:"output,omitempty"`
	Outputs map[string]map[string]any `json:"outputs,omitempty"`
}

type deployment struct{ Options }

func (d deployment) apply(ctx context.Context, in componentIn) (componentOut, error) {
	res, err := d.Deployer.Apply(ctx, in.request(d.Allow))
	if err != nil {
		return componentOut{}, err
	}
	if in.WaitHealthy && !res.Healthy {
		return answer(res), Unhealthy{res.Message, res.After}
	}
	return answer(res), nil
}

func (d deployment) render(ctx context.Context, in componentIn) (componentOut, error) {
	res, err := d.Deployer.Render(ctx, in.request(nil))
	return answer(res), err
}

func (in componentIn) request(allow Allow) ApplyRequest {
	name, _ := in.Value["name"].(string)
	return ApplyRequest{
		Component: name, Value: in.Value, Patch: in.Patch,
		Cluster: in.Cluster, Namespace: in.Namespace, Env: in.Env, WaitHealthy: in.WaitHealthy, Allow: allow,
	}
}

func answer(res ApplyResult) componentOut {
	var out componentOut
	if res.Output != nil {
		out.Output = res.Output.Object
	}
	for name, o := range res.Outputs {
		if out.Outputs == nil {
			out.Outputs = map[string]map[string]any{}
		}
		out.Outputs[name] = o.Object
	}
	return out
}

type application struct{ Application }

type loadIn struct {
	App string `json:"app"`
}

type loadOut struct {
	Value map[string]map[string]any `json:"value"`
}

func (a application) load(ctx context.Context, in loadIn) (loadOut, error) {
	list, err := a.Components(ctx, in.App)
	return loadOut{byName(list)}, err
}

func (a application) policies(ctx context.Context, in loadIn) (loadOut, error) {
	list, err := a.Policies(ctx, in.App)
	return loadOut{byName(list)}, err
}

func (a application) inOrder(ctx context.Context, in loadIn) (any, error) {
	list, err := a.Components(ctx, in.App)
	if err != nil {
		return nil, err
	}
	value := make([]any, len(list))
	for i, c := range list {
		value[i] = c
	}
	return map[string]any{"value": value}, nil
}

func byName(list []map[string]any) map[string]map[string]any {
	out := make(map[string]map[string]any, len(list))
	for _, e := range list {
		if name, ok := e["name"].(string); ok {
			out[name] = e
		}
	}
	return out
}
