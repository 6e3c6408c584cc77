package worker_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/worker"
)

func TestMain(m *testing.M) {
	worker.Main()
	replaced()
	if text := os.Getenv(evaluateHere); text != "" {
		withoutWorkers(text)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// pool starts workers that end with the test.
func pool(t testing.TB, o worker.Options) *worker.Pool {
	t.Helper()
	p := worker.NewPool(o)
	t.Cleanup(p.Close)
	return p
}

func compile(t testing.TB, e *cue.Engine, text string) *cue.Template {
	t.Helper()
	tmpl, err := e.Compile(cue.Source{Kind: "trait", Name: "test", Text: text})
	if err != nil {
		t.Fatalf("Compile() error = %v", err)
	}
	return tmpl
}

// both returns an engine that evaluates here and one that has workers.
func both(t testing.TB, pkgs ...provider.Schema) map[string]*cue.Engine {
	t.Helper()
	return map[string]*cue.Engine{
		"here":        cue.NewEngine(cue.Options{Packages: pkgs}),
		"in a worker": cue.NewEngine(cue.Options{Packages: pkgs, Sandbox: pool(t, worker.Options{})}),
	}
}

// regexp keeps the direct evaluator out.
const full = "import \"regexp\"\n_x: regexp.Match(\"a\", parameter.a)\n"

func TestReadingsAreTheSame(t *testing.T) {
	type read func(*cue.Result) (any, error)
	lookup := func(path string) read {
		return func(r *cue.Result) (any, error) { v, ok, err := r.Lookup(path); return []any{v, ok}, err }
	}
	apply := func(base map[string]any) read {
		return func(r *cue.Result) (any, error) {
			p, ok, err := r.Patch()
			if err != nil || !ok {
				return ok, err
			}
			return patch.Apply(base, p)
		}
	}
	cases := map[string]struct {
		text      string
		parameter map[string]any
		read      read
	}{
		"an object":         {`output: {a: 1, b: 1.0, c: "x", d: [true, null], e: _x}`, nil, lookup("output")},
		"a field of it":     {`output: {a: 1, b: {c: _x}}`, nil, lookup("output.b.c")},
		"nothing":           {`output: {a: _x}`, nil, lookup("outputs.web")},
		"a missing value":   {`output: {a: parameter.b, c: _x}` + "\nparameter: b: string", nil, lookup("output")},
		"a wrong property":  {`output: {a: parameter.n, c: _x}` + "\nparameter: n: int", map[string]any{"n": "x"}, lookup("output")},
		"a conflict":        {`output: {a: 1, a: len(parameter.a), c: _x}`, nil, lookup("output")},
		"an expression":     {`output: {a: 1, c: _x}`, nil, func(r *cue.Result) (any, error) { return r.Expr("output.a + 1") }},
		"a bad expression":  {`output: {a: 1, c: _x}`, nil, func(r *cue.Result) (any, error) { return r.Expr("output.nope") }},
		"the whole is fine": {`output: {a: 1, c: _x}`, nil, func(r *cue.Result) (any, error) { return nil, r.Err() }},
		"the whole is not":  {`output: {c: _x}` + "\nwrong: 1 & len(parameter.a)", nil, func(r *cue.Result) (any, error) { return nil, r.Err() }},
		"messages":          {`errs: ["a", "\(_x)"]`, nil, func(r *cue.Result) (any, error) { e, err := r.Errs(); return e, err }},
		"objects by name":   {`outputs: {b: {x: _x}, a: {y: 1}}`, nil, func(r *cue.Result) (any, error) { return r.Outputs() }},
		"a patch with markers": {"patch: {\n// +patchKey=name\nspec: containers: [{name: \"a\", x: _x}]\n}", nil,
			apply(map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "b"}, map[string]any{"name": "a", "y": int64(1)}}}})},
		"a patch with a choice":            {`patch: {replicas: *1 | int, x: _x}`, nil, apply(map[string]any{"replicas": int64(5)})},
		"a patch with a choice, undecided": {`patch: {replicas: *1 | int, x: _x}`, nil, apply(map[string]any{})},
		"a patch with a choice, refused":   {`patch: {replicas: *1 | int, x: _x}`, nil, apply(map[string]any{"replicas": "many"})},
		"patches of outputs": {`patchOutputs: {web: {replicas: *1 | int, x: _x}}`, nil, func(r *cue.Result) (any, error) {
			ps, err := r.PatchOutputs()
			if err != nil {
				return nil, err
			}
			return patch.Apply(map[string]any{"replicas": int64(2)}, ps["web"])
		}},
	}
	engines := both(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := map[string][2]any{}
			for where, e := range engines {
				if tc.parameter == nil {
					tc.parameter = map[string]any{}
				}
				tc.parameter["a"] = "cat"
				var v any
				res, err := compile(t, e, full+tc.text).Eval(t.Context(), cue.Input{Parameter: tc.parameter})
				if err == nil {
					v, err = tc.read(res)
				}
				got[where] = [2]any{v, fmt.Sprint(err)}
			}
			if diff := cmp.Diff(got["here"], got["in a worker"]); diff != "" {
				t.Errorf("a worker gives something else (-here +worker):\n%s", diff)
			}
		})
	}
}

func TestCheckAndSchemaAreTheSame(t *testing.T) {
	text := `parameter: {
		// +usage=The port
		port: *80 | int
		mode: "a" | "b"
		list?: [...{name: string}]
	}`
	got := map[string][]any{}
	for where, e := range both(t) {
		tmpl := compile(t, e, text)
		s, err := tmpl.Schema()
		if err != nil {
			t.Fatal(err)
		}
		give := map[string]any{"port": "x", "mode": "c", "lisst": []any{}}
		got[where] = []any{fmt.Sprint(tmpl.Check(give)), tmpl.Unknown(give), s, fmt.Sprint(tmpl.Check(map[string]any{"mode": "a"}))}
	}
	if diff := cmp.Diff(got["here"], got["in a worker"]); diff != "" {
		t.Errorf("a worker gives something else (-here +worker):\n%s", diff)
	}
}

// stepPackage has a call with parameters and one that reads a patch.
var stepPackage = provider.Schema{Path: "vela/test", Text: `
#Ask: {#do: "ask", #provider: "test", $params: {n: int}, $returns?: {n: int}}
#Patch: {#do: "patch", #provider: "test", $params: {patch: {...}, ...}, $returns?: {...}}
#Flat: {#do: "flat", #provider: "test", n: int, answer?: int}
#Wait: {#do: "wait", #provider: "test", $params: {n: int}}
#Fail: {#do: "fail", #provider: "test", $params: {n: int}}
`}

func TestProviderCallsAreMadeHere(t *testing.T) {
	text := `import "vela/test"
		one: test.#Ask & {$params: n: parameter.n}
		two: test.#Ask & {$params: n: one.$returns.n}
		three: test.#Flat & {n: two.$returns.n}
		four: test.#Patch & {$params: {patch: {replicas: *1 | int}}}
		result: [one.$returns.n, two.$returns.n, three.answer, four.$returns]
		if parameter.wait {five: test.#Wait & {$params: n: 1}}
		if parameter.fail {six: test.#Fail & {$params: n: 1}}
		if parameter.absent {seven: {#do: "nothing", #provider: "test"}}
		parameter: {n: int, wait: *false | bool, fail: *false | bool, absent: *false | bool}`
	table := func(log *[]string) provider.Table {
		note := func(c provider.Call) { *log = append(*log, fmt.Sprintf("%s %s %v %v", c.Path, c.Do, c.Params, c.Flat)) }
		plusOne := func(field string) provider.Action {
			return func(_ context.Context, c provider.Call) (any, error) {
				note(c)
				n := c.Params.(map[string]any)["n"].(int64)
				return map[string]any{field: n + 1}, nil
			}
		}
		return provider.NewTable(provider.Package{Name: "test", Read: provider.Actions{
			"ask": plusOne("n"), "flat": plusOne("answer"),
			"patch": func(_ context.Context, c provider.Call) (any, error) {
				p, err := c.Patch("patch")
				if err != nil {
					return nil, err
				}
				return patch.Apply(map[string]any{"replicas": int64(7)}, p.(patch.Patch))
			},
			"wait": func(_ context.Context, c provider.Call) (any, error) {
				note(c)
				return nil, provider.Wait{Message: "not yet"}
			},
			"fail": func(_ context.Context, c provider.Call) (any, error) {
				note(c)
				return nil, fmt.Errorf("no answer")
			},
		}})
	}
	for name, parameter := range map[string]map[string]any{
		"all answers":   {"n": 1},
		"a signal":      {"n": 1, "wait": true},
		"a failure":     {"n": 1, "fail": true},
		"an unknown do": {"n": 1, "absent": true},
	} {
		t.Run(name, func(t *testing.T) {
			got := map[string][]any{}
			for where, e := range both(t, stepPackage) {
				var log []string
				res, err := compile(t, e, text).Eval(t.Context(), cue.Input{Parameter: parameter, Actions: table(&log)})
				var result any
				if res != nil {
					result, _, _ = res.Lookup("result")
				}
				got[where] = []any{result, fmt.Sprint(err), log}
			}
			if diff := cmp.Diff(got["here"], got["in a worker"]); diff != "" {
				t.Errorf("a worker gives something else (-here +worker):\n%s", diff)
			}
		})
	}
}

// What a worker has forgotten is evaluated again, with the answers of before:
// no call is made twice.
func TestForgottenEvaluationsAreRepeatedWithoutCalls(t *testing.T) {
	e := cue.NewEngine(cue.Options{Packages: []provider.Schema{stepPackage}, Sandbox: pool(t, worker.Options{Processes: 1})})
	calls := 0
	table := provider.NewTable(provider.Package{Name: "test", Read: provider.Actions{"ask": func(context.Context, provider.Call) (any, error) {
		calls++
		return map[string]any{"n": int64(calls)}, nil
	}}})
	tmpl := compile(t, e, "import \"vela/test\"\none: test.#Ask & {$params: n: 1}\nmore: one.$returns.n\n")
	first, err := tmpl.Eval(t.Context(), cue.Input{Actions: table})
	if err != nil {
		t.Fatal(err)
	}
	for range 40 { // more than a worker remembers
		if _, err := tmpl.Eval(t.Context(), cue.Input{Actions: table}); err != nil {
			t.Fatal(err)
		}
	}
	before := calls
	if v, _, err := first.Lookup("more"); v != int64(1) || err != nil {
		t.Errorf("Lookup() = %v, %v, want the answer of its own call", v, err)
	}
	if calls != before {
		t.Errorf("the repetition made %d calls", calls-before)
	}
}

// Whoever stops a worker from outside does not harm the definition.
func TestAWorkerThatIsGoneIsReplaced(t *testing.T) {
	p := pool(t, worker.Options{Processes: 1, Idle: time.Millisecond})
	e := cue.NewEngine(cue.Options{Sandbox: p})
	tmpl := compile(t, e, full+"output: a: _x")
	for range 3 {
		for p.Stats().Idle > 0 { // it ends by itself
			select {
			case <-time.After(time.Millisecond):
			case <-t.Context().Done():
				t.Fatal("the worker stays")
			}
		}
		res, err := tmpl.Eval(t.Context(), cue.Input{Parameter: map[string]any{"a": "x"}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := res.Output(); err != nil {
			t.Fatal(err)
		}
	}
	if got := p.Stats().Started; got < 3 {
		t.Errorf("%d workers were started, want one for each evaluation", got)
	}
}

// An Application must not be able to take a definition from the others: what
// works for them goes on working, and only the bad input is remembered.
func TestABadInputIsToBlameAlone(t *testing.T) {
	text := full + `output: n: len([for a in parameter.l for b in parameter.l for c in parameter.l {"\(a)\(b)\(c)\(_x)"}])
parameter: {a: string, l: [...int]}`
	input := func(app string, n int) cue.Input {
		l := make([]any, n)
		for i := range l {
			l[i] = int64(i)
		}
		return cue.Input{Parameter: map[string]any{"a": "cat", "l": l}, Context: map[string]any{"name": "web", "appName": app, "namespace": "default"}}
	}
	for name, ours := range map[string]bool{"a definition that came with the program": true, "any other that has worked": false} {
		t.Run(name, func(t *testing.T) {
			var told []string
			e := cue.NewEngine(cue.Options{
				Sandbox: pool(t, tight), Trusted: func(_, _, _ string) bool { return ours },
				OnTrouble: func(src cue.Source) { told = append(told, src.Name) },
			})
			tmpl := compile(t, e, text)
			evaluate := func(in cue.Input) error {
				res, err := tmpl.Eval(t.Context(), in)
				if err != nil {
					return err
				}
				_, err = res.Output()
				return err
			}
			if err := evaluate(input("good", 3)); err != nil {
				t.Fatal(err)
			}
			want := `the trait definition "test" is not evaluated any more with these properties, until they or its text change: the evaluation needs more than `
			for range 2 {
				if err := evaluate(input("bad", 6000)); err == nil || !strings.HasPrefix(err.Error(), want) {
					t.Errorf("the bad input: %v, want %s…", err, want)
				}
			}
			if err := evaluate(input("good", 4)); err != nil {
				t.Errorf("a good input after a bad one: %v", err)
			}
			if got, ok := e.Trouble(tmpl.Source()); !ok || got.Inputs != 1 {
				t.Errorf("Trouble() = %+v, %v, want one input", got, ok)
			}
			if diff := cmp.Diff([]string{"test"}, told); diff != "" {
				t.Errorf("OnTrouble (-want +got):\n%s", diff)
			}
		})
	}
}
