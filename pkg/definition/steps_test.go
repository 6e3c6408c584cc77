package definition_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cuelang.org/go/cue/format"
	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/test/golden"
)

// What a workflow step asks of its providers. An archive has runs under run/:
// the properties of the step and, by the path of the call, what the provider
// answers; a call that has no answer gets none. The output lists the calls in
// their order and how the run ended.
func TestBuiltinSteps(t *testing.T) {
	defs, err := definition.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	goldenRuns(t, "builtin/workflowstep/*/*.txtar", func(t *testing.T, name string) string {
		t.Helper()
		return must(defs.Get(t.Context(), "default", definition.Ref{Kind: definition.WorkflowStep, Name: name}))(t).Template
	})
}

// The views of the chart, which are made of the same calls.
func TestViews(t *testing.T) {
	views, err := filepath.Glob("../../charts/vela-core/views/*.cue")
	if err != nil || len(views) == 0 {
		t.Fatalf("no views (%v)", err)
	}
	for _, view := range views {
		text := must(os.ReadFile(view))(t)
		if formatted := must(format.Source(text))(t); os.Getenv("UPDATE") != "" {
			if err := os.WriteFile(view, formatted, 0o600); err != nil {
				t.Fatal(err)
			}
		} else if string(formatted) != string(text) {
			t.Errorf("%s is not formatted; UPDATE=1 does it", view)
		}
		name := strings.TrimSuffix(filepath.Base(view), ".cue")
		if _, err := os.Stat("testdata/views/" + name + ".txtar"); err != nil {
			t.Errorf("there is no golden file: %v", err)
		}
	}
	goldenRuns(t, "testdata/views/*.txtar", func(t *testing.T, name string) string {
		t.Helper()
		return string(must(os.ReadFile("../../charts/vela-core/views/" + name + ".cue"))(t))
	})
}

// goldenRuns executes the runs in archives; template finds what they run.
func goldenRuns(t *testing.T, archives string, template func(t *testing.T, name string) string) {
	t.Helper()
	engine := cue.NewEngine(cue.Options{Packages: stepPackages()})
	golden.Run(t, archives, func(t *testing.T, in golden.Files) golden.Files {
		out := golden.Files{}
		for _, name := range in.Under("run") {
			var r stepRun
			if err := yaml.UnmarshalStrict([]byte(in["run/"+name]), &r); err != nil {
				t.Fatal(err)
			}
			tmpl, err := engine.Compile(cue.Source{Kind: "workflow-step", Name: r.Type, Text: template(t, r.Type)})
			if err != nil {
				t.Fatalf("compile %q: %v", r.Type, err)
			}
			out["want/"+name] = text(t, r.run(t, tmpl))
		}
		return out
	})
}

// stepPackages are the packages that steps import.
func stepPackages() []provider.Schema {
	return all.WorkflowSchemas()
}

type stepRun struct {
	Type       string         `json:"type"`
	Properties map[string]any `json:"properties"`
	Answers    map[string]any `json:"answers"` // by path of the call
	Show       []string       `json:"show"`    // expressions over the executed step
}

type stepOutcome struct {
	Calls []stepCall     `json:"calls"`
	End   string         `json:"end"`
	Shown map[string]any `json:"shown,omitempty"`
}

type stepCall struct {
	Call   string `json:"call"`
	Params any    `json:"params,omitempty"`
}

func (r stepRun) run(t *testing.T, tmpl *cue.Template) stepOutcome {
	t.Helper()
	var out stepOutcome
	answer := func(_ context.Context, c provider.Call) (any, error) {
		out.Calls = append(out.Calls, stepCall{c.Path + ": " + c.Provider + "." + c.Do, c.Params})
		switch c.Provider + "." + c.Do {
		case "builtin.suspend":
			if r.Answers[c.Path] == "resumed" {
				return nil, nil
			}
			return nil, provider.Suspend{}
		case "builtin.fail":
			return nil, provider.Fail{Message: fmt.Sprint(c.Params.(map[string]any)["message"])}
		case "builtin.wait":
			if c.Params.(map[string]any)["continue"] != true {
				return nil, provider.Wait{}
			}
			return nil, nil
		}
		return r.Answers[c.Path], nil
	}
	res, err := tmpl.Eval(t.Context(), cue.Input{
		Parameter: r.Properties,
		Context:   map[string]any{"name": "app", "appName": "app", "namespace": "default", "stepName": "the-step", "stepSessionID": "id", "spanID": "span"},
		Actions:   everyAction{answer}.table(),
	})
	out.End = "done"
	var signal interface{ Error() string }
	for _, s := range []any{new(provider.Suspend), new(provider.Wait), new(provider.Fail), new(provider.Break)} {
		if errors.As(err, s) {
			signal = err
			out.End = err.Error()
		}
	}
	if err != nil && signal == nil {
		t.Fatalf("step %q: %v", r.Type, err)
	}
	for _, expr := range r.Show {
		v, err := res.Expr(expr)
		if err != nil {
			t.Fatalf("show %s: %v", expr, err)
		}
		if out.Shown == nil {
			out.Shown = map[string]any{}
		}
		out.Shown[expr] = v
	}
	return out
}

// everyAction offers one action under every name that the packages declare.
type everyAction struct{ action provider.Action }

func (e everyAction) table() provider.Table {
	table := provider.Table{}
	for _, p := range stepPackages() {
		do := ""
		for _, line := range strings.Split(p.Text, "\n") {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
			value = strings.Trim(strings.TrimSpace(value), `"`)
			switch key {
			case "#do":
				do = value
			case "#provider":
				if table[value].Write == nil {
					table[value] = provider.Bound{Write: provider.Actions{}}
				}
				table[value].Write[do] = e.action
			}
		}
	}
	return table
}
