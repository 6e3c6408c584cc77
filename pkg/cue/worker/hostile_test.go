package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/worker"
)

// tight are limits that make the tests quick; what they stop, the default ones
// stop later.
var tight = worker.Options{Memory: 128 << 20, CPU: 500 * time.Millisecond, Wall: 20 * time.Second}

// The classes of what becomes of a hostile template.
const (
	refused = "refused" // it does not compile
	wrong   = "wrong"   // the evaluation says what is wrong
	stopped = "stopped" // a worker had to be stopped, and the text is quarantined
	fine    = "fine"    // it evaluates
	bounded = "bounded" // any of these: it needs about what it may use
)

// A hostile template.
type hostile struct {
	text      string
	parameter any
}

// classOf evaluates a template and reads everything of it.
func classOf(t *testing.T, e *cue.Engine, h hostile) (string, error) {
	t.Helper()
	class := func(err error, otherwise string) (string, error) {
		if err == nil {
			return fine, nil
		}
		if all := cue.Errors(err); len(all) == 1 && all[0].Kind == cue.Limit && strings.Contains(all[0].Message, "not evaluated any more") {
			return stopped, err
		}
		return otherwise, err
	}
	tmpl, err := e.Compile(cue.Source{Kind: "component", Name: "hostile", Text: h.text})
	if err != nil {
		return class(err, refused)
	}
	if err := tmpl.Check(h.parameter); err != nil {
		return class(err, wrong)
	}
	_ = tmpl.Unknown(h.parameter)
	if _, err := tmpl.Schema(); err != nil {
		return class(err, wrong)
	}
	res, err := tmpl.Eval(t.Context(), cue.Input{Parameter: h.parameter, Context: map[string]any{"name": "web", "appName": "app", "namespace": "default"}, Actions: asking, ReadOnly: true})
	if err != nil {
		return class(err, wrong)
	}
	return class(readAll(res), wrong)
}

// asking answers calls with the next number.
var asking = provider.NewTable(provider.Package{Name: "test",
	Read: provider.Actions{"ask": func(_ context.Context, c provider.Call) (any, error) {
		m, _ := c.Params.(map[string]any)
		n, _ := m["n"].(int64)
		return map[string]any{"n": n + 1}, nil
	}},
	Write: provider.Actions{"write": func(context.Context, provider.Call) (any, error) {
		return nil, errors.New("a write while rendering")
	}},
})

func readAll(res *cue.Result) error {
	if _, err := res.Output(); err != nil {
		return err
	}
	if _, err := res.Outputs(); err != nil {
		return err
	}
	p, ok, err := res.Patch()
	if err != nil {
		return err
	}
	if ok {
		if _, err := patch.Apply(map[string]any{"spec": map[string]any{}}, p); err != nil {
			return err
		}
	}
	if _, err := res.PatchOutputs(); err != nil {
		return err
	}
	if _, err := res.Errs(); err != nil {
		return err
	}
	if _, _, err := res.Bool("isHealth"); err != nil {
		return err
	}
	if _, _, err := res.String("message"); err != nil {
		return err
	}
	return res.Err()
}

// TestHostileTemplates evaluates templates that want to do harm. Whatever they
// are, this process lives, its memory does not grow, each ends in its class and
// in time, and a good template is evaluated while they are.
func TestHostileTemplates(t *testing.T) {
	p := pool(t, tight)
	e := cue.NewEngine(cue.Options{Sandbox: p})
	cases := generated()
	for name, h := range written(t) {
		cases[name] = h
	}
	if len(cases) < 200 {
		t.Fatalf("there are %d hostile templates, want 200", len(cases))
	}
	before := heap()
	update := map[string]string{}
	t.Run("each", func(t *testing.T) {
		for name, h := range cases {
			t.Run(name, func(t *testing.T) {
				if os.Getenv("UPDATE") == "" {
					t.Parallel()
				}
				want, _, _ := strings.Cut(name, "/")
				began := time.Now()
				got, err := classOf(t, e, h)
				if took := time.Since(began); took > 30*time.Second {
					t.Errorf("took %s", took)
				}
				if os.Getenv("UPDATE") != "" {
					update[name] = got
					t.Logf("%s: %.200v", got, err)
					return
				}
				if got != want && want != bounded && !(raced && got == stopped) {
					t.Errorf("is %s (%.300v), want %s", got, err, want)
				}
				if text := fmt.Sprint(err); len(text) > 20_000 {
					t.Errorf("the message has %d bytes", len(text))
				}
				good(t, e)
			})
		}
	})
	rewrite(t, update)
	if grown := heap() - before; grown > 32<<20 {
		t.Errorf("the memory of this process grew by %d MiB", grown>>20)
	} else {
		t.Logf("the memory of this process grew by %d KiB", grown>>10)
	}
	runtime.KeepAlive(cases)
	if s := e.Stats(); s.Cells > 0 || s.Full != s.Outside {
		t.Errorf("this process has met the CUE library: %+v", s)
	}
	if peak := children(t); peak > 1<<30 {
		t.Errorf("a worker had %d MiB of memory", peak>>20)
	}
	t.Logf("%d templates, %+v, %+v, the largest worker had %d MiB", len(cases), e.Stats(), p.Stats(), children(t)>>20)
}

// evaluateHere makes a process evaluate a text without workers.
const evaluateHere = "VELA_TEST_EVALUATE_HERE"

func withoutWorkers(text string) {
	debug.SetMaxStack(64 << 20) // the usual gigabyte takes longer to fill
	tmpl, err := cue.NewEngine(cue.Options{}).Compile(cue.Source{Kind: "component", Name: "hostile", Text: text})
	if err == nil {
		_, err = tmpl.Eval(context.Background(), cue.Input{})
	}
	fmt.Println(err)
}

// TestAStackOverflowKillsOnlyAWorker proves why there are workers: the text ends
// a process that evaluates it, which no recover prevents, and is an error here.
func TestAStackOverflowKillsOnlyAWorker(t *testing.T) {
	h, ok := written(t)["stopped/pattern-with-bound.cue"]
	if !ok {
		t.Fatal("the template is gone")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = []string{evaluateHere + "=" + h.text, "GOTRACEBACK=none"}
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "stack overflow") {
		t.Errorf("without workers: %v, %s, want a stack overflow: is CUE better now, and is another template needed?", err, out)
	}
	e := cue.NewEngine(cue.Options{Sandbox: pool(t, worker.Options{})})
	class, err := classOf(t, e, h)
	if want := "the evaluation does not end: it nests without bound"; class != stopped || !raced && !strings.Contains(err.Error(), want) {
		t.Errorf("with workers: %s, %v, want %s", class, err, want)
	}
	good(t, e)
}

// good evaluates a template that needs the CUE library.
func good(t *testing.T, e *cue.Engine) {
	t.Helper()
	res, err := compile(t, e, full+"output: {a: _x, b: parameter.a}").Eval(t.Context(), cue.Input{Parameter: map[string]any{"a": "cat"}})
	if err != nil {
		t.Errorf("a good template: %v", err)
		return
	}
	if got, err := res.Output(); err != nil || got["b"] != "cat" {
		t.Errorf("a good template gives %v, %v", got, err)
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// children is the largest resident memory that a worker had so far.
func children(t *testing.T) int64 {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u); err != nil {
		t.Fatal(err)
	}
	return u.Maxrss << 10
}

// written reads testdata/hostile. The folder of a name is the class.
func written(t *testing.T) map[string]hostile {
	t.Helper()
	files, err := filepath.Glob("testdata/hostile/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no hostile templates", err)
	}
	out := map[string]hostile{}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			h := hostile{text: string(f.Data), parameter: map[string]any{}}
			first, _, _ := strings.Cut(h.text, "\n")
			if given, ok := strings.CutPrefix(first, "// parameter: "); ok {
				if err := json.Unmarshal([]byte(given), &h.parameter); err != nil {
					t.Fatalf("%s: %v", f.Name, err)
				}
			}
			if _, twice := out[f.Name]; twice {
				t.Fatalf("%s: there are two %s", file, f.Name)
			}
			out[f.Name] = h
		}
	}
	return out
}

// rewrite moves templates into the folders of what they were found to be.
func rewrite(t *testing.T, classes map[string]string) {
	t.Helper()
	if os.Getenv("UPDATE") == "" {
		return
	}
	files, _ := filepath.Glob("testdata/hostile/*.txtar")
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		for name, class := range classes {
			_, base, _ := strings.Cut(name, "/")
			text = strings.Replace(text, "-- "+name+" --", "-- "+class+"/"+base+" --", 1)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, class := range classes {
		if want, base, _ := strings.Cut(name, "/"); want != class {
			t.Logf("%s is %s", base, class)
		}
	}
}

// generated are templates that are too long to be written down.
func generated() map[string]hostile {
	around := func(open, mid, end string, n int) string {
		return "output: a: " + strings.Repeat(open, n) + mid + strings.Repeat(end, n) + "\n"
	}
	lines := func(n int, line func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(line(i))
			b.WriteByte('\n')
		}
		return b.String()
	}
	deep := func(n int) any {
		var v any = "x"
		for range n {
			v = map[string]any{"a": v}
		}
		return v
	}
	many := make(map[string]any)
	for i := range 200_000 {
		many[fmt.Sprint("k", i)] = i
	}
	some := make([]any, 20_000)
	for i := range some {
		some[i] = map[string]any{"name": fmt.Sprint("n", i)}
	}
	texts := map[string]string{
		"refused/gen-parentheses":             around("(", "1", ")", 100_000),
		"refused/gen-lists":                   around("[", "1", "]", 100_000),
		"refused/gen-structs":                 around("{a: ", "1", "}", 40_000),
		"fine/gen-lists-shallower":            around("[", "1", "]", 5_000),
		"fine/gen-structs-shallower":          around("{a: ", "1", "}", 5_000),
		"fine/gen-structs-500":                around("{a: ", "1", "}", 500),
		"stopped/gen-chain":                   "output: " + strings.Repeat("a: ", 60_000) + "1",
		"refused/gen-nots":                    around("!", "true", "", 100_000),
		"refused/gen-minuses":                 around("-", "1", "", 100_000),
		"stopped/gen-sum":                     "output: a: 1" + strings.Repeat("+1", 100_000),
		"stopped/gen-and":                     "output: a: 1" + strings.Repeat("&1", 100_000),
		"stopped/gen-or":                      "output: a: 1" + strings.Repeat("|1", 100_000),
		"refused/gen-or-of-structs":           "output: {a: 1}" + lines(3_000, func(i int) string { return fmt.Sprintf(" | {b%d: %d}", i, i) }),
		"wrong/gen-or-of-structs-squared":     "_x: {a: 1}" + strings.ReplaceAll(lines(300, func(i int) string { return fmt.Sprintf(" | {b%d: %d}", i, i) }), "\n", "") + "\noutput: _x & _x & _x",
		"stopped/gen-strings-concatenated":    "output: a: \"x\"" + strings.Repeat("+\"x\"", 50_000),
		"refused/gen-calls":                   around("len(", "\"x\"", ")", 40_000),
		"stopped/gen-selectors":               "output: a: parameter" + strings.Repeat(".a", 100_000),
		"bounded/gen-indexes":                 "output: a: parameter" + strings.Repeat("[0]", 70_000),
		"stopped/gen-ifs":                     "output: {" + strings.Repeat("if true {", 20_000) + "a: 1" + strings.Repeat("}", 20_000) + "}",
		"stopped/gen-fors":                    "output: {" + strings.Repeat("for k in [1, 2] {", 5_000) + "a: 1" + strings.Repeat("}", 5_000) + "}",
		"refused/gen-interpolations":          "output: a: " + strings.Repeat(`"\(`, 20_000) + "1" + strings.Repeat(`)"`, 20_000),
		"fine/gen-long-interpolation":         "output: a: \"" + strings.Repeat(`\(1)`, 50_000) + "\"",
		"stopped/gen-lets":                    "let x0 = 1\n" + lines(8_000, func(i int) string { return fmt.Sprintf("let x%d = x%d + x%d", i+1, i, i) }) + "output: a: x8000",
		"stopped/gen-lets-doubling":           "let x0 = [1]\n" + lines(40, func(i int) string { return fmt.Sprintf("let x%d = [x%d, x%d]", i+1, i, i) }) + "output: a: x40",
		"bounded/gen-references":              "_x0: 1\n" + lines(9_000, func(i int) string { return fmt.Sprintf("_x%d: _x%d", i+1, i) }) + "output: a: _x9000",
		"stopped/gen-references-doubling":     "_x0: {a: 1}\n" + lines(30, func(i int) string { return fmt.Sprintf("_x%d: {l: _x%d, r: _x%d}", i+1, i, i) }) + "output: _x30",
		"stopped/gen-strings-doubling":        "_x0: \"x\"\n" + lines(60, func(i int) string { return fmt.Sprintf("_x%d: _x%d + _x%d", i+1, i, i) }) + "output: a: _x60",
		"stopped/gen-interpolations-doubling": "_x0: \"x\"\n" + lines(60, func(i int) string { return fmt.Sprintf("_x%d: \"\\(_x%d)\\(_x%d)\"", i+1, i, i) }) + "output: a: _x60",
		"refused/gen-numbers-squared":         "_x0: 10\n" + lines(60, func(i int) string { return fmt.Sprintf("_x%d: _x%d * _x%d", i+1, i, i) }) + "output: a: _x60",
		"bounded/gen-fields":                  "output: {\n" + lines(12_000, func(i int) string { return fmt.Sprintf("f%d: %d", i, i) }) + "}",
		"bounded/gen-one-field-often":         "output: {\n" + lines(20_000, func(i int) string { return "f: {a: 1}" }) + "}",
		"fine/gen-definitions":                lines(4_000, func(i int) string { return fmt.Sprintf("#D%d: {a: int, b?: #D%d}", i, (i+1)%4_000) }) + "output: #D0 & {a: 1}",
		"stopped/gen-embeddings":              "#D0: {a: 1}\n" + lines(2_000, func(i int) string { return fmt.Sprintf("#D%d: {#D%d, b%d: 1}", i+1, i, i) }) + "output: #D2000",
		"bounded/gen-patterns":                "output: {\n" + lines(3_000, func(i int) string { return fmt.Sprintf("[=~\"a%d\"]: int\nf%d: %d", i, i, i) }) + "}",
		"fine/gen-optional":                   "#D: {\n" + lines(8_000, func(i int) string { return fmt.Sprintf("f%d?: int", i) }) + "}\noutput: #D & #D & #D",
		"fine/gen-imports":                    lines(5_000, func(i int) string { return fmt.Sprintf("import a%d \"strings\"", i) }) + "output: a: 1",
		"refused/gen-import-list":             "import (\n" + lines(5_000, func(i int) string { return fmt.Sprintf("\"made/up%d\"", i) }) + ")\noutput: a: up1.X",
		"fine/gen-comments":                   strings.Repeat("// +usage=x\n", 20_000) + "output: a: 1",
		"fine/gen-attributes":                 "output: a: 1 " + strings.Repeat("@x(y)", 30_000),
		"fine/gen-long-string":                "output: a: \"" + strings.Repeat("x", 250_000) + "\"",
		"fine/gen-long-key":                   "output: {\"" + strings.Repeat("k", 250_000) + "\": 1}",
		"fine/gen-long-number":                "output: a: " + strings.Repeat("9", 250_000),
		"fine/gen-long-fraction":              "output: a: 0." + strings.Repeat("9", 250_000),
		"fine/gen-hashes":                     "output: a: " + strings.Repeat("#", 100_000) + "\"x\"" + strings.Repeat("#", 100_000),
		"fine/gen-newlines":                   strings.Repeat("\n", 250_000) + "output: a: 1",
		"refused/gen-megabyte":                "output: a: \"" + strings.Repeat("x", 1<<20) + "\"",
		"refused/gen-ten-megabytes":           strings.Repeat("a: 1\n", 2<<20),
		"stopped/gen-quotes":                  "output: a: " + strings.Repeat("\"", 100_001),
		"refused/gen-garbage":                 strings.Repeat("}{)(][,:;|&", 10_000),
		"bounded/gen-aliases":                 lines(5_000, func(i int) string { return fmt.Sprintf("X%d=x%d: {a: X%d}", i, i, i) }) + "output: a: 1",
		"bounded/gen-disjunct-defaults":       "output: a: *1" + strings.Repeat(" | *1", 30_000),
		"refused/gen-bounds":                  "output: a: 5" + lines(5_000, func(i int) string { return fmt.Sprintf(" & >%d", -i) }),
		"stopped/gen-not-equals":              "output: a: int" + strings.ReplaceAll(lines(5_000, func(i int) string { return fmt.Sprintf(" & !=%d", i) }), "\n", "") + "\noutput: a: -1",
		"stopped/gen-closed-in-closed":        "output: a: " + strings.Repeat("close({a: ", 3_000) + "1" + strings.Repeat("})", 3_000),
		"fine/gen-dynamic-labels":             "output: {\n" + lines(5_000, func(i int) string { return fmt.Sprintf("(\"a%d\"): %d", i, i) }) + "}",
	}
	out := map[string]hostile{}
	for name, text := range texts {
		out[name] = hostile{text, map[string]any{}}
	}
	const copyAll = "output: parameter\nparameter: {...}\n"
	out["wrong/gen-parameter-deep"] = hostile{copyAll, deep(5_000)}
	out["fine/gen-parameter-at-the-limit"] = hostile{copyAll, deep(60)}
	out["wrong/gen-parameter-many"] = hostile{copyAll, many}
	out["wrong/gen-parameter-long"] = hostile{copyAll, map[string]any{"a": strings.Repeat("x", 20<<20)}}
	out["wrong/gen-parameter-long-key"] = hostile{copyAll, map[string]any{strings.Repeat("x", 1<<20): 1}}
	out["fine/gen-parameter-megabytes"] = hostile{copyAll, map[string]any{"a": strings.Repeat("x", 5<<20)}}
	out["stopped/gen-parameter-multiplied"] = hostile{"output: {for a in parameter.l for b in parameter.l {\"\\(a.name)-\\(b.name)\": 1}}\nparameter: l: [...{name: string}]\n", map[string]any{"l": some}}
	out["stopped/gen-parameter-multiplied-often"] = hostile{"output: {for i in [1,2,3,4,5,6,7,8,9,10,11,12] {\"\\(i)\": {for j in [1,2,3,4,5,6,7,8,9,10,11,12] {\"\\(j)\": parameter.l}}}}\nparameter: l: [...]\n", map[string]any{"l": some}}
	out["stopped/gen-parameter-in-choices"] = hostile{"#E: {name: \"a\"} | {name: \"b\", x: 1} | {name: string, y?: int}\noutput: a: [for e in parameter.l {e}]\nparameter: l: [...#E]\n", map[string]any{"l": some}}
	return out
}
