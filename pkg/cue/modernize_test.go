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
		"a guard of && in a value": {
			text:     "x: {}\nout: x.a != _|_ && x.a.b[0] == 1",
			want:     false,
			warnings: []cue.Warning{{Line: 2, Message: "both sides of && are evaluated by newer CUE; a guard needs an if", Modern: "[if x.a != _|_ {x.a.b[0] == 1}, false][0]"}},
		},
		"a guard of || in a value": {
			text:     "x: a: []\nout: len(x.a) == 0 || x.a[0] == 1",
			want:     true,
			warnings: []cue.Warning{{Line: 2, Message: "both sides of || are evaluated by newer CUE; a guard needs an if", Modern: "[if !(len(x.a) == 0) {x.a[0] == 1}, true][0]"}},
		},
		"a guard of || in a condition": {
			text:     "x: {}\nout: [if x.a == _|_ || x.a > 1 {3}][0]",
			want:     int64(3),
			warnings: []cue.Warning{{Line: 2, Message: "both sides of || are evaluated by newer CUE; a guard needs an if", Modern: "[if !(x.a == _|_) {x.a > 1}, true][0]"}},
		},
		"an && that guards nothing": {
			text: "x: {a: 1, b: 2}\nout: x.a == 1 && x.b == 2",
			want: true,
		},
		"a choice that checks its own field": {
			text:     "x: *45 | int & {if x < 1 || 99 < x {_|_}}\nx: 7\nout: x",
			want:     int64(7),
			warnings: []cue.Warning{{Line: 1, Message: "a choice cannot check the value of its own field in newer CUE; write the bounds", Modern: "x: *45 | int & (>=1 & <=99)"}},
		},
		"a choice that checks its own text": {
			text:     "x: *\"a\" | {string, if !(x =~ \"^b\") {_|_}}\nx: \"bc\"\nout: x",
			want:     "bc",
			warnings: []cue.Warning{{Line: 1, Message: "a choice cannot check the value of its own field in newer CUE; write the bounds", Modern: `x: *"a" | string & =~"^b"`}},
		},
		"a range of one value": {
			text:     "x: >=2 & <=2\nout: x + 1",
			want:     int64(3),
			warnings: []cue.Warning{{Line: 1, Message: "newer CUE keeps a range of one value as a range; write the value", Modern: "2"}},
		},
		"a range of one whole number": {
			text:     "x: >1 & <3 & int\nout: x + 1",
			want:     int64(3),
			warnings: []cue.Warning{{Line: 1, Message: "newer CUE keeps a range of one value as a range; write the value", Modern: "2 & int"}},
		},
		"a flag with a default that a condition sets": {
			text: "f: bool | *false\nif parameter.l[0] == \"x\" {f: true}\nif !f {bad: 0 & \"text\"}\nout: f",
			want: true,
		},
		"an operator that became a function": {
			text:     "a: 7\nout: a div 2",
			want:     int64(3),
			warnings: []cue.Warning{{Line: 2, Message: "integer division is a function in newer CUE", Modern: "out: div(a, 2)"}},
		},
		"a field called error": {
			text:     "x: error: \"e\"\nout: x.error",
			want:     "e",
			warnings: []cue.Warning{{Line: 1, Message: `the field "error" has the name of a function of newer CUE; put it in quotes`, Modern: `"error":`}},
		},
		"a field with the name of a new keyword": {
			text:     "x: {\n\ttry: 1\n}\nout: x.\"try\"",
			want:     int64(1),
			warnings: []cue.Warning{{Line: 2, Message: "the name of the field is a keyword of newer CUE; put it in quotes", Modern: "\"try\": 1"}},
		},
		"a multi-line string that ends in the middle of a line": {
			text:     "out: \"\"\"\nif {\n  \\(parameter.l[0])\n}\"\"\"",
			want:     "if {\n  x\n}",
			warnings: []cue.Warning{{Line: 4, Message: "the end of a multi-line string needs a line of its own"}},
		},
		"a guard before && protects what follows": {
			text:     "x: {}\nout: [if x.a != _|_ && x.a.b[0] == 1 {1}, 2][0]",
			want:     int64(2),
			warnings: []cue.Warning{{Line: 2, Message: "both sides of && are evaluated by newer CUE; a guard needs an if of its own", Modern: "if x.a != _|_ if x.a.b[0] == 1"}},
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
