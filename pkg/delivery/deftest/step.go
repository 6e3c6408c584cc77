package deftest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/definition"
)

// A stepInput is one run of a workflow step.
type stepInput struct {
	Type       string         `json:"type"`
	Properties map[string]any `json:"properties"`
	Answers    map[string]any `json:"answers"` // by the path of the call
	Show       []string       `json:"show"`    // expressions over the executed step
}

// A stepOutcome is what a step asked for and how it ended.
type stepOutcome struct {
	Calls []stepCall     `json:"calls"`
	End   string         `json:"end"`
	Shown map[string]any `json:"shown,omitempty"`
}

type stepCall struct {
	Call   string `json:"call"`
	Params any    `json:"params,omitempty"`
}

func (r *Runner) stepFile(ctx context.Context, name string, in, out Files) error {
	var s stepInput
	if err := yaml.UnmarshalStrict([]byte(in[name]), &s); err != nil {
		return err
	}
	return r.step(ctx, "want/"+strings.TrimPrefix(name, "run/"), s, out)
}

// step runs a step once and writes down its calls in their order.
func (r *Runner) step(ctx context.Context, name string, s stepInput, out Files) error {
	d, err := r.defs.Get(ctx, appNamespace, definition.Ref{Kind: definition.WorkflowStep, Name: s.Type})
	if err != nil {
		return err
	}
	tmpl, err := r.steps.Compile(cue.Source{Kind: string(definition.WorkflowStep), Name: d.Name, Text: d.Template})
	if err != nil {
		return fmt.Errorf("%s definition %q does not compile: %w", d.Kind, d.Name, err)
	}
	var o stepOutcome
	res, err := tmpl.Eval(ctx, cue.Input{
		Parameter: s.Properties,
		Context: map[string]any{
			"name": appName, "appName": appName, "namespace": appNamespace,
			"stepName": "the-step", "stepSessionID": "id", "spanID": "span",
		},
		Actions: o.listen(s.Answers),
	})
	switch o.End = "done"; {
	case signal(err):
		o.End = err.Error()
	case err != nil:
		o.End = "error: " + said(err)
	default:
		if err := res.Err(); err != nil {
			o.End = "error: " + said(err)
		}
	}
	o.End = strings.TrimSpace(o.End)
	for _, expr := range s.Show {
		v, err := res.Expr(expr)
		if err != nil {
			return fmt.Errorf("show %s: %w", expr, err)
		}
		if o.Shown == nil {
			o.Shown = map[string]any{}
		}
		o.Shown[expr] = v
	}
	out[name], err = document(o)
	return err
}

// signal reports whether a run ended as an outcome.
func signal(err error) bool {
	for _, s := range []any{new(provider.Suspend), new(provider.Wait), new(provider.Fail), new(provider.Break)} {
		if err != nil && errors.As(err, s) {
			return true
		}
	}
	return false
}

// listen answers every call as the test says and writes it down.
func (o *stepOutcome) listen(answers map[string]any) provider.Table {
	table := provider.Table{}
	for _, a := range offered(all.WorkflowSchemas()) {
		if table[a.provider].Write == nil {
			table[a.provider] = provider.Bound{Write: provider.Actions{}}
		}
		table[a.provider].Write[a.do] = func(_ context.Context, c provider.Call) (any, error) {
			o.Calls = append(o.Calls, stepCall{c.Path + ": " + c.Provider + "." + c.Do, c.Params})
			return reply(c, answers)
		}
	}
	return table
}

// reply is what a provider says to a call.
func reply(c provider.Call, answers map[string]any) (any, error) {
	params, _ := c.Params.(map[string]any)
	switch c.Provider + "." + c.Do {
	case "builtin.suspend":
		if answers[c.Path] == "resumed" {
			return nil, nil
		}
		return nil, provider.Suspend{}
	case "builtin.fail":
		return nil, provider.Fail{Message: fmt.Sprint(params["message"])}
	case "builtin.wait":
		if params["continue"] != true {
			return nil, provider.Wait{}
		}
		return nil, nil
	}
	return answers[c.Path], nil
}
