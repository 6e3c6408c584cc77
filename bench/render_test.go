package bench

import (
	"context"
	"testing"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/definition"
)

func template(tb testing.TB, e *cue.Engine, kind definition.Kind, name string) *cue.Template {
	tb.Helper()
	defs, err := definition.Builtin()
	if err != nil {
		tb.Fatal(err)
	}
	def, err := defs.Get(context.Background(), "default", definition.Ref{Kind: kind, Name: name})
	if err != nil {
		tb.Fatal(err)
	}
	t, err := e.Compile(cue.Source{Kind: string(kind), Name: name, Text: def.Template})
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func BenchmarkWebservice(b *testing.B) {
	e := cue.NewEngine(cue.Options{})
	t := template(b, e, definition.Component, "webservice")
	in := cue.Input{
		Parameter: map[string]any{"image": "nginx", "cpu": "500m", "env": []any{map[string]any{"name": "A", "value": "b"}},
			"ports": []any{map[string]any{"port": int64(80), "expose": true}}},
		Context: map[string]any{"name": "web", "appName": "app", "namespace": "default", "revision": "web-v1"},
	}
	b.ReportAllocs()
	for b.Loop() {
		res, err := t.Eval(context.Background(), in)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := res.Output(); err != nil {
			b.Fatal(err)
		}
		if _, err := res.Outputs(); err != nil {
			b.Fatal(err)
		}
	}
}
