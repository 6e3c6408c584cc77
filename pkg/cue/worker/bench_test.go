package worker_test

import (
	"testing"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/worker"
)

// What a worker costs: the same template, which needs the CUE library, here and
// there.
func BenchmarkEval(b *testing.B) {
	p := worker.NewPool(worker.Options{})
	b.Cleanup(p.Close)
	for name, e := range map[string]*cue.Engine{"here": cue.NewEngine(cue.Options{}), "worker": cue.NewEngine(cue.Options{Sandbox: p})} {
		b.Run(name, func(b *testing.B) {
			tmpl := compile(b, e, full+`output: {apiVersion: "v1", kind: "ConfigMap", metadata: name: context.name, data: {for k, v in parameter.data {"\(k)": v}, x: "\(_x)"}}
parameter: {a: string, data: [string]: string}`)
			in := cue.Input{Parameter: map[string]any{"a": "cat", "data": map[string]any{"k": "v", "l": "w"}}, Context: map[string]any{"name": "web"}}
			b.ReportAllocs()
			for b.Loop() {
				res, err := tmpl.Eval(b.Context(), in)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := res.Output(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What the first use of a definition costs, with a worker that has to be
// started.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		p := worker.NewPool(worker.Options{})
		compile(b, cue.NewEngine(cue.Options{Sandbox: p}), "output: a: 1")
		p.Close()
	}
}
