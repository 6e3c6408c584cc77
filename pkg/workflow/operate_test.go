package workflow_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
)

// play runs a spec with moves between the runs.
func play(t *testing.T, w *world, spec workflow.Spec, moves ...move) workflow.Progress {
	t.Helper()
	env := w.env()
	env.Parallel = 1
	var p workflow.Progress
	for i := -1; i < len(moves); i++ {
		if i >= 0 {
			p = moves[i](w, p)
		}
		var err error
		if p, _, err = workflow.Run(t.Context(), spec, p, env); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func showing(digest string) do {
	return do{StepResult: workflow.StepResult{Phase: workflow.Suspending, Plan: &workflow.Plan{Digest: digest, Summary: "one thing"}}}
}

func TestOperationsRefuse(t *testing.T) {
	spec := inOrder(step("a"), step("s"), step("b"))
	script := map[string][]do{"a": {ok}, "s": {showing("sha256:1")}}
	cases := map[string]struct {
		script map[string][]do
		op     func(p workflow.Progress) error
		want   string
	}{
		"suspending a step that is not running": {
			script: script,
			op:     func(p workflow.Progress) error { _, err := workflow.Suspend(p, "b", start); return err },
			want:   `step "b" is pending: only a running step can be suspended`,
		},
		"suspending a step that does not exist": {
			script: script,
			op:     func(p workflow.Progress) error { _, err := workflow.Suspend(p, "x", start); return err },
			want:   `the workflow has no step "x"`,
		},
		"resuming a step that is not suspended": {
			script: script,
			op: func(p workflow.Progress) error {
				_, err := workflow.Resume(p, "a", workflow.Approver{}, start)
				return err
			},
			want: `step "a" is not suspended`,
		},
		"resuming what is not suspended": {
			script: map[string][]do{"a": {running}},
			op: func(p workflow.Progress) error {
				_, err := workflow.Resume(p, "", workflow.Approver{}, start)
				return err
			},
			want: "the workflow is not suspended",
		},
		"approving another plan than the one shown": {
			script: script,
			op: func(p workflow.Progress) error {
				_, err := workflow.Resume(p, "", workflow.Approver{Digest: "sha256:2"}, start)
				return err
			},
			want: `step "s" shows plan sha256:1, not sha256:2: look at it before you approve it`,
		},
		"approving a plan where none is shown": {
			script: map[string][]do{"a": {{StepResult: workflow.StepResult{Phase: workflow.Suspending}}}},
			op: func(p workflow.Progress) error {
				_, err := workflow.Resume(p, "", workflow.Approver{Digest: "sha256:2"}, start)
				return err
			},
			want: "no suspended step shows a plan that sha256:2 could approve",
		},
		"terminating what is finished": {
			op:   func(p workflow.Progress) error { _, err := workflow.Terminate(p, start); return err },
			want: "the workflow is finished (succeeded): it can only be restarted",
		},
		"suspending what is finished": {
			op:   func(p workflow.Progress) error { _, err := workflow.Suspend(p, "", start); return err },
			want: "the workflow is finished (succeeded): it can only be restarted",
		},
		"resuming what is terminated": {
			script: script,
			op: func(p workflow.Progress) error {
				p, err := workflow.Terminate(p, start)
				if err != nil {
					return err
				}
				_, err = workflow.Resume(p, "", workflow.Approver{}, start)
				return err
			},
			want: "the workflow is finished (terminated): it can only be restarted",
		},
		"restarting a step that has not failed": {
			op: func(p workflow.Progress) error {
				_, err := workflow.RestartFrom(spec, p, "a", start)
				return err
			},
			want: `step "a" is succeeded: only a failed step can be restarted`,
		},
		"restarting a step that does not exist": {
			op: func(p workflow.Progress) error {
				_, err := workflow.RestartFrom(spec, p, "x", start)
				return err
			},
			want: `the workflow has no step "x"`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := play(t, &world{now: start, script: tc.script}, spec)
			before := show(p)
			err := tc.op(p)
			if err == nil || err.Error() != tc.want {
				t.Errorf("error = %v, want %s", err, tc.want)
			}
			if got := show(p); got != before {
				t.Errorf("the operation changed its argument: %s, was %s", got, before)
			}
		})
	}
}

// An approval holds for the digest that was shown, whoever resumes.
func TestApprovalIsOnRecord(t *testing.T) {
	cases := map[string]struct {
		resume move
		want   workflow.Plan
	}{
		"by name and digest": {
			resume: must(func(w *world, p workflow.Progress) (workflow.Progress, error) {
				return workflow.Resume(p, "s", workflow.Approver{Name: "ann", Digest: "sha256:1"}, w.now)
			}),
			want: workflow.Plan{Digest: "sha256:1", Approved: "sha256:1", ApprovedBy: "ann", Summary: "one thing"},
		},
		"by an old tool that sets the phase": {
			resume: patch(func(p *workflow.Progress) { p.Suspend, p.Steps[0].Phase = false, workflow.Running }),
			want:   workflow.Plan{Digest: "sha256:1", Approved: "sha256:1", Summary: "one thing"},
		},
		"by an old tool that only clears suspend": {
			resume: patch(func(p *workflow.Progress) { p.Suspend = false }),
			want:   workflow.Plan{Digest: "sha256:1", Approved: "sha256:1", Summary: "one thing"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := &world{now: start, script: map[string][]do{"s": {showing("sha256:1"), running}}}
			p := play(t, w, inOrder(step("s")), tc.resume)
			last := w.runs[len(w.runs)-1]
			if !last.Resumed || last.Plan == nil {
				t.Fatalf("the step was told Resumed=%v, Plan=%v", last.Resumed, last.Plan)
			}
			if diff := cmp.Diff(tc.want, *last.Plan); diff != "" {
				t.Errorf("plan that the step was given (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.want, *p.Steps[0].Plan); diff != "" {
				t.Errorf("plan on record (-want +got):\n%s", diff)
			}
		})
	}
}

// A plan that changed voids the approval and keeps it on record.
func TestAChangedPlanAsksAgain(t *testing.T) {
	w := &world{now: start, script: map[string][]do{"s": {showing("sha256:1"), showing("sha256:2"), ok}}}
	p := play(t, w, inOrder(step("s"), step("b")), resume(""))
	want := workflow.Plan{Digest: "sha256:2", Approved: "sha256:1", ApprovedBy: "ann", Summary: "one thing"}
	if diff := cmp.Diff(want, *p.Steps[0].Plan); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	if got, want := show(p), "suspending suspend | s:suspending/Suspend b:pending"; got != want {
		t.Errorf("state %s, want %s", got, want)
	}
}

func TestRestart(t *testing.T) {
	cases := map[string]struct {
		spec    workflow.Spec
		script  map[string][]do
		step    string // "" restarts all
		reset   string // after the operation
		want    string // after the next run
		wantRan string // by the next run
	}{
		"all of it": {
			spec:    inOrder(step("a"), step("b")),
			script:  map[string][]do{"b": {failing, ok}},
			reset:   " |",
			want:    "succeeded finished | a:succeeded b:succeeded",
			wantRan: "a b",
		},
		"in order, with everything after it": {
			spec:    inOrder(step("a"), step("b"), step("c"), step("d", when("always"))),
			script:  map[string][]do{"b": {failing, ok}},
			step:    "b",
			reset:   "executing | a:succeeded b:pending c:pending d:pending",
			want:    "succeeded finished | a:succeeded b:succeeded c:succeeded d:succeeded",
			wantRan: "b c d",
		},
		"in a DAG, with what depends on it": {
			spec: dag(step("a"), step("b"), step("c", after("b")), step("d", after("c")), step("e"),
				step("f", takes("x", "v"), when("always")), step("g", after("f"))),
			script:  map[string][]do{"b": {failing, ok}},
			step:    "b",
			reset:   "executing | a:succeeded b:pending c:pending d:pending e:succeeded f:failed/Input g:skipped/Skip",
			want:    "failed terminated finished | a:succeeded b:succeeded c:succeeded d:succeeded e:succeeded f:failed/Input g:skipped/Skip",
			wantRan: "b c d",
		},
		"in a group, with what comes after the group": {
			spec:    inOrder(group("g", workflow.StepByStep, step("x"), step("y"), step("z")), step("b")),
			script:  map[string][]do{"y": {failing, ok}},
			step:    "y",
			reset:   "executing | g:running/Wait[x:succeeded y:pending z:pending] b:pending",
			want:    "succeeded finished | g:succeeded[x:succeeded y:succeeded z:succeeded] b:succeeded",
			wantRan: "y z b",
		},
		"a whole group": {
			spec:    inOrder(group("g", "", step("x"), step("y")), step("b")),
			script:  map[string][]do{"y": {failing, ok}},
			step:    "g",
			reset:   "executing | g:pending[x:pending y:pending] b:pending",
			want:    "succeeded finished | g:succeeded[x:succeeded y:succeeded] b:succeeded",
			wantRan: "x y b",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := &world{now: start, script: tc.script}
			p := play(t, w, tc.spec)
			if tc.step == "" {
				p = workflow.Restart(p)
			} else {
				var err error
				if p, err = workflow.RestartFrom(tc.spec, p, tc.step, start.Add(time.Hour)); err != nil {
					t.Fatal(err)
				}
			}
			if got := show(p); got != tc.reset {
				t.Errorf("reset to %s, want %s", got, tc.reset)
			}
			w.runs = nil
			env := w.env()
			env.Parallel = 1
			p, _, err := workflow.Run(t.Context(), tc.spec, p, env)
			if err != nil {
				t.Fatal(err)
			}
			if got := show(p); got != tc.want {
				t.Errorf("state %s, want %s", got, tc.want)
			}
			if got := w.ran(); got != tc.wantRan {
				t.Errorf("executed %q, want %q", got, tc.wantRan)
			}
		})
	}
}

// A step that is restarted loses the values that it and its dependents gave.
func TestRestartForgetsValues(t *testing.T) {
	spec := inOrder(step("a", gives("x", "parameter.n"), with(map[string]any{"n": int64(1)})),
		step("b", gives("y", "parameter.n"), with(map[string]any{"n": int64(2)})), step("c"))
	w := &world{now: start, script: map[string][]do{"b": {ok}, "c": {failing}}}
	p := play(t, w, spec)
	if diff := cmp.Diff(map[string]any{"x": int64(1), "y": int64(2)}, p.Vars.Values); diff != "" {
		t.Fatalf("values (-want +got):\n%s", diff)
	}
	p.Steps[1].Phase, p.Steps[1].Reason = workflow.Failed, "Action"
	p, err := workflow.RestartFrom(spec, p, "b", start)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"x": int64(1)}, p.Vars.Values); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

func TestStepsGetTheirInputs(t *testing.T) {
	spec := inOrder(
		step("a", gives("x", "parameter"), with(map[string]any{"list": []any{map[string]any{"port": int64(80)}}})),
		step("b", takes("x.list[0].port", "spec.ports[0].port"), takes("x", ""), takes("context.name", `labels["app.oam.dev/name"]`),
			with(map[string]any{"spec": map[string]any{"ports": []any{map[string]any{"port": int64(1), "name": "http"}}}})))
	w := &world{now: start}
	play(t, w, spec)
	got := w.runs[1]
	want := map[string]any{
		"spec":   map[string]any{"ports": []any{map[string]any{"port": int64(80), "name": "http"}}},
		"labels": map[string]any{"app.oam.dev/name": "app"},
	}
	if diff := cmp.Diff(want, got.Properties); diff != "" {
		t.Errorf("properties (-want +got):\n%s", diff)
	}
	x := map[string]any{"list": []any{map[string]any{"port": int64(80)}}}
	if diff := cmp.Diff(map[string]any{"x.list[0].port": int64(80), "x": x, "context.name": "app"}, got.Inputs); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
	if port := spec.Steps[1].Properties["spec"].(map[string]any)["ports"].([]any)[0].(map[string]any)["port"]; port != int64(1) {
		t.Errorf("the spec was modified: port = %v", port)
	}
}

// What a suspension holds back is what it may show a plan of.
func TestSuspensionsKnowWhatTheyHoldBack(t *testing.T) {
	suspends := typed(workflow.TypeSuspend)
	cases := map[string]struct {
		spec workflow.Spec
		want string
	}{
		"in order, up to the next suspension": {
			spec: inOrder(step("s", suspends), step("a"), group("g", "", step("x"), step("y")), step("t", suspends), step("b")),
			want: "a x y",
		},
		"in a group, on to what comes after it": {
			spec: inOrder(group("g", workflow.StepByStep, step("s", suspends), step("x")), step("a")),
			want: "x a",
		},
		"in a group with another suspension": {
			spec: inOrder(group("g", workflow.StepByStep, step("s", suspends), step("x"), step("t", suspends)), step("a")),
			want: "x",
		},
		"in a DAG, what depends on nothing else": {
			spec: dag(step("s", suspends), step("t", suspends), step("a", after("s")), step("b", after("a")), step("c", after("b", "t")), step("d")),
			want: "a b",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := &world{now: start}
			play(t, w, tc.spec)
			var names []string
			for _, run := range w.runs {
				if run.Name == "s" {
					for _, s := range run.Next {
						names = append(names, s.Name)
					}
				}
			}
			if got := strings.Join(names, " "); got != tc.want {
				t.Errorf("held back %q, want %q", got, tc.want)
			}
		})
	}
}

func TestVars(t *testing.T) {
	engine := cue.NewEngine(cue.Options{})
	at := start.Add(time.Minute)
	vars := workflow.Vars{
		Values: map[string]any{"x": map[string]any{"n": int64(1), "f": 1.5}, "none": nil},
		Steps: map[string]workflow.StepVars{
			"abc": {Retries: 2, RetryAt: at, Memory: map[string]string{"k": "v"}},
			"def": {ResumeAt: at},
		},
	}
	data, err := vars.Encode()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"vars":                `{"none":null,"x":{"f":1.5,"n":1}}`,
		"abc.state":           `{"retries":2,"retryAt":"2026-01-02T03:05:05.6Z","memory":{"k":"v"}}`,
		"def.resumeTimeStamp": "2026-01-02T03:05:05.6Z",
	}
	if diff := cmp.Diff(want, data); diff != "" {
		t.Errorf("Encode() mismatch (-want +got):\n%s", diff)
	}
	data["other"] = "kept by somebody else"
	got, err := workflow.DecodeVars(data, engine)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(vars, got); diff != "" {
		t.Errorf("DecodeVars() mismatch (-want +got):\n%s", diff)
	}
	if data, err := (workflow.Vars{}).Encode(); data != nil || err != nil {
		t.Errorf("Encode() of nothing = %v, %v", data, err)
	}

	got, err = workflow.DecodeVars(map[string]string{"vars": "x: {\n\tn: 1\n}\ny: \"z\"\n"}, engine)
	if diff := cmp.Diff(workflow.Vars{Values: map[string]any{"x": map[string]any{"n": int64(1)}, "y": "z"}}, got); diff != "" || err != nil {
		t.Errorf("values as KubeVela writes them: %v (-want +got):\n%s", err, diff)
	}
	for name, bad := range map[string]map[string]string{
		"a time":   {"abc.resumeTimeStamp": "soon"},
		"state":    {"abc.state": "{"},
		"values":   {"vars": "[1]"},
		"no value": {"vars": "{"},
	} {
		if _, err := workflow.DecodeVars(bad, engine); err == nil {
			t.Errorf("DecodeVars() accepts %s that is broken", name)
		}
	}
}

func TestSetPath(t *testing.T) {
	base := map[string]any{"a": map[string]any{"b": []any{int64(1)}}, "s": "text"}
	cases := map[string]struct {
		path    string
		want    map[string]any
		wantErr string
	}{
		"a field":               {path: "x", want: map[string]any{"a": base["a"], "s": "text", "x": "v"}},
		"a nested field":        {path: "n.m", want: map[string]any{"a": base["a"], "s": "text", "n": map[string]any{"m": "v"}}},
		"an element":            {path: "a.b[0]", want: map[string]any{"a": map[string]any{"b": []any{"v"}}, "s": "text"}},
		"one element more":      {path: "a.b[1]", want: map[string]any{"a": map[string]any{"b": []any{int64(1), "v"}}, "s": "text"}},
		"a new list":            {path: "l[0].k", want: map[string]any{"a": base["a"], "s": "text", "l": []any{map[string]any{"k": "v"}}}},
		"a quoted name":         {path: `["x.y"].z`, want: map[string]any{"a": base["a"], "s": "text", "x.y": map[string]any{"z": "v"}}},
		"beyond the end":        {path: "a.b[3]", wantErr: `parameterKey "a.b[3]": [3] of a list with 1 elements`},
		"into a text":           {path: "s.x", wantErr: `parameterKey "s.x": field "x" of a value that is not an object`},
		"an index of an object": {path: "a[0]", wantErr: `parameterKey "a[0]": [0] of a value that is not a list`},
		"an open bracket":       {path: "a[0", wantErr: `parameterKey "a[0": expected ] after "[0"`},
		"a dot at the end":      {path: "a.", wantErr: `parameterKey "a.": ends with a dot`},
		"two dots":              {path: "a..b", wantErr: `parameterKey "a..b": expected a name at ".b"`},
		"a word as an index":    {path: "a[x]", wantErr: `parameterKey "a[x]": expected an index or a quoted name in "[x]"`},
		"nothing":               {path: "", wantErr: `parameterKey "": is empty`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := workflow.SetPath(base, tc.path, "v")
			if tc.wantErr != "" {
				if err == nil || err.Error() != tc.wantErr {
					t.Fatalf("error = %v, want %s", err, tc.wantErr)
				}
				return
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
				t.Errorf("SetPath() = %v, mismatch (-want +got):\n%s", err, diff)
			}
		})
	}
	if diff := cmp.Diff(map[string]any{"a": map[string]any{"b": []any{int64(1)}}, "s": "text"}, base); diff != "" {
		t.Errorf("the base was modified (-want +got):\n%s", diff)
	}
}
