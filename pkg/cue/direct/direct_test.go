package direct_test

import (
	"errors"
	"testing"

	"cuelang.org/go/cue/parser"
	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cue/direct"
)

// What is answered is compared with CUE in package cue; this says what must be
// answered, so that definitions stay fast, and what must not.
func TestValue(t *testing.T) {
	input := map[string]any{
		"parameter": map[string]any{"image": "nginx", "n": int64(2), "list": []any{"a", "b"}, "labels": map[string]any{"z": "1", "a": "2"}},
		"context":   map[string]any{"name": "web"},
	}
	cases := map[string]struct {
		text   string
		want   any
		unsure bool
	}{
		"references and interpolation":       {text: `out: "\(context.name)-\(parameter.n)"`, want: "web-2"},
		"merged declarations":                {text: "out: a: 1\nout: b: c: 2\nout: b: d: parameter.n", want: map[string]any{"a": int64(1), "b": map[string]any{"c": int64(2), "d": int64(2)}}},
		"conditions":                         {text: `out: {if parameter.image != _|_ {a: 1}, if parameter.none != _|_ {b: 2}}`, want: map[string]any{"a": int64(1)}},
		"loops over lists":                   {text: `out: [for i, v in parameter.list {name: v, at: i}]`, want: []any{map[string]any{"name": "a", "at": int64(0)}, map[string]any{"name": "b", "at": int64(1)}}},
		"loops over maps in order":           {text: `out: [for k, v in parameter.labels {k + v}]`, want: []any{"a2", "z1"}},
		"defaults":                           {text: `x: *1 | int` + "\nout: x + 1", want: int64(2)},
		"a default gives way":                {text: `x: *"a" | string` + "\nx: parameter.image\nout: x", want: "nginx"},
		"a definition used":                  {text: "#P: {port: int, name: *\"p\" | string}\nout: #P & {port: 80}", want: map[string]any{"port": int64(80), "name": "p"}},
		"references rebind in a unification": {text: "#P: {a: int, b: a + 1}\nout: #P & {a: 1}", want: map[string]any{"a": int64(1), "b": int64(2)}},
		"the first that applies":             {text: `out: [if parameter.none != _|_ {1}, 2][0]`, want: int64(2)},
		"dynamic names and patterns":         {text: `out: {[string]: *"x" | string, "\(context.name)": string}`, want: map[string]any{"web": "x"}},
		"hidden fields stay inside":          {text: `out: {_h: 1, a: _h}`, want: map[string]any{"a": int64(1)}},
		"let":                                {text: "let l = parameter.n\nout: {let m = l, a: m}", want: map[string]any{"a": int64(2)}},
		"functions": {text: `import ("strings", "list", "strconv")
			out: strings.Join(list.Concat([parameter.list, [strconv.FormatInt(parameter.n, 10)]]), "-")`, want: "a-b-2"},

		"a conflict is not answered":             {text: "out: 1\nout: 2", unsure: true},
		"a closed definition refuses":            {text: "#P: {a: int}\nout: #P & {b: 1}", unsure: true},
		"a missing value":                        {text: "out: a: string", unsure: true},
		"a reference to itself":                  {text: "out: a: out", unsure: true},
		"a function that is not known":           {text: "import \"regexp\"\nout: regexp.Match(\"a\", \"b\")", unsure: true},
		"floats in arithmetic":                   {text: "out: 0.1 + 0.2", unsure: true},
		"an order that is not certain":           {text: "x: {b: 1}\nx: {a: 2}\nout: [for k, v in x {k}]", unsure: true},
		"something wrong in a hidden field":      {text: "out: {_h: 1 & 2, a: 1}", unsure: true},
		"a disjunction of objects without input": {text: "out: {a: 1} | {b: 2}", unsure: true},
		"a pattern that is computed":             {text: `out: {[=~"^x"]: int, y: 1}`, unsure: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f, err := parser.ParseFile("test", tc.text+"\nparameter: _\ncontext: _\n", parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			got, ok, err := direct.Compile(f).Start(input).Value([]string{"out"})
			if tc.unsure {
				if !errors.Is(err, direct.Unsure) {
					t.Errorf("Value() = %v, %v, want Unsure", got, err)
				}
				return
			}
			if err != nil || !ok {
				t.Fatalf("Value() = %v, %v", ok, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Value() mismatch (-want +got):\n%s", diff)
			}
		})
	}
}
