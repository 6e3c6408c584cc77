package cue_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cue"
)

// Templates written for earlier versions of CUE keep their meaning.
func TestOldTemplates(t *testing.T) {
	cases := map[string]struct {
		text     string
		want     any // field out
		warnings []cue.Warning
	}{
		"joined list literals": {
			text:     "out: [1] + [2]",
			want:     []any{int64(1), int64(2)},
			warnings: []cue.Warning{{Line: 1, Message: "lists are joined with list.Concat", Modern: "list.Concat([[1], [2]])"}},
		},
		"a chain of fields": {
			text:     "a: [1]\nb: [for x in parameter.l {x}]\nout: a + b + parameter.l",
			want:     []any{int64(1), "x", "x"},
			warnings: []cue.Warning{{Line: 3, Message: "lists are joined with list.Concat", Modern: "list.Concat([a, b, parameter.l])"}},
		},
		"only the parameter is a list": {
			text:     "out: x.y + parameter.l\nx: y: _\nx: y: parameter.m",
			want:     []any{"y", "x"},
			warnings: []cue.Warning{{Line: 1, Message: "lists are joined with list.Concat", Modern: "list.Concat([x.y, parameter.l])"}},
		},
		"a repeated list": {
			text:     "out: 2 * [0]",
			want:     []any{int64(0), int64(0)},
			warnings: []cue.Warning{{Line: 1, Message: "lists are repeated with list.Repeat", Modern: "list.Repeat([0], 2)"}},
		},
		"a field with the name of the package": {
			text:     "list: [3]\nout: list + [4]",
			want:     []any{int64(3), int64(4)},
			warnings: []cue.Warning{{Line: 2, Message: "lists are joined with list.Concat", Modern: "list_.Concat([list, [4]])"}},
		},
		"an import that is there already": {
			text:     "import \"list\"\na: list.Range(0, 2, 1)\nout: a + [9]",
			want:     []any{int64(0), int64(1), int64(9)},
			warnings: []cue.Warning{{Line: 3, Message: "lists are joined with list.Concat", Modern: "list.Concat([a, [9]])"}},
		},
		"sums and products of other things stay": {
			text: "out: \"\\(1 + 2)\" + \"a\" * 2",
			want: "3aa",
		},
		"a field called error": {
			text:     "x: error: \"e\"\nout: x.error",
			want:     "e",
			warnings: []cue.Warning{{Line: 1, Message: `the field "error" has the name of a function of newer CUE; put it in quotes`, Modern: `"error":`}},
		},
		"a field with the name of a new keyword": {
			text: "x: {\n\ttry: 1\n}\nout: x.\"try\"",
			want: int64(1),
		},
		"a multi-line string that ends in the middle of a line": {
			text: "out: \"\"\"\nif {\n  \\(parameter.l[0])\n}\"\"\"",
			want: "if {\n  x\n}",
		},
		"a guard before && protects what follows": {
			text: "x: {}\nout: [if x.a != _|_ && x.a.b[0] == 1 {1}, 2][0]",
			want: int64(2),
		},
		"imports that are not used do not matter": {
			text: "import (\"strings\", \"strconv\")\nout: strconv.Atoi(\"4\")",
			want: int64(4),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tmpl := compile(t, cue.NewEngine(cue.Options{}), tc.text+"\nparameter: {l: [...string], m: [...string]}")
			res, err := tmpl.Eval(t.Context(), cue.Input{Parameter: map[string]any{"l": []string{"x"}, "m": []string{"y"}}})
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := res.Lookup("out")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("out mismatch (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.warnings, tmpl.Warnings()); diff != "" {
				t.Errorf("Warnings() mismatch (-want +got):\n%s", diff)
			}
		})
	}
}
