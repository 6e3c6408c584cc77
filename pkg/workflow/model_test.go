package workflow_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/workflow"
)

// TestModel runs random workflows against a plain reference that keeps its
// state in memory and knows nothing of progress, rounds or restarts. The engine
// is stopped at random: what a run did is done, but its progress is lost. Every
// progress goes through its stored form.
func TestModel(t *testing.T) {
	for seed := range uint64(600) {
		r := rand.New(rand.NewPCG(seed, 7))
		m := randomModel(r)
		if diff := m.compare(t, r); diff != "" {
			spec, _ := json.MarshalIndent(m, "", " ")
			t.Fatalf("seed %d: (-reference +engine)\n%s\n%s", seed, diff, spec)
		}
	}
}

const (
	tick  = 10 * time.Second
	ticks = 30
)

// A model is a workflow and how its steps behave: each is under way until a
// certain tick and then ends in one way, whenever and however often it is tried.
type model struct {
	Spec  workflow.Spec
	Plays map[string]playing
}

type playing struct {
	Until   int // tick from which on the step ends
	Ends    workflow.Phase
	Errors  bool // it returns errors until then, instead of waiting
	Suspend bool // it suspends, and is resumed at the tick
}

func randomModel(r *rand.Rand) model {
	m := model{Plays: map[string]playing{}}
	modes := []workflow.Mode{workflow.StepByStep, workflow.DAG}
	m.Spec.Mode, m.Spec.SubMode = modes[r.IntN(2)], modes[r.IntN(2)]
	var before []string
	for i := range 1 + r.IntN(5) {
		s := m.step(r, fmt.Sprintf("s%d", i), before)
		if r.IntN(4) == 0 {
			s.Type = "step-group"
			delete(m.Plays, s.Name)
			inside := slices.Clone(before)
			for j := range r.IntN(4) {
				sub := m.step(r, fmt.Sprintf("s%d%c", i, 'a'+j), inside)
				inside = append(inside, sub.Name)
				s.SubSteps = append(s.SubSteps, sub)
			}
			before = inside
		}
		before = append(before, s.Name)
		m.Spec.Steps = append(m.Spec.Steps, s)
	}
	if m.Spec.Mode == workflow.DAG {
		r.Shuffle(len(m.Spec.Steps), func(i, j int) {
			m.Spec.Steps[i], m.Spec.Steps[j] = m.Spec.Steps[j], m.Spec.Steps[i]
		})
	}
	return m
}

func (m model) step(r *rand.Rand, name string, before []string) workflow.Step {
	s := workflow.Step{Name: name, Type: "work"}
	for _, b := range before {
		if r.IntN(4) == 0 {
			s.DependsOn = append(s.DependsOn, b)
		}
	}
	switch r.IntN(4) {
	case 0:
		s.If = "always"
	case 1:
		if len(s.DependsOn) > 0 {
			s.If = s.DependsOn[0] + " is " + string([]workflow.Phase{workflow.Failed, workflow.Succeeded, workflow.Skipped}[r.IntN(3)])
		}
	}
	if r.IntN(3) == 0 {
		s.Timeout = (time.Duration(1+r.IntN(6))*tick - time.Second).String() // a second is added by the engine
	}
	p := playing{Until: r.IntN(12), Ends: workflow.Succeeded, Errors: r.IntN(4) == 0, Suspend: r.IntN(5) == 0}
	if r.IntN(4) == 0 && !p.Suspend {
		p.Ends = workflow.Failed
	}
	m.Plays[name] = p
	return s
}

// outlook is what both sides have to agree on after every tick: when a step was
// first tried, and how it ended.
type outlook map[string]string

func (m model) compare(t *testing.T, r *rand.Rand) string {
	t.Helper()
	ref := &reference{model: m, began: map[string]int{}, ended: map[string]workflow.Phase{}}
	eng := &engineRun{model: m, parallel: 1 + r.IntN(3)}
	var p workflow.Progress
	for n := range ticks {
		ref.now, eng.now = n, n
		for ref.level(m.Spec.Steps, m.Spec.Mode) {
		}
		for r.IntN(3) == 0 { // the process dies after the run, before it stores anything
			eng.run(t, m.stored(t, p))
		}
		p = eng.run(t, m.stored(t, p))
		if diff := cmp.Diff(ref.outlook(), lookOf(p)); diff != "" {
			return fmt.Sprintf("tick %d: %s", n, diff)
		}
	}
	if !p.Finished {
		return "the workflow did not end: " + show(p)
	}
	return ""
}

// stored is what another process reads of a progress.
func (m model) stored(t *testing.T, p workflow.Progress) workflow.Progress {
	t.Helper()
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var out workflow.Progress
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	data, err := p.Vars.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if out.Vars, err = workflow.DecodeVars(data, nil); err != nil {
		t.Fatal(err)
	}
	return out
}

var zero = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func lookOf(p workflow.Progress) outlook {
	out := outlook{}
	note := func(s workflow.StepProgress) {
		began := -1
		if !s.FirstExecuteTime.IsZero() {
			began = int(s.FirstExecuteTime.Sub(zero) / tick)
		}
		ended := s.Phase
		if s.Phase != workflow.Succeeded && s.Phase != workflow.Skipped && (s.Phase != workflow.Failed || s.Reason == "Execute") {
			ended = ""
		}
		out[s.Name] = fmt.Sprint(began, ended)
	}
	for _, s := range p.Steps {
		note(s)
		for _, sub := range s.SubSteps {
			note(sub)
		}
	}
	return out
}

// engineRun is one process that runs the engine.
type engineRun struct {
	model
	now      int
	parallel int
}

func (e *engineRun) run(t *testing.T, p workflow.Progress) workflow.Progress {
	t.Helper()
	now := zero.Add(time.Duration(e.now) * tick)
	for _, name := range slices.Sorted(maps.Keys(e.Plays)) {
		if play := e.Plays[name]; play.Suspend && e.now >= play.Until {
			if next, err := workflow.Resume(p, name, workflow.Approver{}, now); err == nil {
				p = next
			}
		}
	}
	next, _, err := workflow.Run(t.Context(), e.Spec, p, workflow.Env{
		Runners: func(string) (workflow.Runner, error) { return runnerFunc(e.attempt), nil },
		Engine:  conditions{}, Parallel: e.parallel, Now: func() time.Time { return now },
		Retry: workflow.Retry{Times: 1000, Min: time.Second, Max: time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func (e *engineRun) attempt(_ context.Context, run workflow.StepRun) (workflow.StepResult, error) {
	play := e.Plays[run.Name]
	switch {
	case play.Suspend && !run.Resumed:
		return workflow.StepResult{Phase: workflow.Suspending}, nil
	case play.Suspend, e.now >= play.Until:
		return workflow.StepResult{Phase: play.Ends}, nil
	case play.Errors:
		return workflow.StepResult{}, errors.New("not yet")
	}
	return workflow.StepResult{Phase: workflow.Running}, nil
}

// conditions understands "step is phase".
type conditions struct{}

func (conditions) Expr(string, map[string]any) (any, error) { return nil, errors.New("no expressions") }

func (conditions) Bool(expr string, scope map[string]any) (bool, error) {
	name, phase, _ := strings.Cut(expr, " is ")
	status := scope["status"].(map[string]any)[name].(map[string]any)
	return status[phase].(bool), nil
}

// reference is the same rules, written down once more as plainly as possible.
type reference struct {
	model
	now   int
	began map[string]int
	ended map[string]workflow.Phase
}

func (ref *reference) outlook() outlook {
	out := outlook{}
	for _, s := range ref.Spec.Steps {
		for _, x := range append([]workflow.Step{s}, s.SubSteps...) {
			began, ok := ref.began[x.Name]
			if !ok {
				began = -1
			}
			out[x.Name] = fmt.Sprint(began, ref.ended[x.Name])
		}
	}
	return out
}

func (ref *reference) level(steps []workflow.Step, mode workflow.Mode) (changed bool) {
	for i, s := range steps {
		if ref.ended[s.Name] != "" {
			continue
		}
		changed = ref.step(s, steps[:i], mode) || changed
		if mode == workflow.StepByStep && ref.ended[s.Name] == "" {
			break
		}
	}
	return changed
}

func (ref *reference) step(s workflow.Step, earlier []workflow.Step, mode workflow.Mode) bool {
	began, tried := ref.began[s.Name]
	if limit, err := time.ParseDuration(s.Timeout); err == nil && tried && time.Duration(ref.now-began)*tick > limit {
		for _, sub := range s.SubSteps {
			if _, tried := ref.began[sub.Name]; ref.ended[sub.Name] == "" && tried {
				ref.ended[sub.Name] = workflow.Failed
			}
		}
		return ref.end(s, workflow.Failed)
	}
	if !tried {
		for _, d := range s.DependsOn {
			if ref.ended[d] == "" {
				return false
			}
		}
		if !ref.wanted(s, earlier, mode) {
			return ref.end(s, workflow.Skipped)
		}
		ref.began[s.Name] = ref.now
	}
	if s.Type == "step-group" {
		return ref.group(s, !tried)
	}
	if ref.now >= ref.Plays[s.Name].Until {
		// A suspension is resumed after the tick in which it began.
		if !ref.Plays[s.Name].Suspend || tried && ref.began[s.Name] < ref.now {
			return ref.end(s, ref.Plays[s.Name].Ends)
		}
	}
	return !tried
}

func (ref *reference) group(s workflow.Step, changed bool) bool {
	changed = ref.level(s.SubSteps, ref.Spec.SubMode) || changed
	count := map[workflow.Phase]int{}
	for _, sub := range s.SubSteps {
		count[ref.ended[sub.Name]]++
	}
	switch {
	case count[""] > 0:
		return changed
	case count[workflow.Failed] > 0:
		return ref.end(s, workflow.Failed)
	case count[workflow.Skipped] > 0 && count[workflow.Skipped] == len(s.SubSteps):
		return ref.end(s, workflow.Skipped)
	}
	return ref.end(s, workflow.Succeeded)
}

func (ref *reference) end(s workflow.Step, phase workflow.Phase) bool {
	ref.ended[s.Name] = phase
	for _, sub := range s.SubSteps {
		if ref.ended[sub.Name] == "" {
			ref.ended[sub.Name] = workflow.Skipped
		}
	}
	return true
}

func (ref *reference) wanted(s workflow.Step, earlier []workflow.Step, mode workflow.Mode) bool {
	if s.If == "always" {
		return true
	}
	if name, phase, ok := strings.Cut(s.If, " is "); ok {
		return string(ref.ended[name]) == phase
	}
	for _, d := range s.DependsOn {
		if ref.ended[d] == workflow.Failed || mode == workflow.DAG && ref.ended[d] == workflow.Skipped {
			return false
		}
	}
	for _, e := range earlier {
		if mode == workflow.StepByStep && ref.ended[e.Name] == workflow.Failed {
			return false
		}
	}
	return true
}

// Steps that can run side by side do, within the limit.
func TestStepsRunSideBySide(t *testing.T) {
	const limit = 3
	var steps []workflow.Step
	for i := range 9 {
		steps = append(steps, step(fmt.Sprintf("s%d", i)))
	}
	arrived, leave := make(chan struct{}), make(chan struct{})
	env := (&world{now: start}).env()
	env.Parallel = limit
	env.Runners = func(string) (workflow.Runner, error) {
		return runnerFunc(func(context.Context, workflow.StepRun) (workflow.StepResult, error) {
			arrived <- struct{}{}
			<-leave
			return workflow.StepResult{}, nil
		}), nil
	}
	done := make(chan workflow.Progress)
	go func() {
		p, _, _ := workflow.Run(context.Background(), dag(steps...), workflow.Progress{}, env)
		done <- p
	}()
	for range limit {
		<-arrived
	}
	select {
	case <-arrived:
		t.Error("more steps run side by side than allowed")
	default:
	}
	close(leave)
	for range len(steps) - limit {
		<-arrived
	}
	if p := <-done; p.Phase != workflow.Succeeded {
		t.Errorf("state %s", show(p))
	}
}

// A run that is called off says nothing about the steps that it broke off.
func TestACancelledRunBlamesNobody(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	env := (&world{now: start}).env()
	env.Runners = func(string) (workflow.Runner, error) {
		return runnerFunc(func(ctx context.Context, run workflow.StepRun) (workflow.StepResult, error) {
			if run.Name == "b" {
				cancel()
				return workflow.StepResult{}, ctx.Err()
			}
			return workflow.StepResult{}, nil
		}), nil
	}
	p, _, err := workflow.Run(ctx, inOrder(step("a"), step("b"), step("c")), workflow.Progress{}, env)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want that of the context", err)
	}
	if got, want := show(p), "executing | a:succeeded b:pending c:pending"; got != want {
		t.Errorf("state %s, want %s", got, want)
	}
	if len(p.Vars.Steps) > 0 {
		t.Errorf("attempts were counted: %v", p.Vars.Steps)
	}
}
