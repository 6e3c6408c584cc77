package deftest

import (
	"context"
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/definition"
)

// A policyInput is one use of a policy.
type policyInput struct {
	Type       string         `json:"type"`
	Properties map[string]any `json:"properties"`
}

func (r *Runner) policyFile(ctx context.Context, name string, in, out Files) error {
	var p policyInput
	if err := yaml.UnmarshalStrict([]byte(in[name]), &p); err != nil {
		return err
	}
	return r.policy(ctx, "want/"+strings.TrimPrefix(name, "properties/"), p, out)
}

// policy writes down what the properties become with the defaults, and the
// objects that the policy gives; or what is wrong with them.
func (r *Runner) policy(ctx context.Context, name string, p policyInput, out Files) error {
	d, err := r.defs.Get(ctx, appNamespace, definition.Ref{Kind: definition.Policy, Name: p.Type})
	if err != nil {
		return err
	}
	tmpl, err := r.components.Compile(cue.Source{Kind: string(definition.Policy), Name: d.Name, Text: d.Template})
	if err != nil {
		return fmt.Errorf("%s definition %q does not compile: %w", d.Kind, d.Name, err)
	}
	wrong := func(err error) error {
		out[name], err = document(map[string]any{"wrong": err.Error()})
		return err
	}
	if err := tmpl.Check(p.Properties); err != nil {
		return wrong(err)
	}
	res, err := tmpl.Eval(ctx, cue.Input{
		Parameter: p.Properties, ReadOnly: true, Actions: r.world(input{}).reads(),
		Context: map[string]any{"name": "the-policy", "namespace": appNamespace, "appName": appName},
	})
	if err != nil {
		return wrong(err)
	}
	parameter, _, err := res.Lookup("parameter")
	if err != nil {
		return wrong(err)
	}
	if out[name], err = document(parameter); err != nil {
		return err
	}
	return r.policyObjects(res, name, out)
}

// policyObjects adds what a policy gives beside its properties.
func (r *Runner) policyObjects(res *cue.Result, name string, out Files) error {
	var objects []map[string]any
	workload, err := res.Output()
	if err != nil {
		return err
	}
	if workload != nil {
		objects = append(objects, workload)
	}
	named, err := res.Outputs()
	if err != nil {
		return err
	}
	for _, n := range named {
		objects = append(objects, n.Object)
	}
	for _, o := range objects {
		text, err := document(o)
		if err != nil {
			return err
		}
		out[name] += "---\n" + text
	}
	return nil
}
