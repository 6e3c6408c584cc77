package observe

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAnalyse(t *testing.T) {
	cases := map[string]struct {
		text string
		want reads
	}{
		"a path with everything below it": {
			`isHealth: context.output.status.ready == 1`, reads{context: [][]string{{"output", "status", "ready"}}}},
		"paths below others are left out": {
			`if context.output.status != _|_ {a: context.output.status.ready, b: context.name}`,
			reads{context: [][]string{{"name"}, {"output", "status"}}}},
		"a name in brackets is part of the path": {
			`a: context.outputs["a-b"].metadata.annotations["x/y"]`,
			reads{context: [][]string{{"outputs", "a-b", "metadata", "annotations", "x/y"}}}},
		"a value in brackets ends the path": {
			`a: context.outputs[context.name].status`, reads{context: [][]string{{"name"}, {"outputs"}}}},
		"an index ends the path":            {`a: context.output.list[0].x`, reads{context: [][]string{{"output", "list"}}}},
		"an interpolation reads too":        {`message: "\(context.name): \(parameter.x)"`, reads{context: [][]string{{"name"}}, parameter: true}},
		"the whole context":                 {`a: context`, reads{context: [][]string{nil}}},
		"an alias reads what it stands for": {`let c = context.output` + "\n" + `a: c.x`, reads{context: [][]string{{"output"}}}},
		"labels are no references":          {`context: _` + "\n" + `parameter: 1`, reads{}},
		"nothing":                           {`isHealth: true`, reads{}},
		"a text that is no CUE reads all":   {`isHealth: {`, reads{context: [][]string{{}}, parameter: true}},
		"a loop reads what it goes over":    {`a: [for k, v in context.output.status {v}]`, reads{context: [][]string{{"output", "status"}}}},
		"an argument of a function is read": {`a: len(context.output.spec.x)`, reads{context: [][]string{{"output", "spec", "x"}}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, analyse(tc.text), cmp.AllowUnexported(reads{})); diff != "" {
				t.Errorf("analyse(%s) (-want +got):\n%s", tc.text, diff)
			}
		})
	}
}

func TestPrune(t *testing.T) {
	fields := map[string]any{
		"name":   "web",
		"output": map[string]any{"spec": map[string]any{"a": 1, "b": 2}, "status": map[string]any{"list": []any{1, 2}}, "metadata": map[string]any{}},
		"other":  true,
	}
	got := prune(fields, [][]string{{"absent", "x"}, {"name", "first"}, {"output", "metadata", "x"}, {"output", "spec", "a"}, {"output", "status"}})
	want := map[string]any{
		"name":   "web",
		"output": map[string]any{"spec": map[string]any{"a": 1}, "status": map[string]any{"list": []any{1, 2}}, "metadata": map[string]any{}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("prune() (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(fields, prune(fields, [][]string{nil})); diff != "" {
		t.Errorf("prune(everything) (-want +got):\n%s", diff)
	}
}
