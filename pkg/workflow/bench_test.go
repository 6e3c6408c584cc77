package workflow_test

import (
	"fmt"
	"testing"

	"github.com/seed-c5f95f19/vela/pkg/workflow"
)

// One look at a workflow of n components that are all under way: what every
// event of one of their objects costs.
func BenchmarkRun(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprintf("steps=%d", n), func(b *testing.B) {
			var steps []workflow.Step
			script := map[string][]do{}
			for i := range n {
				name := fmt.Sprintf("s%d", i)
				steps = append(steps, step(name))
				script[name] = []do{running}
			}
			w := &world{now: start, script: script}
			env := w.env()
			b.ReportAllocs()
			for b.Loop() {
				w.runs = w.runs[:0]
				if _, _, err := workflow.Run(b.Context(), dag(steps...), workflow.Progress{}, env); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
