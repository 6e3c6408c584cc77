package step_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/oam"
	"github.com/seed-c5f95f19/vela/pkg/test/golden"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
	"github.com/seed-c5f95f19/vela/pkg/workflow/step"
)

// TestSteps runs one step of a definition through the engine. An archive holds
// definition.cue, and optionally properties.json, outputs.json (name to
// valueFrom), objects.json (what the control plane has), policies.json (of the
// Application), unhealthy (nothing that
// is sent gets healthy at first) and moves: what happens between the runs.
func TestSteps(t *testing.T) {
	golden.Run(t, "testdata/*.txtar", func(t *testing.T, in golden.Files) golden.Files {
		w := newWorld()
		for _, o := range decode[[]map[string]any](t, in["objects.json"]) {
			w.put("", o)
		}
		w.unhealthy = in["unhealthy"] != ""
		w.policies = decode[[]map[string]any](t, in["policies.json"])
		s := workflow.Step{Name: "step", Type: "it", Properties: decode[map[string]any](t, in["properties.json"])}
		for name, expr := range decode[map[string]string](t, in["outputs.json"]) {
			s.Outputs = append(s.Outputs, workflow.Output{Name: name, ValueFrom: expr})
		}
		p := player{t: t, world: w, spec: workflow.Spec{Steps: []workflow.Step{s}}, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
		p.progress.Vars.Values = map[string]any{"shared": map[string]any{"n": int64(1)}}
		p.env = environment(w, in["definition.cue"], &p.now)
		p.run()
		for line := range strings.Lines(in["moves"]) {
			p.move(strings.TrimSpace(line))
			p.run()
		}
		return golden.Files{"want.txt": p.out.String()}
	})
}

func environment(w *world, text string, now *time.Time) workflow.Env {
	engine := cue.NewEngine(cue.Options{Packages: all.WorkflowSchemas()})
	return workflow.Env{
		Engine: engine, Now: func() time.Time { return *now },
		Context: map[string]any{"name": "app", "namespace": "default", "appName": "app"},
		Runners: step.Runners(step.Options{
			Engine:     engine,
			Definition: func(string) (step.Definition, error) { return step.Definition{Name: "it", Text: text}, nil },
			Deployer:   func(string) oam.Deployer { return deployer{w} },
			Deps:       all.Deps{Reader: w, Writer: w, Fleet: w, Envs: w, Modules: w, Application: w, Namespace: "default"},
		}),
	}
}

func decode[T any](t *testing.T, text string) (out T) {
	t.Helper()
	if text == "" {
		return out
	}
	v, err := provider.Unmarshal([]byte(text))
	if err == nil {
		err = provider.Decode(v, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A player writes down what happens.
type player struct {
	t        *testing.T
	world    *world
	spec     workflow.Spec
	env      workflow.Env
	now      time.Time
	progress workflow.Progress
	out      strings.Builder
}

func (p *player) run() {
	p.t.Helper()
	p.world.writes = nil
	next, again, err := workflow.Run(p.t.Context(), p.spec, p.progress, p.env)
	if err != nil {
		p.t.Fatal(err)
	}
	p.progress = next
	s := next.Steps[0]
	fmt.Fprintf(&p.out, "%s: %s/%s %q", next.Phase, s.Phase, s.Reason, s.Message)
	if s.Plan != nil {
		fmt.Fprintf(&p.out, " plan %s approved %q", s.Plan.Digest, s.Plan.Approved)
	}
	if !again.IsZero() {
		fmt.Fprintf(&p.out, " again in %s", again.Sub(p.now))
	}
	p.out.WriteString("\n")
	for _, line := range p.world.writes {
		p.out.WriteString("  " + line + "\n")
	}
	if next.Finished {
		b, err := json.Marshal(next.Vars.Values)
		if err != nil {
			p.t.Fatal(err)
		}
		fmt.Fprintf(&p.out, "  values %s\n", b)
	}
}

// move does what a line says: resume, wait 1m, unhealthy, healthy, or an object
// that appears in the control plane.
func (p *player) move(line string) {
	p.t.Helper()
	var err error
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "resume":
		p.progress, err = workflow.Resume(p.progress, "", workflow.Approver{}, p.now)
	case "wait":
		var d time.Duration
		d, err = time.ParseDuration(rest)
		p.now = p.now.Add(d)
	case "unhealthy", "healthy":
		p.world.unhealthy = verb == "unhealthy"
	case "object":
		p.world.put("", decode[map[string]any](p.t, rest))
	default:
		err = fmt.Errorf("unknown move %q", line)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}
