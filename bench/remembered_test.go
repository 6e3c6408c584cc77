package bench

import (
	"testing"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/render"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
)

// resolved is a webservice with three traits, and the engine that knows it.
func resolved(tb testing.TB) (*cue.Engine, render.Request) {
	tb.Helper()
	defs, err := definition.Builtin()
	if err != nil {
		tb.Fatal(err)
	}
	engine := cue.NewEngine(cue.Options{Packages: all.DefinitionSchemas()})
	app := build.App("prod/shop").Component("web", "webservice", `{image: nginx, cpu: 500m, ports: [{port: 80, expose: true}]}`).
		Trait("scaler", `{replicas: 3}`).Trait("gateway", `{domain: example.com, http: {"/": 80}}`).Trait("env", `{env: {B: c}}`)
	draft, err := blueprint.Parse(tb.Context(), app.Object(), nil)
	if err != nil {
		tb.Fatal(fault.Message(err))
	}
	steps := cue.NewEngine(cue.Options{Packages: all.WorkflowSchemas()})
	b, err := blueprint.Resolve(tb.Context(), draft, defs, blueprint.Options{Components: engine, Steps: steps})
	if err != nil {
		tb.Fatal(fault.Message(err))
	}
	return engine, render.Request{Blueprint: &b, Component: b.Components[0], Namespace: "prod", Cluster: "local", RevisionName: "shop-v1",
		ClusterVersion: render.ClusterVersion{Major: "1", Minor: 36, GitVersion: "v1.36.3"}}
}

// A result that is remembered evaluates nothing, by CUE or directly.
func TestARememberedRenderUsesNoCUE(t *testing.T) {
	engine, request := resolved(t)
	r := render.New(render.Options{Engine: engine})
	first, err := r.Component(t.Context(), request)
	if err != nil {
		t.Fatal(fault.Message(err))
	}
	before := engine.Stats()
	if before.Direct+before.Full == 0 {
		t.Fatal("the first render evaluated nothing: the counters do not count")
	}
	for range 10 {
		again, err := r.Component(t.Context(), request)
		if err != nil {
			t.Fatal(fault.Message(err))
		}
		if len(again) != len(first) {
			t.Fatalf("%d objects, %d the first time", len(again), len(first))
		}
	}
	after := engine.Stats()
	if after.Direct != before.Direct || after.Full != before.Full {
		t.Errorf("ten remembered renders made %d direct evaluations and %d by CUE", after.Direct-before.Direct, after.Full-before.Full)
	}
	if hits, misses := r.Stats(); hits != 10 || misses != 1 {
		t.Errorf("%d hits and %d misses, want 10 and 1", hits, misses)
	}
}

func BenchmarkRemembered(b *testing.B) {
	engine, request := resolved(b)
	r := render.New(render.Options{Engine: engine})
	if _, err := r.Component(b.Context(), request); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	before, n := cpu(b), 0
	for b.Loop() {
		if _, err := r.Component(b.Context(), request); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(cpu(b)-before)/float64(n), "cpu-ns/op")
}
