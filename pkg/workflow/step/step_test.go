package step_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/oam"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
	"github.com/seed-c5f95f19/vela/pkg/workflow/step"
)

// fleet is a few clusters in memory: objects by name with their content. What a
// step delivers is chosen by its first policy.
type fleet struct {
	wanted, live map[string]map[string]string // cluster -> object -> content
	writes       []string
	unhealthy    map[string]bool
	die          int   // after how many writes the process ends; 0 is never
	away         error // nothing can be planned
}

var errDied = errors.New("the process died")

func (f *fleet) plan(cluster string) oam.Plan {
	var p oam.Plan
	for _, name := range slices.Sorted(maps.Keys(f.wanted[cluster])) {
		e := oam.Entry{Object: cluster + ": " + name, Action: "create", Wanted: f.wanted[cluster][name]}
		switch live, ok := f.live[cluster][name]; {
		case ok && live == e.Wanted:
			continue
		case ok:
			e.Action, e.Text = "update", fmt.Sprintf("%s -> %s", live, e.Wanted)
		}
		p.Entries = append(p.Entries, e)
	}
	p.Digest = fmt.Sprintf("sha256:%x", sha256.Sum256(fmt.Appendf(nil, "%#v", p.Entries)))
	return p
}

func (f *fleet) Deploy(_ context.Context, req oam.DeployRequest) (oam.DeployResult, error) {
	if f.away != nil {
		return oam.DeployResult{}, f.away
	}
	cluster := req.Policies[0]
	plan := f.plan(cluster)
	if req.Allow != nil {
		if err := req.Allow(plan); err != nil {
			return oam.DeployResult{}, fmt.Errorf("deploy to %s: %w", cluster, err)
		}
	}
	for _, e := range plan.Entries {
		name := strings.TrimPrefix(e.Object, cluster+": ")
		if f.live[cluster] == nil {
			f.live[cluster] = map[string]string{}
		}
		f.live[cluster][name] = e.Wanted
		f.writes = append(f.writes, e.Object+"="+e.Wanted)
		if f.die > 0 && len(f.writes) == f.die {
			f.die = 0
			panic(errDied)
		}
	}
	return oam.DeployResult{Healthy: !f.unhealthy[cluster], Message: cluster + " is starting"}, nil
}

func (f *fleet) Apply(ctx context.Context, req oam.ApplyRequest) (oam.ApplyResult, error) {
	res, err := f.Deploy(ctx, oam.DeployRequest{Policies: []string{req.Cluster}, Allow: req.Allow})
	return oam.ApplyResult{Healthy: res.Healthy, Message: res.Message}, err
}

func (f *fleet) Render(context.Context, oam.ApplyRequest) (oam.ApplyResult, error) {
	return oam.ApplyResult{}, nil
}

const (
	native = "native" // the built-in definitions
	copied = "copied" // the same text, installed by somebody
	flat   = "flat"   // the older dialect
)

const flatDeploy = `
import "vela/op"
if parameter.auto == false {
	suspend: op.#Suspend & {message: "Waiting approval to the deploy step \"\(context.stepName)\""}
}
deploy: op.#Deploy & {
	policies:                 parameter.policies
	parallelism:              parameter.parallelism
	ignoreTerraformComponent: parameter.ignoreTerraformComponent
}
parameter: {
	auto: *true | bool
	policies: *[] | [...string]
	parallelism: *5 | int
	ignoreTerraformComponent: *true | bool
}
`

func definitions(t *testing.T, how string) func(string) (step.Definition, error) {
	t.Helper()
	store, err := definition.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return func(stepType string) (step.Definition, error) {
		if how == flat && stepType == "deploy" {
			return step.Definition{Name: stepType, Text: flatDeploy}, nil
		}
		def, err := store.Get(t.Context(), "", definition.Ref{Kind: definition.WorkflowStep, Name: stepType})
		return step.Definition{Name: def.Name, Text: def.Template, Builtin: how == native}, err
	}
}

// env is one process; another one can continue from the same progress.
func env(t *testing.T, how string, f *fleet, now *time.Time) workflow.Env {
	t.Helper()
	engine := cue.NewEngine(cue.Options{Packages: all.WorkflowSchemas()})
	return workflow.Env{
		Runners: step.Runners(step.Options{
			Engine: engine, Definition: definitions(t, how), Deployer: func(string) oam.Deployer { return f },
		}),
		Engine: engine, Context: map[string]any{"name": "app"}, Parallel: 1,
		Now: func() time.Time { return *now },
	}
}

func deployTo(cluster string, properties map[string]any) workflow.Step {
	p := map[string]any{"policies": []any{cluster}}
	maps.Copy(p, properties)
	return workflow.Step{Name: cluster, Type: "deploy", Properties: p}
}

func states(p workflow.Progress) string {
	out := string(p.Phase)
	for _, s := range p.Steps {
		out += " " + s.Name + ":" + string(s.Phase)
	}
	return out
}

// TestApproval: what executes is what was approved, for the native deploy step,
// a copy of it in either dialect, and a suspension in front of a deployment.
func TestApproval(t *testing.T) {
	asks := []workflow.Step{deployTo("staging", nil), deployTo("production", map[string]any{"auto": false})}
	suspends := []workflow.Step{deployTo("staging", nil), {Name: "wait", Type: "suspend"}, deployTo("production", nil)}
	cases := map[string]struct {
		how     string
		steps   []workflow.Step
		waiting string // the step that shows the plan
		message string
	}{
		"native deploy":           {native, asks, "production", `Waiting approval to the deploy step "production" (plan sha256:%s)`},
		"copied deploy":           {copied, asks, "production", `Waiting approval to the deploy step "production" (plan sha256:%s)`},
		"older dialect":           {flat, asks, "production", `Waiting approval to the deploy step "production" (plan sha256:%s)`},
		"suspend before a deploy": {native, suspends, "wait", `suspended by step "wait" (plan sha256:%s)`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			f := &fleet{
				wanted: map[string]map[string]string{"staging": {"web": "v1"}, "production": {"db": "v1", "web": "v1"}},
				live:   map[string]map[string]string{},
			}
			spec := workflow.Spec{Steps: tc.steps}
			var p workflow.Progress
			run := func(want string) {
				t.Helper()
				var err error
				if p, _, err = workflow.Run(t.Context(), spec, p, env(t, tc.how, f, &now)); err != nil {
					t.Fatal(err)
				}
				if got := states(p); got != want {
					t.Fatalf("state %q, want %q: %+v", got, want, p.Steps)
				}
			}
			resume := func(digest string) {
				t.Helper()
				next, err := workflow.Resume(p, "", workflow.Approver{Name: "ann", Digest: digest}, now)
				if err != nil {
					t.Fatal(err)
				}
				p = next
			}
			held := "suspending staging:succeeded production:suspending"
			done := "succeeded staging:succeeded production:succeeded"
			if tc.waiting == "wait" {
				held = "suspending staging:succeeded wait:suspending production:pending"
				done = "succeeded staging:succeeded wait:succeeded production:succeeded"
			}

			run(held)
			shown := waitingStep(t, p, tc.waiting)
			first := f.plan("production").Digest
			if diff := cmp.Diff(&workflow.Plan{Digest: first, Summary: "2 to create in production"}, shown.Plan); diff != "" {
				t.Fatalf("plan shown (-want +got):\n%s", diff)
			}
			if want := fmt.Sprintf(tc.message, first[7:19]); shown.Message != want {
				t.Errorf("message %q, want %q", shown.Message, want)
			}
			if diff := cmp.Diff([]string{"staging: web=v1"}, f.writes); diff != "" {
				t.Fatalf("writes before the approval (-want +got):\n%s", diff)
			}
			if _, err := workflow.Resume(p, "", workflow.Approver{Digest: "sha256:other"}, now); err == nil {
				t.Error("Resume() accepted a digest that is not shown")
			}

			// The world changes between the look and the approval.
			f.wanted["production"]["web"] = "v2"
			resume(first)
			run(held)
			shown = waitingStep(t, p, tc.waiting)
			second := f.plan("production").Digest
			if shown.Plan.Digest != second || shown.Plan.Approved != first {
				t.Errorf("plan shown %+v, want %s with %s on record", shown.Plan, second, first)
			}
			for _, part := range []string{"the plan is no longer the one that was shown", "changed: production: web: create, with other content", second[7:19]} {
				if !strings.Contains(shown.Message, part) {
					t.Errorf("message %q does not say %q", shown.Message, part)
				}
			}
			if len(f.writes) != 1 {
				t.Fatalf("writes without an approval: %v", f.writes)
			}

			// The process dies between two writes of the approved plan; another one
			// goes on from what was stored, without asking again.
			resume(second)
			f.die, f.unhealthy = 2, map[string]bool{"production": true}
			if _, _, err := workflow.Run(t.Context(), spec, p, env(t, tc.how, f, &now)); err != nil {
				t.Fatal(err)
			}
			if want := []string{"staging: web=v1", "production: db=v1"}; !slices.Equal(f.writes, want) {
				t.Fatalf("writes before the end %v, want %v", f.writes, want)
			}
			run(strings.NewReplacer("suspending staging", "executing staging", "wait:suspending", "wait:succeeded",
				"production:suspending", "production:running", "production:pending", "production:running").Replace(held))
			f.unhealthy = nil
			run(done)
			if diff := cmp.Diff([]string{"staging: web=v1", "production: db=v1", "production: web=v2"}, f.writes); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
			last := p.Steps[len(p.Steps)-1]
			if last.Plan == nil || last.Plan.Approved != second || last.Plan.ApprovedBy != "ann" {
				t.Errorf("record of the approval %+v, want %s by ann", last.Plan, second)
			}
		})
	}
}

func waitingStep(t *testing.T, p workflow.Progress, name string) workflow.StepProgress {
	t.Helper()
	i := slices.IndexFunc(p.Steps, func(s workflow.StepProgress) bool { return s.Name == name })
	if i < 0 || p.Steps[i].Plan == nil {
		t.Fatalf("step %q shows no plan: %+v", name, p.Steps)
	}
	return p.Steps[i]
}
