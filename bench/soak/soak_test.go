package soak

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/cue/worker"
	"github.com/seed-c5f95f19/vela/pkg/definition"
)

func TestMain(m *testing.M) {
	worker.Main()
	os.Exit(m.Run())
}

// number reads how long a run shall be.
func number(t *testing.T, name string, short int) int {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		return short
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		t.Fatalf("%s=%s is no number of renders", name, v)
	}
	return n
}

// A world has the engines of vela-core, and what there is to render.
type world struct {
	engines  map[bool]*cue.Engine // true: of workflow steps
	workers  *worker.Pool
	units    []unit
	variants int
}

// A unit is one text that is rendered with many inputs.
type unit struct {
	text
	template *cue.Template
	want     []digest // by variant, from a serial run
}

// foreign is a definition that did not come with the program and needs the CUE
// library: workers render it.
const foreign = `import "regexp"
output: {
	apiVersion: "v1"
	kind: "ConfigMap"
	metadata: name: context.name
	data: {
		if regexp.Match("^s", parameter.text) {text: parameter.text}
		for k, v in parameter.more {"\(k)": "\(v)"}
	}
}
parameter: {
	text: string
	more: [string]: int
}
`

func newWorld(t *testing.T, variants int) *world {
	t.Helper()
	builtin, err := definition.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{engines: map[bool]*cue.Engine{}, workers: worker.NewPool(worker.Options{}), variants: variants}
	t.Cleanup(w.workers.Close)
	for steps, schemas := range map[bool][]cue.Options{false: {{Packages: all.DefinitionSchemas()}}, true: {{Packages: all.WorkflowSchemas()}}} {
		o := schemas[0]
		o.Sandbox, o.Trusted = w.workers, builtin.Ours
		w.engines[steps] = cue.NewEngine(o)
	}
	for _, x := range append(texts(t), text{Source: cue.Source{Kind: "component", Name: "foreign", Text: foreign}}) {
		tmpl, err := w.engines[x.step].Compile(x.Source)
		if err != nil {
			t.Fatalf("%s: %v", x.name(), err)
		}
		u := unit{text: x, template: tmpl}
		for v := range variants {
			u.want = append(u.want, rendered(tmpl, w.input(t, u, v)))
		}
		w.units = append(w.units, u)
	}
	return w
}

// input is one variant of what a unit gets.
func (w *world) input(t *testing.T, u unit, variant int) cue.Input {
	t.Helper()
	g := newGenerator(uint64(variant))
	g.wrong = 200
	s, err := u.template.Schema()
	if err != nil {
		t.Fatal(err)
	}
	in := cue.Input{Parameter: g.object(s, 0), Context: g.fields(), ReadOnly: true}
	if in.Context["parameter"] == nil && u.Kind != "component" && u.Kind != "trait" {
		in.Context["parameter"] = in.Parameter
	}
	return in
}

// inputs makes all variants once: what is measured is rendering.
func (w *world) inputs(t *testing.T) [][]cue.Input {
	t.Helper()
	out := make([][]cue.Input, len(w.units))
	for i, u := range w.units {
		for v := range w.variants {
			out[i] = append(out[i], w.input(t, u, v))
		}
	}
	return out
}

// heavy are texts that need the CUE library each time: one turn in ten has
// them, as they are that rare among what a controller renders.
func (u unit) heavy() bool { return u.step || u.Name == "foreign" }

// TestSoak renders SOAK times in one goroutine (20,000). Every result is that of
// the first time, and the memory after the first fifth is the memory at the end.
func TestSoak(t *testing.T) {
	w := newWorld(t, 40)
	inputs := w.inputs(t)
	total := number(t, "SOAK", 20_000)
	began, n, turn, cpu := time.Now(), 0, 0, processor(t)
	var track track
	track.add(t, 0)
	for n < total {
		for i, u := range w.units {
			if u.heavy() && turn%10 > 0 {
				continue
			}
			v := (turn*7 + i) % w.variants
			if got := rendered(u.template, inputs[i][v]); got != u.want[v] {
				t.Fatalf("render %d: %s, variant %d differs from the serial run", n, u.name(), v)
			}
			n++
			if n%max(total/50, 1) == 0 {
				track.add(t, n)
			}
		}
		turn++
	}
	heap, resident := track.slopes(total / 5)
	t.Logf("%d renders of %d texts with %d inputs each in %s, %.3f ms CPU each; %s; %+v",
		n, len(w.units), w.variants, time.Since(began).Round(time.Second), float64(processor(t)-cpu)/1e6/float64(n), counts(w), w.workers.Stats())
	t.Logf("heap after a collection: %+.0f KiB per million renders; resident: %+.0f KiB per million", heap/1024, resident/1024)
	t.Log(track)
	if grown := heap / 1e6 * float64(total) * 4 / 5; grown > 4<<20 {
		t.Errorf("the heap grew by %.0f KiB after the warm-up", grown/1024)
	}
}

// TestSoakConcurrent renders SOAK_CONCURRENT times in 16 goroutines (8,000);
// each result is that of the serial run.
func TestSoakConcurrent(t *testing.T) {
	w := newWorld(t, 10)
	inputs := w.inputs(t)
	total := int64(number(t, "SOAK_CONCURRENT", 8_000))
	began := time.Now()
	var done atomic.Int64
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for turn := g; done.Load() < total; turn++ {
				for i, u := range w.units {
					if u.heavy() && turn%10 > 0 {
						continue
					}
					v := (turn*3 + i*g) % w.variants
					if got := rendered(u.template, inputs[i][v]); got != u.want[v] {
						t.Errorf("%s, variant %d differs from the serial run", u.name(), v)
						return
					}
					done.Add(1)
				}
			}
		}()
	}
	wg.Wait()
	t.Logf("%d renders in 16 goroutines in %s; %s", done.Load(), time.Since(began).Round(time.Second), counts(w))
}

func counts(w *world) string {
	var b strings.Builder
	for _, steps := range []bool{false, true} {
		s := w.engines[steps].Stats()
		fmt.Fprintf(&b, "[steps %v: direct %d, library %d, of these in workers %d, cells %d] ", steps, s.Direct, s.Full, s.Outside, s.Cells)
	}
	return strings.TrimSpace(b.String())
}

// A track is the memory over time.
type track []struct {
	n              int
	heap, resident float64
}

func (tr *track) add(t *testing.T, n int) {
	t.Helper()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	*tr = append(*tr, struct {
		n              int
		heap, resident float64
	}{n, float64(m.HeapAlloc), float64(resident(t))})
}

// slopes are the bytes per million renders after a warm-up, by least squares.
func (tr track) slopes(after int) (heap, resident float64) {
	var n, sx, sxx, sh, sxh, sr, sxr float64
	for _, p := range tr {
		if p.n < after {
			continue
		}
		x := float64(p.n) / 1e6
		n, sx, sxx = n+1, sx+x, sxx+x*x
		sh, sxh, sr, sxr = sh+p.heap, sxh+x*p.heap, sr+p.resident, sxr+x*p.resident
	}
	d := n*sxx - sx*sx
	return (n*sxh - sx*sh) / d, (n*sxr - sx*sr) / d
}

func (tr track) String() string {
	var b strings.Builder
	b.WriteString("renders, heap KiB, resident KiB:")
	for i, p := range tr {
		if i%5 == 0 || i == len(tr)-1 {
			fmt.Fprintf(&b, " (%d, %.0f, %.0f)", p.n, p.heap/1024, p.resident/1024)
		}
	}
	return b.String()
}
