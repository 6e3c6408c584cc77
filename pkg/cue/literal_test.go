package cue_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cue"
)

// Input arrives in a template as it is, also where the template only passes
// it on from a list.
func TestEvalKeepsInput(t *testing.T) {
	tmpl, err := cue.NewEngine(cue.Options{}).Compile(cue.Source{Kind: "component", Name: "echo", Text: `
		output: {
			same:     parameter.value
			embedded: [for e in parameter.list {e}]
			chosen:   [for e in parameter.list if e.name != "b" {e}]
		}
		parameter: _
	`})
	if err != nil {
		t.Fatal(err)
	}
	list := []any{
		map[string]any{"name": "a", "deep": map[string]any{"list": []any{map[string]any{"x": nil}}}},
		map[string]any{"name": "b"},
	}
	value := map[string]any{
		"null": nil, "bool": true, "int": int64(-7), "least": int64(math.MinInt64 + 1), "most": int64(math.MaxInt64),
		"float": -0.5, "small": 1e-9, "string": "a\n\"b\"\\(c)", "empty": map[string]any{}, "none": []any{},
		"#not": "a definition", "_nor": "hidden", "dotted.key/x": "y",
	}
	res, err := tmpl.Eval(t.Context(), cue.Input{Parameter: map[string]any{"value": value, "list": list}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := res.Output()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"same": value, "embedded": list, "chosen": list[:1]}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
}
