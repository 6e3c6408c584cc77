package bench

import (
	"context"
	"syscall"
	"testing"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/definition"
)

// A use is one definition with its properties.
type use struct {
	kind       definition.Kind
	name       string
	properties map[string]any
}

var webservice = use{definition.Component, "webservice", map[string]any{
	"image": "nginx", "cpu": "500m",
	"env":   []any{map[string]any{"name": "A", "value": "b"}},
	"ports": []any{map[string]any{"port": int64(80), "expose": true}},
}}

var threeTraits = []use{
	{definition.Trait, "scaler", map[string]any{"replicas": int64(3)}},
	{definition.Trait, "gateway", map[string]any{"domain": "example.com", "http": map[string]any{"/": int64(80)}}},
	{definition.Trait, "env", map[string]any{"env": map[string]any{"B": "c"}}},
}

// A stack is a component with traits, compiled.
type stack struct {
	templates  []*cue.Template
	properties []map[string]any
	context    map[string]any
}

func compile(tb testing.TB, e *cue.Engine, uses ...use) stack {
	tb.Helper()
	defs, err := definition.Builtin()
	if err != nil {
		tb.Fatal(err)
	}
	s := stack{context: map[string]any{"name": "web", "appName": "app", "namespace": "default", "revision": "web-v1", "appRevision": "app-v1",
		"clusterVersion": map[string]any{"major": "1", "minor": int64(30)}}}
	for _, u := range uses {
		def, err := defs.Get(context.Background(), "default", definition.Ref{Kind: u.kind, Name: u.name})
		if err != nil {
			tb.Fatal(err)
		}
		t, err := e.Compile(cue.Source{Kind: string(u.kind), Name: u.name, Text: def.Template})
		if err != nil {
			tb.Fatal(err)
		}
		s.templates = append(s.templates, t)
		s.properties = append(s.properties, u.properties)
	}
	return s
}

// render evaluates the component and lets each trait patch the workload. It
// returns how many objects there are.
func (s stack) render() (int, error) {
	fields := make(map[string]any, len(s.context)+1)
	for k, v := range s.context {
		fields[k] = v
	}
	var workload map[string]any
	count := 0
	for i, t := range s.templates {
		res, err := t.Eval(context.Background(), cue.Input{Parameter: s.properties[i], Context: fields, ReadOnly: true})
		if err != nil {
			return 0, err
		}
		if i == 0 {
			if workload, err = res.Output(); err != nil {
				return 0, err
			}
			count++
		}
		p, ok, err := res.Patch()
		if err != nil {
			return 0, err
		}
		if ok {
			if workload, err = patch.Apply(workload, p); err != nil {
				return 0, err
			}
		}
		objs, err := res.Outputs()
		if err != nil {
			return 0, err
		}
		count += len(objs)
		fields["output"] = workload
	}
	return count, nil
}

func measure(b *testing.B, plain bool, uses ...use) {
	b.Helper()
	s := compile(b, cue.NewEngine(cue.Options{Plain: plain, Packages: all.DefinitionSchemas()}), uses...)
	b.ReportAllocs()
	before, n := cpu(b), 0
	for b.Loop() {
		if _, err := s.render(); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(cpu(b)-before)/float64(n), "cpu-ns/op")
}

// cpu is the processor time of this process, which says more than the clock on
// a machine that others use too.
func cpu(b *testing.B) int64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

func BenchmarkWebservice(b *testing.B)      { measure(b, false, webservice) }
func BenchmarkWebservicePlain(b *testing.B) { measure(b, true, webservice) }
func BenchmarkThreeTraits(b *testing.B) {
	measure(b, false, append([]use{webservice}, threeTraits...)...)
}
func BenchmarkThreeTraitsPlain(b *testing.B) {
	measure(b, true, append([]use{webservice}, threeTraits...)...)
}

// KubeVela 1.11 needs 33,109 allocations for the webservice and 153,112 with
// three traits (5.0 and 23.2 ms of CPU); a tenth of a tenth is the gate here.
func TestRenderAllocations(t *testing.T) {
	cases := map[string]struct {
		uses    []use
		objects int
		max     float64
	}{
		"webservice":                   {[]use{webservice}, 2, 700},
		"webservice with three traits": {append([]use{webservice}, threeTraits...), 4, 2000},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			e := cue.NewEngine(cue.Options{Packages: all.DefinitionSchemas()})
			s := compile(t, e, tc.uses...)
			objects, err := s.render()
			if err != nil {
				t.Fatal(err)
			}
			if objects != tc.objects {
				t.Errorf("render() gave %d objects, want %d", objects, tc.objects)
			}
			got := testing.AllocsPerRun(20, func() {
				if _, err := s.render(); err != nil {
					t.Error(err)
				}
			})
			if got > tc.max {
				t.Errorf("render() made %.0f allocations, at most %.0f are wanted", got, tc.max)
			}
			if st := e.Stats(); st.Full > 0 {
				t.Errorf("%d of %d evaluations needed the CUE library", st.Full, st.Full+st.Direct)
			}
		})
	}
}
