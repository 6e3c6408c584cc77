package cue_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cue"
)

// writer makes up templates of what definitions are made of.
type writer struct {
	*rand.Rand
	vars []string // variables of the comprehensions around
	tops []string // top-level names that may be referred to
}

func (w *writer) pick(s ...string) string { return s[w.IntN(len(s))] }

var fieldNames = []string{"a", "b", "c", "d"}

func (w *writer) field() string { return w.pick(fieldNames...) }

// ref is a reference that often exists.
func (w *writer) ref() string {
	base := w.pick("parameter", "parameter", "context", "context", w.pick(w.tops...))
	if w.IntN(25) == 0 {
		base = w.pick("a", "b") // a field of the struct around, perhaps
	}
	if len(w.vars) > 0 && w.IntN(2) == 0 {
		base = w.vars[w.IntN(len(w.vars))]
	}
	switch w.IntN(6) {
	case 0:
		return base
	case 1:
		return base + "." + w.field() + "." + w.field()
	case 2:
		return base + "." + w.field() + "[0]"
	case 3:
		return base + "[\"" + w.field() + "\"]"
	}
	return base + "." + w.field()
}

func (w *writer) scalar() string {
	return w.pick(`"x"`, `"y"`, `""`, "1", "2", "0", "-3", "true", "false", "null", "1.5", `"é"`)
}

func (w *writer) typ() string {
	if w.IntN(6) == 0 {
		return w.bound()
	}
	return w.pick("string", "int", "bool", "number", "_", "[...]", "[...string]", "{...}", "null", "float")
}

// bound is used on its own only: CUE 0.17.1 never comes back from a bound that
// meets a struct with an if whose condition is not known.
func (w *writer) bound() string {
	return w.pick("int & >=1", "int & <5", `string & !="x"`, `=~"^x" & string`)
}

func (w *writer) cond() string {
	switch w.IntN(8) {
	case 0, 1, 2:
		return w.ref() + " != _|_"
	case 3:
		return w.ref() + " == _|_"
	case 4:
		return w.ref() + " == " + w.scalar()
	case 5:
		return "len(" + w.ref() + ") > 0"
	case 6:
		return w.cond() + w.pick(" && ", " || ") + w.cond()
	}
	return w.pick("true", "false", w.ref())
}

func (w *writer) expr(depth int) string {
	if depth <= 0 {
		return w.pick(w.scalar(), w.ref())
	}
	switch w.IntN(16) {
	case 0, 1:
		return w.scalar()
	case 2, 3, 4:
		return w.ref()
	case 5, 6:
		if w.IntN(4) == 0 {
			return w.structure(depth-1) + " & " + w.structure(depth-1)
		}
		return w.structure(depth - 1)
	case 7, 8:
		return w.list(depth - 1)
	case 9:
		return w.typ()
	case 10:
		return "*" + w.expr(0) + " | " + w.pick(w.typ(), w.expr(0), w.structure(depth-1))
	case 11:
		return "(" + w.expr(depth-1) + ") & (" + w.expr(depth-1) + ")"
	case 12:
		return `"p-\(` + w.ref() + `)"`
	case 13:
		return w.expr(0) + w.pick(" + ", " * ", " - ", " == ", " < ", " != ") + w.expr(0)
	case 14:
		return w.pick("len(", "!(", "strings.ToUpper(", "-(") + w.expr(depth-1) + ")"
	}
	return w.pick(w.scalar()+" | "+w.scalar(), "close("+w.structure(depth-1)+")", "#D", "#D & "+w.structure(depth-1), "strings.Join("+w.list(0)+", \"-\")", "list.Concat(["+w.list(0)+", "+w.ref()+"])")
}

func (w *writer) structure(depth int) string {
	var b strings.Builder
	b.WriteString("{")
	for range w.IntN(4) {
		b.WriteString(w.decl(depth) + ", ")
	}
	if w.IntN(12) == 0 {
		b.WriteString("...")
	}
	return b.String() + "}"
}

func (w *writer) decl(depth int) string {
	name := w.field()
	switch w.IntN(14) {
	case 0:
		return name + "?: " + w.pick(w.typ(), w.expr(depth))
	case 1:
		return `"` + name + `": ` + w.expr(depth)
	case 2:
		return "[string]: " + w.pick("string", "int", "_", w.expr(0))
	case 3:
		return `"\(` + w.ref() + `)": ` + w.expr(depth)
	case 4:
		return w.pick(w.ref(), "if "+w.cond()+" {"+w.pick("parameter.d", "context.d", "t1", "#D")+"}") // embedded
	case 5, 6:
		return "if " + w.cond() + " " + w.structure(depth-1)
	case 7:
		return w.loop(depth)
	case 8:
		return "let l = " + w.expr(0) + ", " + name + ": l"
	case 9:
		return "_h: " + w.expr(depth)
	case 10:
		return name + ": " + w.field() + ": " + w.expr(depth)
	}
	return name + ": " + w.expr(depth)
}

func (w *writer) loop(depth int) string {
	src := w.ref()
	if w.IntN(3) == 0 {
		src = w.list(0)
	}
	v := fmt.Sprintf("v%d", len(w.vars))
	k := fmt.Sprintf("k%d", len(w.vars))
	w.vars = append(w.vars, v)
	defer func() { w.vars = w.vars[:len(w.vars)-1] }()
	guard := ""
	if w.IntN(3) == 0 {
		guard = " if " + w.cond()
	}
	if w.IntN(2) == 0 {
		return "for " + k + ", " + v + " in " + src + guard + ` {"x\(` + k + `)": ` + w.expr(depth-1) + "}"
	}
	return "for " + v + " in " + src + guard + " " + w.pick("{"+v+"}", w.structure(depth-1))
}

func (w *writer) list(depth int) string {
	var parts []string
	for range w.IntN(3) {
		switch w.IntN(5) {
		case 0:
			parts = append(parts, "if "+w.cond()+" {"+w.expr(0)+"}")
		case 1:
			parts = append(parts, w.loop(depth))
		default:
			parts = append(parts, w.expr(depth))
		}
	}
	if w.IntN(10) == 0 {
		parts = append(parts, w.pick("...", "...string", "..."+w.structure(0)))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func (w *writer) template() string {
	var b strings.Builder
	w.tops = []string{"parameter"}
	for _, name := range []string{"parameter", "#D", "_h", "t1", "t2", "t3", "out"} {
		x := w.expr(3)
		switch {
		case name == "parameter" && w.IntN(3) > 0:
			x = w.schema()
		case name == "#D" || name == "parameter" || w.IntN(3) == 0:
			x = w.structure(2)
		}
		fmt.Fprintf(&b, "%s: %s\n", name, x)
		w.tops = append(w.tops, name)
	}
	if w.IntN(3) == 0 {
		fmt.Fprintf(&b, "if %s {t1: %s}\n", w.cond(), w.expr(1))
	}
	if w.IntN(3) == 0 {
		fmt.Fprintf(&b, "out: %s\n", w.structure(2))
	}
	text := b.String()
	for _, pkg := range []string{"strings", "list"} {
		if strings.Contains(text, pkg+".") {
			text = "import \"" + pkg + "\"\n" + text
		}
	}
	return text
}

// schema is what parameters look like in definitions.
func (w *writer) schema() string {
	var b strings.Builder
	b.WriteString("{")
	for _, name := range fieldNames {
		switch w.IntN(8) {
		case 0:
			b.WriteString(name + `?: string, `)
		case 1:
			b.WriteString(name + `: *"x" | string, `)
		case 2:
			b.WriteString(name + `?: [...{a?: string, b?: int, c: *"z" | string}], `)
		case 3:
			b.WriteString(name + `?: [string]: string, `)
		case 4:
			b.WriteString(name + `?: {...}, `)
		case 5:
			b.WriteString(name + `: *"x" | "y" | int | null, `)
		case 6:
			b.WriteString(name + `: *[] | [...string], `)
		case 7:
			b.WriteString(name + "?: _, ")
		}
	}
	return b.String() + "}"
}

func (w *writer) input() cue.Input {
	return cue.Input{
		Parameter: w.object(2),
		Context:   map[string]any{"a": "x", "b": int64(1), "c": []any{"x", "y"}, "d": map[string]any{"a": "x", "b": []any{map[string]any{"a": "x"}}}},
	}
}

func (w *writer) object(depth int) map[string]any {
	out := map[string]any{}
	for _, name := range fieldNames {
		if w.IntN(2) == 0 {
			out[name] = w.data(depth)
		}
	}
	return out
}

func (w *writer) data(depth int) any {
	switch w.IntN(9) {
	case 0:
		return "y"
	case 1:
		return int64(w.IntN(3))
	case 2:
		return w.IntN(2) == 0
	case 3:
		return nil
	case 4, 5:
		if depth > 0 {
			return w.object(depth - 1)
		}
	case 6, 7:
		if depth > 0 {
			return []any{w.data(depth - 1), w.data(depth - 1)}[:w.IntN(3)]
		}
	}
	return "x"
}

// TestDirectEqualsCUEOnRandomTemplates evaluates made-up templates both ways.
// VELA_CUE_TEMPLATES sets how many, VELA_CUE_SEED where to begin.
func TestDirectEqualsCUEOnRandomTemplates(t *testing.T) {
	n, seed := 800, uint64(1)
	_, _ = fmt.Sscan(os.Getenv("VELA_CUE_TEMPLATES"), &n)
	_, _ = fmt.Sscan(os.Getenv("VELA_CUE_SEED"), &seed)
	fast := cue.NewEngine(cue.Options{Limits: cue.Limits{Cells: 10}})
	plain := cue.NewEngine(cue.Options{Plain: true, Limits: cue.Limits{Cells: 10}})
	answered, values, failures := 0, 0, 0
	for i := range n {
		w := &writer{Rand: rand.New(rand.NewPCG(seed, uint64(i)))}
		src := cue.Source{Kind: "component", Name: "test", Text: w.template()}
		a, err := fast.Compile(src)
		if err != nil {
			continue
		}
		b, err := plain.Compile(src)
		if err != nil {
			t.Fatalf("only CUE does not compile:\n%s\n%v", src.Text, err)
		}
		in := w.input()
		want, got := seen(b, in), seen(a, in)
		for path, v := range want {
			if v, ok := v.([]any); ok && v[1] == true && v[2] == "<nil>" {
				values++
				before := fast.Stats().Full
				if res, err := a.Eval(t.Context(), in); err == nil {
					_, _, _ = res.Lookup(path)
				}
				if fast.Stats().Full == before {
					answered++
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("template %d:\n%s\nparameter: %v\n(-CUE +direct):\n%s", i, src.Text, in.Parameter, diff)
			if failures++; failures >= 5 {
				return
			}
		}
	}
	t.Logf("%d of %d values in %d templates needed no CUE", answered, values, n)
}

func seen(t *cue.Template, in cue.Input) map[string]any {
	out := map[string]any{}
	res, err := t.Eval(context.Background(), in)
	if err != nil {
		out["error"] = err.Error()
		return out
	}
	for _, path := range []string{"out", "t1", "t2", "t3", "out.a", "parameter"} {
		v, ok, err := res.Lookup(path)
		out[path] = []any{v, ok, fmt.Sprint(err)}
	}
	return out
}
