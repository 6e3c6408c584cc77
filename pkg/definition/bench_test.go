package definition_test

import (
	"testing"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/definition"
)

// What one evaluation of a built-in template costs when nothing is remembered.
func BenchmarkTemplates(b *testing.B) {
	defs, err := definition.Builtin()
	if err != nil {
		b.Fatal(err)
	}
	workload := map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "spec": map[string]any{
		"template": map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "web", "image": "nginx"}}}},
	}}
	cases := []struct {
		kind       definition.Kind
		name       string
		properties map[string]any
	}{
		{definition.Component, "webservice", map[string]any{"image": "nginx", "ports": []any{map[string]any{"port": int64(80), "expose": true}}}},
		{definition.Component, "worker", map[string]any{"image": "nginx"}},
		{definition.Trait, "scaler", map[string]any{"replicas": int64(3)}},
		{definition.Trait, "gateway", map[string]any{"domain": "example.com", "http": map[string]any{"/": int64(80)}}},
		{definition.Trait, "env", map[string]any{"env": map[string]any{"A": "b"}}},
	}
	for _, bc := range cases {
		b.Run(bc.name, func(b *testing.B) {
			d, err := defs.Get(b.Context(), "", definition.Ref{Kind: bc.kind, Name: bc.name})
			if err != nil {
				b.Fatal(err)
			}
			engine := cue.NewEngine(cue.Options{})
			tmpl, err := engine.Compile(cue.Source{Kind: string(bc.kind), Name: bc.name, Text: d.Template})
			if err != nil {
				b.Fatal(err)
			}
			in := cue.Input{Parameter: bc.properties, Context: map[string]any{
				"name": "web", "appName": "app", "namespace": "default", "revision": "web-v1",
				"clusterVersion": map[string]any{"major": "1", "minor": int64(36)},
				"output":         workload,
			}}
			for b.Loop() {
				res, err := tmpl.Eval(b.Context(), in)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := res.Output(); err != nil {
					b.Fatal(err)
				}
				if _, err := res.Outputs(); err != nil {
					b.Fatal(err)
				}
				if _, _, err := res.Patch(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What a program pays for all definitions; most ask for a few.
func BenchmarkBuiltin(b *testing.B) {
	for b.Loop() {
		s, err := definition.Builtin()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.All(); err != nil {
			b.Fatal(err)
		}
	}
}
