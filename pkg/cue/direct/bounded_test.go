package direct_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"cuelang.org/go/cue/parser"

	"github.com/seed-c5f95f19/vela/pkg/cue/direct"
)

// Direct evaluation happens in the process of the controller and cannot be
// stopped either, so it stops by itself: whatever the text and the input are, a
// run ends soon and takes little memory.
func TestRunsAreBounded(t *testing.T) {
	many := map[string]any{}
	for i := range 90_000 {
		many[fmt.Sprint("k", i)] = int64(i)
	}
	list := make([]any, 20_000)
	for i := range list {
		list[i] = fmt.Sprint("n", i)
	}
	input := map[string]any{
		"parameter": map[string]any{"a": strings.Repeat("a", 4<<20), "b": strings.Repeat("b", 4<<20), "many": many, "list": list},
		"context":   map[string]any{},
	}
	cases := map[string]string{
		"a replacement of everything by much":  `import "strings"` + "\nout: strings.Replace(parameter.a, \"a\", parameter.b, -1)",
		"a replacement of nothing by much":     `import "strings"` + "\nout: strings.Replace(parameter.a, \"\", parameter.b, -1)",
		"a list joined by much":                `import "strings"` + "\nout: strings.Join(parameter.list, parameter.a)",
		"a loop that gives nothing":            "out: [for a in parameter.list for b in parameter.list for c in parameter.list if false {1}]",
		"a loop over fields":                   "out: [for a, _ in parameter.many for b, _ in parameter.many {a}]",
		"text for each element":                `out: [for a in parameter.list {"\(_t)-\(a)"}]` + "\n_t: \"" + strings.Repeat("x", 200_000) + "\"",
		"a sum of texts for each element":      `out: [for a in parameter.list {_t + a}]` + "\n_t: \"" + strings.Repeat("x", 200_000) + "\"",
		"a search for each element":            `import "strings"` + "\nout: [for a in parameter.list {strings.Contains(parameter.a, a)}]",
		"a comparison for each element":        "out: [for a in parameter.list {parameter.a == parameter.b}]",
		"a regular expression for each":        `out: [for a in parameter.list {parameter.a =~ "(a|b)*c"}]`,
		"a pattern for each":                   `out: [for a in parameter.list {=~"(a|b)*d$" & parameter.a}]`,
		"fields that are read one by one":      "out: [for a in parameter.list {len(parameter.many)}]",
		"fields that are merged":               "out: parameter.many & {x: 1, y: x}",
		"fields that are made":                 `out: {for i, a in parameter.list {"\(a)": {for b in parameter.list {"\(b)": i}}}}`,
		"lists in lists":                       `import "list"` + "\nout: list.Concat([for a in parameter.list {parameter.list}])",
		"doubled structs":                      "_a: {x: 1, y: 2}\n_b: {x: _a, y: _a}\n_c: {x: _b, y: _b}\n_d: {x: _c, y: _c}\n_e: {x: [_d, _d], y: _d}\nout: {for a in parameter.list {\"\\(a)\": _e}}",
		"a reference to itself":                "out: a: out.a",
		"references to each other":             "out: {a: b, b: a}",
		"references to each other, three":      "out: {a: b, b: c, c: a, d: [a, b, c]}",
		"a let of itself":                      "out: {let x = y, let y = x, a: x}",
		"a definition of itself":               "#A: {a: #A}\nout: #A",
		"a long chain of references":           "_x0: 1\n" + chain(5_000) + "out: _x5000",
		"split, and split again, for each one": `import "strings"` + "\nout: [for a in parameter.list {len(strings.Split(parameter.a, \"\"))}]",
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			f, err := parser.ParseFile("test", text+"\nparameter: _\ncontext: _\n", parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			program := direct.Compile(f)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := processor(t)
			run := program.Start(input)
			for range 3 { // what failed before is asked again
				for _, path := range [][]string{{"out"}, {"out", "a"}, {"outputs"}} {
					if _, _, err := run.Value(path); err != nil && !errors.Is(err, direct.Unsure) {
						t.Error(err)
					}
					_, _ = run.Exists(path)
				}
				_, _, _ = run.Patch([]string{"out"})
				_ = run.Check("out")
			}
			runtime.ReadMemStats(&after)
			if took := processor(t) - began; took > 5*time.Second {
				t.Errorf("took %s of processor time", took)
			}
			if made := after.TotalAlloc - before.TotalAlloc; made > 1<<30 {
				t.Errorf("made %d MiB", made>>20)
			}
		})
	}
}

// processor is the processor time of this process: others use the machine too.
func processor(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func chain(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "_x%d: _x%d\n", i+1, i)
	}
	return b.String()
}
