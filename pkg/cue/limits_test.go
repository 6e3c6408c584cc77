package cue_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cue"
)

func TestInputLimits(t *testing.T) {
	e := cue.NewEngine(cue.Options{Limits: cue.Limits{InputBytes: 1000, InputDepth: 5, InputKeys: 20, KeyBytes: 10, TemplateBytes: 100, OutputBytes: 600}})
	tmpl := compile(t, e, "output: {a: parameter.a, b: parameter.a}\nparameter: a?: _")
	deep := map[string]any{}
	for range 10 {
		deep = map[string]any{"a": deep}
	}
	many := make([]any, 30)
	for i := range many {
		many[i] = int64(i)
	}
	cases := map[string]struct {
		give any
		want string
	}{
		"too deep":       {deep, "parameter: nested more than 5 levels deep"},
		"too large":      {map[string]any{"a": strings.Repeat("x", 1001)}, "parameter: is larger than 1000 bytes"},
		"too many":       {map[string]any{"a": many}, "parameter: has more than 20 fields"},
		"a long key":     {map[string]any{"a": map[string]any{"abcdefghijk": 1}}, "parameter: has a key of 11 bytes, at most 10 are allowed"},
		"a large output": {map[string]any{"a": strings.Repeat("x", 400)}, "output.b: is larger than 600 bytes"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			res, err := tmpl.Eval(t.Context(), cue.Input{Parameter: tc.give})
			if err == nil {
				_, err = res.Output()
			}
			if err == nil || err.Error() != tc.want {
				t.Errorf("error = %v, want %s", err, tc.want)
			}
			if errs := cue.Errors(err); len(errs) != 1 || errs[0].Kind != cue.Limit {
				t.Errorf("Errors() = %v, want one of kind %s", errs, cue.Limit)
			}
		})
	}
	_, err := e.Compile(cue.Source{Kind: "component", Name: "big", Text: strings.Repeat("// text\n", 20)})
	if want := "the template has 160 bytes, at most 100 are allowed"; err == nil || err.Error() != want {
		t.Errorf("Compile() error = %v, want %s", err, want)
	}
}

func TestExplosions(t *testing.T) {
	cases := map[string]struct{ text, compile, eval string }{
		"a constant list.Repeat":    {text: `import "list"` + "\nout: list.Repeat([1], 2_000_000)", compile: "list.Repeat makes 2000000 elements, at most 1000 are allowed (line 2 of the definition)"},
		"a constant strings.Repeat": {text: `import "strings"` + "\nout: strings.Repeat(\"x\", 2M)", compile: "strings.Repeat makes 2000000 elements, at most 1000 are allowed (line 2 of the definition)"},
		"a constant list.Range":     {text: `import "list"` + "\nout: list.Range(0, 1M, 1)", compile: "list.Range makes 1000000 elements, at most 1000 are allowed (line 2 of the definition)"},
		"a computed list.Repeat":    {text: `import "list"` + "\nout: list.Repeat([1], parameter.n)", eval: "out: expected <=1000, got 1000000000 (line 2 of the definition)"},
		"a computed list.Range":     {text: `import "list"` + "\nout: list.Range(0, parameter.n, 1)", eval: "out: reads element 0 of a list of 0 (line 2 of the definition)"},
		"small ones are fine":       {text: `import "list"` + "\nout: list.Range(0, parameter.m, 1) + list.Repeat([9], parameter.m)"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			e := cue.NewEngine(cue.Options{Limits: cue.Limits{Repeat: 1000}})
			tmpl, err := e.Compile(cue.Source{Kind: "component", Name: "test", Text: tc.text})
			if err != nil || tc.compile != "" {
				if err == nil || err.Error() != tc.compile {
					t.Errorf("Compile() error = %v, want %s", err, tc.compile)
				}
				return
			}
			res, err := tmpl.Eval(t.Context(), cue.Input{Parameter: map[string]any{"n": 1_000_000_000, "m": 2}})
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := res.Lookup("out")
			if err != nil || tc.eval != "" {
				if err == nil || err.Error() != tc.eval {
					t.Errorf("Lookup() = %v, error = %v, want %s", got, err, tc.eval)
				}
				return
			}
			if diff := cmp.Diff([]any{int64(0), int64(1), int64(9), int64(9)}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A template that does not end in time is not tried again until its text
// changes, and the others go on.
func TestQuarantine(t *testing.T) {
	e := cue.NewEngine(cue.Options{Limits: cue.Limits{Budget: 30 * time.Millisecond, Repeat: 1 << 30}})
	slow := compile(t, e, `import "list"
		out: len([for a in list.Range(0, parameter.n, 1) for b in list.Range(0, 1000, 1) {a + b}])
		parameter: n: *0 | int`)
	res, err := slow.Eval(t.Context(), cue.Input{Parameter: map[string]any{"n": 15}})
	if err == nil {
		_, _, err = res.Lookup("out")
	}
	want := `the component definition "test" is not evaluated any more until its text changes: the evaluation did not end within 30ms`
	if err == nil || err.Error() != want {
		t.Fatalf("Lookup() error = %v, want %s", err, want)
	}
	if _, err := slow.Eval(t.Context(), cue.Input{}); err == nil || err.Error() != want {
		t.Errorf("second Eval() error = %v, want %s", err, want)
	}
	if s := e.Stats(); s.Quarantined != 1 {
		t.Errorf("Stats() = %+v, want one template in quarantine", s)
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for e.Stats().Stuck > 0 { // it ends at some time, and then it is no longer counted
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("the evaluation never ended")
		}
	}
	other := compile(t, e, `out: 1`)
	if _, err := other.Eval(t.Context(), cue.Input{}); err != nil {
		t.Errorf("another template: %v", err)
	}
}

func TestCellsAreDropped(t *testing.T) {
	now := time.Now()
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	e := cue.NewEngine(cue.Options{Now: clock, Limits: cue.Limits{Cells: 10, CellIdle: time.Hour}})
	first := compile(t, e, "out: -1")
	for i := range 30 {
		mu.Lock()
		now = now.Add(time.Second)
		mu.Unlock()
		compile(t, e, fmt.Sprintf("out: %d", i))
	}
	if s := e.Stats(); s.Cells != 10 || s.Templates != 10 {
		t.Errorf("Stats() = %+v, want the 10 that were used last", s)
	}
	res, err := first.Eval(t.Context(), cue.Input{})
	if err != nil {
		t.Fatalf("a template whose cell was dropped: %v", err)
	}
	if v, _, err := res.Lookup("out"); v != int64(-1) || err != nil {
		t.Errorf("Lookup() = %v, %v, want -1", v, err)
	}
	mu.Lock()
	now = now.Add(2 * time.Hour)
	mu.Unlock()
	compile(t, e, "out: 100")
	if s := e.Stats(); s.Templates != 1 {
		t.Errorf("Stats() = %+v, want only the newest after the others were idle", s)
	}
}

// Evaluations leave nothing behind: no compilation is kept per evaluation.
func TestEvaluationsDoNotGrow(t *testing.T) {
	e := cue.NewEngine(cue.Options{})
	tmpl := compile(t, e, webservice(t))
	run := func(n int) {
		for i := range n {
			res, err := tmpl.Eval(t.Context(), cue.Input{
				Parameter: map[string]any{"image": fmt.Sprint("nginx:", i), "ports": []any{map[string]any{"port": 80, "expose": true}}},
				Context:   map[string]any{"name": fmt.Sprint("web-", i), "appName": "app"},
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := res.Outputs(); err != nil {
				t.Fatal(err)
			}
		}
	}
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	run(200)
	before := heap()
	run(1000)
	if grown := heap() - before; grown > 512<<10 {
		t.Errorf("1000 evaluations left %d KiB behind", grown>>10)
	}
}

// The same input gives the same result in parallel and one by one.
func TestConcurrentEval(t *testing.T) {
	e := cue.NewEngine(cue.Options{})
	tmpl := compile(t, e, webservice(t))
	render := func(i int) (map[string]any, error) {
		res, err := tmpl.Eval(t.Context(), cue.Input{
			Parameter: map[string]any{"image": fmt.Sprint("nginx:", i), "labels": map[string]string{"n": fmt.Sprint(i)}},
			Context:   map[string]any{"name": fmt.Sprint("web-", i), "appName": "app"},
		})
		if err != nil {
			return nil, err
		}
		return res.Output()
	}
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			got, err := render(i)
			if err != nil {
				t.Error(err)
				return
			}
			again, err := render(i)
			if err != nil {
				t.Error(err)
				return
			}
			if diff := cmp.Diff(again, got); diff != "" {
				t.Error(diff)
			}
		}()
	}
	wg.Wait()
}
