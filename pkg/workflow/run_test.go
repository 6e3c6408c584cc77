package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 600e6, time.UTC)

// world plays the runners: every step follows a script of outcomes, one for
// each attempt; the last one repeats. A step without a script succeeds.
type world struct {
	mu     sync.Mutex
	now    time.Time
	script map[string][]do
	count  map[string]int
	runs   []workflow.StepRun
}

// do is one outcome of a scripted step.
type do struct {
	workflow.StepResult
	err   error
	panic string
}

func (w *world) env() workflow.Env {
	return workflow.Env{
		Runners: func(string) (workflow.Runner, error) { return runnerFunc(w.run), nil },
		Engine:  cue.NewEngine(cue.Options{}),
		Context: map[string]any{"name": "app", "namespace": "default"},
		Now:     func() time.Time { return w.now },
	}
}

func (w *world) run(_ context.Context, run workflow.StepRun) (workflow.StepResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.runs = append(w.runs, run)
	if run.Type == workflow.TypeSuspend && w.script[run.Name] == nil {
		if run.Resumed {
			return workflow.StepResult{}, nil
		}
		return workflow.StepResult{Phase: workflow.Suspending}, nil
	}
	outcomes := w.script[run.Name]
	if len(outcomes) == 0 {
		return workflow.StepResult{}, nil
	}
	if w.count == nil {
		w.count = map[string]int{}
	}
	o := outcomes[min(w.count[run.Name], len(outcomes)-1)]
	w.count[run.Name]++
	if o.panic != "" {
		panic(o.panic)
	}
	return o.StepResult, o.err
}

func (w *world) ran() string {
	names := make([]string, len(w.runs))
	for i, r := range w.runs {
		names[i] = r.Name
	}
	return strings.Join(names, " ")
}

// runnerFunc is a function as a Runner.
type runnerFunc func(ctx context.Context, run workflow.StepRun) (workflow.StepResult, error)

func (f runnerFunc) Run(ctx context.Context, run workflow.StepRun) (workflow.StepResult, error) {
	return f(ctx, run)
}

// show writes a progress in one line: a:succeeded b:failed/Timeout g:running[c:pending/Wait].
func show(p workflow.Progress) string {
	var b strings.Builder
	b.WriteString(string(p.Phase))
	if p.Suspend {
		b.WriteString(" suspend")
	}
	if p.Terminated {
		b.WriteString(" terminated")
	}
	if p.Finished {
		b.WriteString(" finished")
	}
	b.WriteString(" |")
	for _, s := range p.Steps {
		b.WriteString(" " + showStep(s))
	}
	return b.String()
}

func showStep(s workflow.StepProgress) string {
	out := s.Name + ":" + string(s.Phase)
	if s.Reason != "" {
		out += "/" + string(s.Reason)
	}
	if len(s.SubSteps) > 0 {
		subs := make([]string, len(s.SubSteps))
		for i, sub := range s.SubSteps {
			subs[i] = showStep(sub)
		}
		out += "[" + strings.Join(subs, " ") + "]"
	}
	return out
}

func step(name string, change ...func(*workflow.Step)) workflow.Step {
	s := workflow.Step{Name: name, Type: "work"}
	for _, c := range change {
		c(&s)
	}
	return s
}

func after(names ...string) func(*workflow.Step) {
	return func(s *workflow.Step) { s.DependsOn = names }
}
func when(expr string) func(*workflow.Step) { return func(s *workflow.Step) { s.If = expr } }
func within(d string) func(*workflow.Step)  { return func(s *workflow.Step) { s.Timeout = d } }
func typed(t string) func(*workflow.Step)   { return func(s *workflow.Step) { s.Type = t } }
func gives(name, expr string) func(*workflow.Step) {
	return func(s *workflow.Step) {
		s.Outputs = append(s.Outputs, workflow.Output{Name: name, ValueFrom: expr})
	}
}
func takes(from, key string) func(*workflow.Step) {
	return func(s *workflow.Step) {
		s.Inputs = append(s.Inputs, workflow.Input{From: from, ParameterKey: key})
	}
}
func with(properties map[string]any) func(*workflow.Step) {
	return func(s *workflow.Step) { s.Properties = properties }
}
func group(name string, mode workflow.Mode, subs ...workflow.Step) workflow.Step {
	return workflow.Step{Name: name, Type: "step-group", Mode: mode, SubSteps: subs}
}
func inOrder(steps ...workflow.Step) workflow.Spec { return workflow.Spec{Steps: steps} }
func dag(steps ...workflow.Step) workflow.Spec {
	return workflow.Spec{Mode: workflow.DAG, Steps: steps}
}

var (
	ok       = do{}
	running  = do{StepResult: workflow.StepResult{Phase: workflow.Running}}
	polling  = do{StepResult: workflow.StepResult{Phase: workflow.Running, Poll: true}}
	failing  = do{StepResult: workflow.StepResult{Phase: workflow.Failed, Message: "no"}}
	broken   = do{err: errors.New("server is away")}
	away     = do{err: fault.Because("ClusterUnreachable", errors.New("no answer"), fault.Waits())}
	hopeless = do{err: fault.Invalid("InvalidProperties", errors.New("image is required"))}
)

// A move happens between two runs.
type move func(w *world, p workflow.Progress) workflow.Progress

func wait(d time.Duration) move {
	return func(w *world, p workflow.Progress) workflow.Progress { w.now = w.now.Add(d); return p }
}

func must(op func(w *world, p workflow.Progress) (workflow.Progress, error)) move {
	return func(w *world, p workflow.Progress) workflow.Progress {
		next, err := op(w, p)
		if err != nil {
			panic(err)
		}
		return next
	}
}

func resume(step string) move {
	return must(func(w *world, p workflow.Progress) (workflow.Progress, error) {
		return workflow.Resume(p, step, workflow.Approver{Name: "ann"}, w.now)
	})
}

func suspend(step string) move {
	return must(func(w *world, p workflow.Progress) (workflow.Progress, error) {
		return workflow.Suspend(p, step, w.now)
	})
}

func terminate() move {
	return must(func(w *world, p workflow.Progress) (workflow.Progress, error) { return workflow.Terminate(p, w.now) })
}

// patch is what a tool of KubeVela does to status.workflow.
func patch(change func(p *workflow.Progress)) move {
	return func(_ *world, p workflow.Progress) workflow.Progress {
		p.Steps = slices.Clone(p.Steps)
		change(&p)
		return p
	}
}

func TestRun(t *testing.T) {
	cases := map[string]struct {
		spec   workflow.Spec
		script map[string][]do
		moves  []move // a run before the first and after each

		want      string
		wantRan   string
		wantAgain time.Duration // after the last run; 0 is none
	}{
		"no steps are a success": {
			want: "succeeded finished |",
		},
		"steps run one after the other": {
			spec:    inOrder(step("a"), step("b"), step("c")),
			want:    "succeeded finished | a:succeeded b:succeeded c:succeeded",
			wantRan: "a b c",
		},
		"a step that is running holds the next, and only events wake it": {
			spec:    inOrder(step("a"), step("b")),
			script:  map[string][]do{"a": {running}},
			want:    "executing | a:running/Wait b:pending",
			wantRan: "a",
		},
		"a running step is asked again in the next run": {
			spec:    inOrder(step("a"), step("b")),
			script:  map[string][]do{"a": {running, ok}},
			moves:   []move{wait(0)},
			want:    "succeeded finished | a:succeeded b:succeeded",
			wantRan: "a a b",
		},
		"a step that polls is looked at again soon": {
			spec:      inOrder(step("a")),
			script:    map[string][]do{"a": {polling}},
			want:      "executing | a:running/Wait",
			wantRan:   "a",
			wantAgain: time.Second,
		},
		"a step that polls for long is looked at once a minute": {
			spec:      inOrder(step("a")),
			script:    map[string][]do{"a": {polling}},
			moves:     []move{wait(time.Hour)},
			want:      "executing | a:running/Wait",
			wantRan:   "a a",
			wantAgain: time.Minute,
		},
		"in a DAG the independent steps go on beside a running one": {
			spec:    dag(step("a"), step("b"), step("c", after("b")), step("d", after("a"))),
			script:  map[string][]do{"a": {running}},
			want:    "executing | a:running/Wait b:succeeded c:succeeded d:pending/Wait",
			wantRan: "a b c",
		},
		"dependencies listed later are honoured": {
			spec:    dag(step("a", after("b")), step("b", after("c")), step("c")),
			want:    "succeeded finished | a:succeeded b:succeeded c:succeeded",
			wantRan: "c b a",
		},
		"a failed step skips what follows": {
			spec:    inOrder(step("a"), step("b"), step("c", when("always")), step("d")),
			script:  map[string][]do{"a": {failing}},
			want:    "failed terminated finished | a:failed/Action b:skipped/Skip c:succeeded d:skipped/Skip",
			wantRan: "a c",
		},
		"a skipped step does not skip what follows": {
			spec:    inOrder(step("a", when("1 == 2")), step("b")),
			want:    "succeeded finished | a:skipped/Skip b:succeeded",
			wantRan: "b",
		},
		"in a DAG only dependents of a failed or skipped step are skipped": {
			spec:    dag(step("a"), step("b"), step("c", after("a")), step("d", after("c")), step("e", after("d"), when("always"))),
			script:  map[string][]do{"a": {failing}},
			want:    "failed terminated finished | a:failed/Action b:succeeded c:skipped/Skip d:skipped/Skip e:succeeded",
			wantRan: "a b e",
		},
		"if sees the status of other steps": {
			spec: inOrder(step("a"), step("on-failure", when("status.a.failed && status.a.phase == \"failed\"")),
				step("other", when(`status["on-failure"].succeeded && !status.later.skipped`)), step("later", when("status.a.succeeded"))),
			script:  map[string][]do{"a": {failing}},
			want:    "failed terminated finished | a:failed/Action on-failure:succeeded other:succeeded later:skipped/Skip",
			wantRan: "a on-failure other",
		},
		"if sees reasons": {
			spec:    inOrder(step("a", within("1m")), step("b", when("status.a.timeout")), step("c", when("status.a.failedAfterRetries || status.a.terminate"))),
			script:  map[string][]do{"a": {running}},
			moves:   []move{wait(62 * time.Second)},
			want:    "failed terminated finished | a:failed/Timeout b:succeeded c:skipped/Skip",
			wantRan: "a b",
		},
		"if sees messages, inputs, context and parameters": {
			spec: inOrder(
				step("a", gives("x", "parameter.n"), with(map[string]any{"n": 3})),
				step("b", takes("x", ""), when(`inputs.x > 2 && context.name == "app" && context.stepName == "b" && parameter.p == "q"`), with(map[string]any{"p": "q"})),
				step("c", when(`status.a.message == "done"`))),
			script:  map[string][]do{"a": {{StepResult: workflow.StepResult{Message: "done"}}}},
			want:    "succeeded finished | a:succeeded b:succeeded c:succeeded",
			wantRan: "a b c",
		},
		"an if that cannot be evaluated fails the step": {
			spec: inOrder(step("a", when("status.nobody.failed")), step("b")),
			want: "failed terminated finished | a:failed/ProcessParameter b:skipped/Skip",
		},
		"an error is tried again later": {
			spec:      inOrder(step("a"), step("b")),
			script:    map[string][]do{"a": {broken}},
			want:      "executing | a:failed/Execute b:pending",
			wantRan:   "a",
			wantAgain: time.Second,
		},
		"an event does not shorten the pause after an error": {
			spec:      inOrder(step("a"), step("b")),
			script:    map[string][]do{"a": {broken}},
			moves:     []move{wait(400 * time.Millisecond)},
			want:      "executing | a:failed/Execute b:pending",
			wantRan:   "a",
			wantAgain: 600 * time.Millisecond,
		},
		"the pause after errors grows": {
			spec:      inOrder(step("a")),
			script:    map[string][]do{"a": {broken}},
			moves:     []move{wait(time.Hour), wait(time.Hour), wait(time.Hour), wait(time.Hour), wait(time.Hour), wait(time.Hour)},
			want:      "executing | a:failed/Execute",
			wantRan:   "a a a a a a a",
			wantAgain: 6 * time.Second,
		},
		"an error that passes is forgotten": {
			spec:    inOrder(step("a"), step("b")),
			script:  map[string][]do{"a": {broken, ok}},
			moves:   []move{wait(time.Hour)},
			want:    "succeeded finished | a:succeeded b:succeeded",
			wantRan: "a a b",
		},
		"ten retries, then the step has failed": {
			spec:    inOrder(step("a"), step("b", when("status.a.failedAfterRetries"))),
			script:  map[string][]do{"a": {broken}},
			moves:   repeat(10, wait(time.Hour)),
			want:    "failed terminated finished | a:failed/FailedAfterRetries b:succeeded",
			wantRan: strings.Repeat("a ", 11) + "b",
		},
		"what only waits for the world is tried for as long as that takes": {
			spec:      inOrder(step("a"), step("b")),
			script:    map[string][]do{"a": {away}},
			moves:     repeat(30, wait(time.Hour)),
			want:      "executing | a:failed/Execute b:pending",
			wantRan:   strings.TrimSpace(strings.Repeat("a ", 31)),
			wantAgain: 51 * time.Second,
		},
		"a mistake of the user is not tried again": {
			spec:    inOrder(step("a"), step("b")),
			script:  map[string][]do{"a": {hopeless}},
			want:    "failed terminated finished | a:failed/Rendering b:skipped/Skip",
			wantRan: "a",
		},
		"a crash of a runner is an error of its step": {
			spec:      dag(step("a"), step("b")),
			script:    map[string][]do{"a": {{panic: "boom"}}},
			want:      "executing | a:failed/Execute b:succeeded",
			wantRan:   "a b",
			wantAgain: time.Second,
		},
		"a step times out": {
			spec:    inOrder(step("a", within("1m")), step("b"), step("c", when("always"))),
			script:  map[string][]do{"a": {running}},
			moves:   []move{wait(30 * time.Second), wait(31 * time.Second)},
			want:    "failed terminated finished | a:failed/Timeout b:skipped/Skip c:succeeded",
			wantRan: "a a c",
		},
		"a step with a timeout is looked at when it is due": {
			spec:      inOrder(step("a", within("1m"))),
			script:    map[string][]do{"a": {running}},
			want:      "executing | a:running/Wait",
			wantRan:   "a",
			wantAgain: 61*time.Second - 600*time.Millisecond,
		},
		"a step that finished in time asks for nothing": {
			spec:    inOrder(step("a", within("1m")), step("b")),
			script:  map[string][]do{"a": {running, ok}, "b": {running}},
			moves:   []move{wait(30 * time.Second)},
			want:    "executing | a:succeeded b:running/Wait",
			wantRan: "a a b",
		},
		"a suspension times out": {
			spec:    inOrder(step("a", typed("suspend"), within("1m")), step("b")),
			moves:   []move{wait(61 * time.Second)},
			want:    "failed terminated finished | a:failed/Timeout b:skipped/Skip",
			wantRan: "a",
		},
		"a group times out with everything in it": {
			spec: inOrder(workflow.Step{Name: "g", Type: "step-group", Timeout: "1m", Mode: workflow.StepByStep,
				SubSteps: []workflow.Step{step("x"), step("y"), step("z")}}, step("b", when("always"))),
			script:  map[string][]do{"y": {running}},
			moves:   []move{wait(61 * time.Second)},
			want:    "failed terminated finished | g:failed/Timeout[x:succeeded y:failed/Timeout z:skipped/Skip] b:succeeded",
			wantRan: "x y b",
		},
		"a group runs its sub steps side by side": {
			spec:    inOrder(group("g", "", step("x"), step("y")), step("b")),
			script:  map[string][]do{"x": {running}},
			want:    "executing | g:running/Wait[x:running/Wait y:succeeded] b:pending",
			wantRan: "x y",
		},
		"a group in order": {
			spec:    inOrder(group("g", workflow.StepByStep, step("x"), step("y")), step("b")),
			script:  map[string][]do{"x": {running, ok}},
			moves:   []move{wait(0)},
			want:    "succeeded finished | g:succeeded[x:succeeded y:succeeded] b:succeeded",
			wantRan: "x x y b",
		},
		"a group fails with its sub step": {
			spec:    inOrder(group("g", "", step("x"), step("y")), step("b"), step("c", when("status.g.failed && status.x.failed"))),
			script:  map[string][]do{"x": {failing}},
			want:    "failed terminated finished | g:failed/Action[x:failed/Action y:succeeded] b:skipped/Skip c:succeeded",
			wantRan: "x y c",
		},
		"a skipped group skips its sub steps": {
			spec: inOrder(workflow.Step{Name: "g", Type: "step-group", If: "false", SubSteps: []workflow.Step{step("x", when("always"))}}, step("b")),
			want: "succeeded finished | g:skipped/Skip[x:skipped/Skip] b:succeeded", wantRan: "b",
		},
		"a group of skipped sub steps is skipped": {
			spec: inOrder(group("g", "", step("x", when("false"))), step("b")),
			want: "succeeded finished | g:skipped/Skip[x:skipped/Skip] b:succeeded", wantRan: "b",
		},
		"a group that runs after a failure runs its sub steps": {
			spec:    inOrder(step("a"), workflow.Step{Name: "g", Type: "step-group", If: "always", SubSteps: []workflow.Step{step("x")}}),
			script:  map[string][]do{"a": {failing}},
			want:    "failed terminated finished | a:failed/Action g:succeeded[x:succeeded]",
			wantRan: "a x",
		},
		"a group without sub steps succeeds": {
			spec: inOrder(group("g", ""), step("b")),
			want: "succeeded finished | g:succeeded b:succeeded", wantRan: "b",
		},
		"dependencies reach into groups": {
			spec:    dag(group("g", "", step("x"), step("y")), step("b", after("y"))),
			script:  map[string][]do{"x": {running}},
			want:    "executing | g:running/Wait[x:running/Wait y:succeeded] b:succeeded",
			wantRan: "x y b",
		},
		"a suspension holds what follows": {
			spec:    inOrder(step("a"), step("s", typed("suspend")), step("b")),
			moves:   []move{wait(0)},
			want:    "suspending suspend | a:succeeded s:suspending/Suspend b:pending",
			wantRan: "a s",
		},
		"a resumed suspension ends": {
			spec:    inOrder(step("s", typed("suspend")), step("b")),
			moves:   []move{resume("")},
			want:    "succeeded finished | s:succeeded b:succeeded",
			wantRan: "s s b",
		},
		"a suspension with a duration ends by itself": {
			spec:      inOrder(step("s", typed("suspend")), step("b")),
			script:    map[string][]do{"s": {{StepResult: workflow.StepResult{Phase: workflow.Suspending, Until: start.Add(time.Hour)}}, ok}},
			moves:     []move{wait(20 * time.Minute)},
			want:      "suspending suspend | s:suspending/Suspend b:pending",
			wantRan:   "s",
			wantAgain: 40 * time.Minute,
		},
		"a suspension with a duration is over": {
			spec:    inOrder(step("s", typed("suspend")), step("b")),
			script:  map[string][]do{"s": {{StepResult: workflow.StepResult{Phase: workflow.Suspending, Until: start.Add(time.Hour)}}, ok}},
			moves:   []move{wait(time.Hour)},
			want:    "succeeded finished | s:succeeded b:succeeded",
			wantRan: "s s b",
		},
		"in a DAG the other branches go on during a suspension": {
			spec:    dag(step("s", typed("suspend")), step("a", after("s")), step("b"), step("c", after("b"))),
			script:  map[string][]do{"b": {running, ok}},
			moves:   []move{wait(0)},
			want:    "suspending suspend | s:suspending/Suspend a:pending/Wait b:succeeded c:succeeded",
			wantRan: "s b b c",
		},
		"a suspension in a group shows on the group": {
			spec:    inOrder(group("g", "", step("s", typed("suspend")), step("x")), step("b")),
			want:    "suspending suspend | g:suspending/Suspend[s:suspending/Suspend x:succeeded] b:pending",
			wantRan: "s x",
		},
		"a suspension in a group with a duration ends by itself": {
			spec:    inOrder(group("g", "", step("s", typed("suspend")), step("x", after("s"))), step("b")),
			script:  map[string][]do{"s": {{StepResult: workflow.StepResult{Phase: workflow.Suspending, Until: start.Add(time.Hour)}}, ok}},
			moves:   []move{wait(time.Hour)},
			want:    "succeeded finished | g:succeeded[s:succeeded x:succeeded] b:succeeded",
			wantRan: "s s x b",
		},
		"one of two suspensions is resumed": {
			spec:    dag(step("s", typed("suspend")), step("t", typed("suspend")), step("a", after("s"))),
			moves:   []move{resume("s")},
			want:    "suspending suspend | s:succeeded t:suspending/Suspend a:succeeded",
			wantRan: "s t s a",
		},
		"a workflow suspended by hand runs nothing": {
			spec:    inOrder(step("a"), step("b")),
			script:  map[string][]do{"a": {running, ok}},
			moves:   []move{suspend(""), wait(time.Hour)},
			want:    "suspending suspend | a:suspending/Suspend b:pending",
			wantRan: "a",
		},
		"a workflow suspended by hand goes on": {
			spec:    inOrder(step("a"), step("b")),
			script:  map[string][]do{"a": {running, ok}},
			moves:   []move{suspend(""), resume("")},
			want:    "succeeded finished | a:succeeded b:succeeded",
			wantRan: "a a b",
		},
		"a step suspended by hand lets the others go on": {
			spec:    dag(step("a"), step("b")),
			script:  map[string][]do{"a": {running}, "b": {running, running, ok}},
			moves:   []move{suspend("a"), wait(0)},
			want:    "suspending suspend | a:suspending/Suspend b:succeeded",
			wantRan: "a b b b",
		},
		"an old tool resumes by patching one field": {
			spec:    inOrder(step("s", typed("suspend")), step("b")),
			moves:   []move{patch(func(p *workflow.Progress) { p.Suspend = false })},
			want:    "succeeded finished | s:succeeded b:succeeded",
			wantRan: "s s b",
		},
		"an old tool resumes one of two steps": {
			spec: dag(step("s", typed("suspend")), step("t", typed("suspend"))),
			moves: []move{patch(func(p *workflow.Progress) {
				p.Suspend = false
				p.Steps[1].Phase = workflow.Running
			})},
			want:    "suspending suspend | s:suspending/Suspend t:succeeded",
			wantRan: "s t t",
		},
		"an old tool suspends the workflow": {
			spec:   inOrder(step("a"), step("b")),
			script: map[string][]do{"a": {running}},
			moves: []move{patch(func(p *workflow.Progress) {
				p.Suspend = true
				p.Steps[0].Phase = workflow.Suspending
			}), wait(0)},
			want:    "suspending suspend | a:suspending/Wait b:pending",
			wantRan: "a",
		},
		"an old tool terminates the workflow": {
			spec:   inOrder(step("a"), step("b")),
			script: map[string][]do{"a": {running}},
			moves: []move{patch(func(p *workflow.Progress) {
				p.Terminated = true
				p.Steps[0].Phase, p.Steps[0].Reason = workflow.Failed, "Terminate"
			})},
			want:    "terminated terminated finished | a:failed/Terminate b:pending",
			wantRan: "a",
		},
		"a terminated workflow runs nothing any more": {
			spec:    inOrder(step("a"), step("s", typed("suspend")), step("b", when("always"))),
			moves:   []move{terminate(), wait(time.Hour)},
			want:    "terminated terminated finished | a:succeeded s:failed/Terminate b:pending",
			wantRan: "a s",
		},
		"a step can end the workflow": {
			spec:    inOrder(step("a"), step("b"), step("c", when("always"))),
			script:  map[string][]do{"a": {{StepResult: workflow.StepResult{Stop: true}}}},
			want:    "terminated terminated finished | a:succeeded/Terminate b:skipped/Skip c:skipped/Skip",
			wantRan: "a",
		},
		"a step that ends the workflow takes the running ones with it": {
			spec:    dag(step("a"), step("b"), group("g", "", step("x", after("b")))),
			script:  map[string][]do{"a": {{StepResult: workflow.StepResult{Stop: true}}}, "b": {running}},
			want:    "terminated terminated finished | a:succeeded/Terminate b:failed/Terminate g:skipped/Skip[x:skipped/Skip]",
			wantRan: "a b",
		},
		"an input waits for its output": {
			spec:    dag(step("b", takes("x", "v")), step("a", gives("x", "parameter.n"), with(map[string]any{"n": "1"}))),
			want:    "succeeded finished | b:succeeded a:succeeded",
			wantRan: "a b",
		},
		"an input from a field of an output and from the context": {
			spec: inOrder(step("a", gives("x", "parameter"), with(map[string]any{"n": []any{"1"}})),
				step("b", takes("x.n[0]", "v"), takes("context.namespace", "ns"))),
			want:    "succeeded finished | a:succeeded b:succeeded",
			wantRan: "a b",
		},
		"the output of a skipped step is null": {
			spec:    inOrder(step("a", when("false"), gives("x", "parameter.n")), step("b", takes("x", "v"))),
			want:    "succeeded finished | a:skipped/Skip b:succeeded",
			wantRan: "b",
		},
		"an input of a failed step skips the taker": {
			spec:    dag(step("a", gives("x", "parameter.n")), step("b", takes("x", "v")), step("c", takes("x", "v"), when("always"))),
			script:  map[string][]do{"a": {failing}},
			want:    "failed terminated finished | a:failed/Action b:skipped/Skip c:succeeded",
			wantRan: "a c",
		},
		"an input that nobody gives fails in the end": {
			spec:    inOrder(step("a"), step("b", takes("x", "v")), step("c")),
			want:    "failed terminated finished | a:succeeded b:failed/Input c:skipped/Skip",
			wantRan: "a",
		},
		"a variable is as good as an output": {
			spec:    inOrder(step("a"), step("b", takes("x", "v"))),
			script:  map[string][]do{"a": {{StepResult: workflow.StepResult{Values: map[string]any{"x": 1}}}}},
			want:    "succeeded finished | a:succeeded b:succeeded",
			wantRan: "a b",
		},
		"an input that does not fit the properties fails the step": {
			spec:    inOrder(step("a", takes("context.name", "v.w"), with(map[string]any{"v": "text"}))),
			want:    "failed terminated finished | a:failed/Input",
			wantRan: "",
		},
		"an output that cannot be evaluated is tried again": {
			spec:      inOrder(step("a", gives("x", "parameter.none")), step("b")),
			want:      "executing | a:failed/Output b:pending",
			wantRan:   "a",
			wantAgain: time.Second,
		},
		"an output that can never be evaluated fails the step": {
			spec:    inOrder(step("a", gives("x", "parameter.none"))),
			moves:   repeat(10, wait(time.Hour)),
			want:    "failed terminated finished | a:failed/FailedAfterRetries",
			wantRan: strings.TrimSpace(strings.Repeat("a ", 11)),
		},
		"a dependency that does not exist fails the step": {
			spec:    dag(step("a", after("nobody")), step("b")),
			want:    "failed terminated finished | a:failed/Input b:succeeded",
			wantRan: "b",
		},
		"steps that wait for each other fail": {
			spec: dag(step("a", after("b")), step("b", after("a")), step("c", after("b"))),
			want: "failed terminated finished | a:failed/Input b:failed/Input c:failed/Input",
		},
		"a step in order that waits for a later one fails": {
			spec: inOrder(step("a", after("b")), step("b")),
			want: "failed terminated finished | a:failed/Input b:skipped/Skip",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := &world{now: start, script: tc.script}
			env := w.env()
			env.Parallel = 1 // the order of runs is part of the table
			var p workflow.Progress
			var again time.Time
			for i := -1; i < len(tc.moves); i++ {
				if i >= 0 {
					p = tc.moves[i](w, p)
				}
				var err error
				before := fmt.Sprintf("%+v", p)
				given := p
				if p, again, err = workflow.Run(t.Context(), tc.spec, p, env); err != nil {
					t.Fatal(err)
				}
				if got := fmt.Sprintf("%+v", given); got != before {
					t.Fatalf("Run() modified its argument:\n%s\n%s", before, got)
				}
			}
			if got := show(p); got != tc.want {
				t.Errorf("Run() =\n%s\nwant\n%s", got, tc.want)
			}
			if got := w.ran(); got != tc.wantRan {
				t.Errorf("executed %q, want %q", got, tc.wantRan)
			}
			var got time.Duration
			if !again.IsZero() {
				got = again.Sub(w.now)
			}
			if got != tc.wantAgain {
				t.Errorf("again after %s, want %s", got, tc.wantAgain)
			}
			checkPlain(t, p, tc.spec, env, w)
		})
	}
}

// checkPlain holds for every progress: running again at the same time with the
// same outcomes changes nothing, and it survives being stored.
func checkPlain(t *testing.T, p workflow.Progress, spec workflow.Spec, env workflow.Env, w *world) {
	t.Helper()
	if p.Phase == "executing" {
		w.now = w.now.Add(time.Millisecond)
		again, _, err := workflow.Run(t.Context(), spec, p, env)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, again); diff != "" && len(w.script) > 0 && w.steady() {
			t.Errorf("a second look changed the progress (-first +second):\n%s", diff)
		}
	}
	data, err := p.Vars.Encode()
	if err != nil {
		t.Fatal(err)
	}
	vars, err := workflow.DecodeVars(data, env.Engine)
	if err != nil {
		t.Fatal(err)
	}
	got, err := vars.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(data, got); diff != "" {
		t.Errorf("stored values mismatch (-want +got):\n%s", diff)
	}
}

// steady says that every script has come to its last outcome.
func (w *world) steady() bool {
	for name, outcomes := range w.script {
		if w.count[name] < len(outcomes) {
			return false
		}
	}
	return true
}

func repeat(n int, m move) []move {
	out := make([]move, n)
	for i := range out {
		out[i] = m
	}
	return out
}
