package step_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/oam"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
	"github.com/seed-c5f95f19/vela/pkg/workflow/step"
)

func props(kv ...any) map[string]any {
	out := map[string]any{}
	for i := 0; i < len(kv); i += 2 {
		out[kv[i].(string)] = kv[i+1]
	}
	return out
}

// TestNativeSteps: the steps in Go, and the definitions that take their place.
func TestNativeSteps(t *testing.T) {
	deploy := deployTo("production", nil)
	cases := map[string]struct {
		steps []workflow.Step
		how   string // native by default
		fleet fleet
		want  string // of the first step
		again time.Duration
	}{
		"deploy with a wrong property": {
			steps: []workflow.Step{deployTo("production", props("auto", "yes"))},
			want:  `failed/Rendering "auto: expected bool, got string"`,
		},
		"a copied deploy with a wrong property": {
			how:   copied,
			steps: []workflow.Step{deployTo("production", props("auto", "yes"))},
			want:  `failed/Rendering "auto: expected bool, got string \"yes\""`,
		},
		"deploy that is not healthy is left to events": {
			steps: []workflow.Step{deploy},
			fleet: fleet{unhealthy: map[string]bool{"production": true}},
			want:  `running/Wait "production is starting"`,
		},
		"a copied deploy that is not healthy is left to events": {
			how:   copied,
			steps: []workflow.Step{deploy},
			fleet: fleet{unhealthy: map[string]bool{"production": true}},
			want:  `running/Wait "production is starting"`,
		},
		"deploy to a cluster that is away is tried again": {
			steps: []workflow.Step{deploy},
			fleet: fleet{away: errors.New("production does not answer")},
			want:  `failed/Execute "production does not answer"`, again: time.Second,
		},
		"a copied deploy to a cluster that is away is tried again": {
			how:   copied,
			steps: []workflow.Step{deploy},
			fleet: fleet{away: errors.New("production does not answer")},
			want:  `failed/Execute "deploy: production does not answer (line 11 of the definition)"`, again: time.Second,
		},
		"an approval is not asked for before the plan is known": {
			how:   copied,
			steps: []workflow.Step{deployTo("production", props("auto", false))},
			fleet: fleet{away: errors.New("production does not answer")},
			want:  `failed/Execute "deploy: production does not answer (line 11 of the definition)"`, again: time.Second,
		},
		"apply-component without a component": {
			steps: []workflow.Step{{Name: "a", Type: "apply-component"}},
			want:  `failed/Rendering "component: is required: expected the name of a component"`,
		},
		"apply-component waits for health": {
			steps: []workflow.Step{{Name: "a", Type: "apply-component", Properties: props("component", "web", "cluster", "production")}},
			fleet: fleet{unhealthy: map[string]bool{"production": true}},
			want:  `running/Wait "production is starting"`,
		},
		"builtin-apply-component needs no definition": {
			steps: []workflow.Step{{Name: "a", Type: "builtin-apply-component", Properties: props("component", "web"),
				Outputs: []workflow.Output{{Name: "x", ValueFrom: "parameter.component"}}}},
			want: `succeeded/ ""`,
		},
		"a type that is not installed is looked for again": {
			steps: []workflow.Step{{Name: "a", Type: "nothing"}},
			want:  `failed/Execute "step type \"nothing\": workflow-step \"nothing\" is not installed"`, again: time.Second,
		},
		"suspend for a time": {
			steps: []workflow.Step{{Name: "a", Type: "suspend", Properties: props("duration", "1m", "message", "look first")}},
			want:  `suspending/Suspend "look first"`, again: time.Minute,
		},
		"a copied suspend for a time": {
			how:   copied,
			steps: []workflow.Step{{Name: "a", Type: "suspend", Properties: props("duration", "1m", "message", "look first")}},
			want:  `suspending/Suspend "look first"`, again: time.Minute,
		},
		"suspend for nonsense": {
			steps: []workflow.Step{{Name: "a", Type: "suspend", Properties: props("duration", "soon")}},
			want:  `failed/Rendering "duration: expected a duration such as 30s or 1h, got \"soon\""`,
		},
		"a copied suspend for nonsense": {
			how:   copied,
			steps: []workflow.Step{{Name: "a", Type: "suspend", Properties: props("duration", "soon")}},
			want:  `failed/Action "duration: expected a duration such as 30s or 1h, got \"soon\""`,
		},
		"suspend says why it shows no plan": {
			steps: []workflow.Step{{Name: "a", Type: "suspend"}, deploy},
			fleet: fleet{away: errors.New("production does not answer")},
			want:  `suspending/Suspend "suspended by step \"a\" (what follows cannot be planned: step \"production\": production does not answer)"`,
		},
		"suspend shows no plan that depends on other steps": {
			steps: []workflow.Step{{Name: "a", Type: "suspend"}, {Name: "b", Type: "deploy", Inputs: []workflow.Input{{From: "x", ParameterKey: "policies[0]"}}}},
			want:  `suspending/Suspend "suspended by step \"a\""`,
		},
		"suspend leaves the question to a deploy that asks itself": {
			steps: []workflow.Step{{Name: "a", Type: "suspend"}, deployTo("production", props("auto", false))},
			want:  `suspending/Suspend "suspended by step \"a\""`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			f := tc.fleet
			f.wanted = map[string]map[string]string{"production": {"web": "v1"}}
			f.live = map[string]map[string]string{}
			how := tc.how
			if how == "" {
				how = native
			}
			p, again, err := workflow.Run(t.Context(), workflow.Spec{Steps: tc.steps}, workflow.Progress{}, env(t, how, &f, &now))
			if err != nil {
				t.Fatal(err)
			}
			s := p.Steps[0]
			if got := fmt.Sprintf("%s/%s %q", s.Phase, s.Reason, s.Message); got != tc.want {
				t.Errorf("step is\n%s, want\n%s", got, tc.want)
			}
			var wait time.Duration
			if !again.IsZero() {
				wait = again.Sub(now)
			}
			if wait != tc.again {
				t.Errorf("again in %s, want %s", wait, tc.again)
			}
		})
	}
}

// The outputs of a component are those of its objects.
func TestComponentOutputs(t *testing.T) {
	w := newWorld()
	engine := cue.NewEngine(cue.Options{Packages: all.WorkflowSchemas()})
	env := workflow.Env{Engine: engine, Runners: step.Runners(step.Options{
		Engine: engine, Definition: definitions(t, native), Deployer: func(string) oam.Deployer { return deployer{w} },
	})}
	p, _, err := workflow.Run(t.Context(), workflow.Spec{Steps: []workflow.Step{{
		Name: "web", Type: "apply-component", Properties: props("component", "web"),
		Outputs: []workflow.Output{{Name: "name", ValueFrom: "output.metadata.name"}, {Name: "kind", ValueFrom: "outputs.svc.kind"}},
	}}}, workflow.Progress{}, env)
	if err != nil || p.Phase != workflow.Succeeded {
		t.Fatalf("Run() = %+v, %v", p.Steps, err)
	}
	if p.Vars.Values["name"] != "web" || p.Vars.Values["kind"] != "Service" {
		t.Errorf("values %v", p.Vars.Values)
	}
}

// Without an Application there is nothing to deliver, and the step says so.
func TestNothingToDeliver(t *testing.T) {
	engine := cue.NewEngine(cue.Options{Packages: all.WorkflowSchemas()})
	env := workflow.Env{Engine: engine, Runners: step.Runners(step.Options{Engine: engine, Definition: definitions(t, native)})}
	p, _, err := workflow.Run(t.Context(), workflow.Spec{Steps: []workflow.Step{deployTo("production", nil)}}, workflow.Progress{}, env)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.Steps[0].Message, `deploy: there is no action "deploy" of provider "multicluster" here`; got != want {
		t.Errorf("message %q, want %q", got, want)
	}
}
