package cue_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
)

func TestContextFields(t *testing.T) {
	cases := map[string]struct {
		text string
		want []string
		all  bool
	}{
		"selectors and indexes": {
			text: `output: {a: context.name, b: context["appName"], c: "\(context.output.spec.x)"}`,
			want: []string{"appName", "name", "output"},
		},
		"inside conditions, loops and calls": {
			text: `import "strings"` + "\noutput: {if context.revision != _|_ {a: 1}, b: [for c in context.components {c}], c: strings.ToLower(context.cluster)}",
			want: []string{"cluster", "components", "revision"},
		},
		"context as a whole":                  {text: "output: {let c = context, a: c.name}", all: true},
		"a computed index":                    {text: "output: a: context[parameter.x]\nparameter: x: string", all: true},
		"a field that is called context":      {text: "output: context: context.name", want: []string{"name"}},
		"a template that does not read it":    {text: "output: a: 1"},
		"a declaration of context is no read": {text: "context: name: string\noutput: a: context.name", want: []string{"name"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			fields, all := compile(t, cue.NewEngine(cue.Options{}), tc.text).ContextFields()
			if diff := cmp.Diff(tc.want, fields); diff != "" || all != tc.all {
				t.Errorf("ContextFields() = %v, %v, want %v, %v", fields, all, tc.want, tc.all)
			}
		})
	}
}

func TestResult(t *testing.T) {
	const text = `
		output: {kind: "Deployment", n: parameter.n}
		outputs: {b: kind: "Service", a: kind: "Ingress"}
		errs: [if parameter.n > 5 {"n is \(parameter.n), at most 5 make sense"}]
		patchOutputs: {
			// +patchStrategy=jsonMergePatch
			svc: metadata: labels: a: "b"
		}
		list: ["x", "y"]
		isHealth: parameter.n == 7
		message:  "n is \(parameter.n)"
		parameter: n: int
	`
	for name, plain := range map[string]bool{"direct": false, "by CUE": true} {
		t.Run(name, func(t *testing.T) {
			res, err := compile(t, cue.NewEngine(cue.Options{Plain: plain}), text).Eval(t.Context(), cue.Input{Parameter: map[string]any{"n": 7}})
			if err != nil {
				t.Fatal(err)
			}
			outs, err := res.Outputs()
			want := []cue.Named{{Name: "a", Object: map[string]any{"kind": "Ingress"}}, {Name: "b", Object: map[string]any{"kind": "Service"}}}
			if diff := cmp.Diff(want, outs); diff != "" || err != nil {
				t.Errorf("Outputs() mismatch (-want +got):\n%s%v", diff, err)
			}
			errs, err := res.Errs()
			if diff := cmp.Diff([]string{"n is 7, at most 5 make sense"}, errs); diff != "" || err != nil {
				t.Errorf("Errs() mismatch (-want +got):\n%s%v", diff, err)
			}
			if v, ok, err := res.Bool("isHealth"); !v || !ok || err != nil {
				t.Errorf("Bool() = %v, %v, %v", v, ok, err)
			}
			if _, _, err := res.Bool("message"); err == nil || err.Error() != `message: expected a bool, got string "n is 7"` {
				t.Errorf("Bool of a string: error = %v", err)
			}
			if v, ok, err := res.String("message"); v != "n is 7" || !ok || err != nil {
				t.Errorf("String() = %q, %v, %v", v, ok, err)
			}
			if _, ok, err := res.Bool("nothing"); ok || err != nil {
				t.Errorf("Bool of nothing = %v, %v", ok, err)
			}
			var n int64
			if err := res.Decode("output.n", &n); err != nil || n != 7 {
				t.Errorf("Decode() = %d, %v", n, err)
			}
			if !res.Exists("outputs.a") || res.Exists("outputs.c") || res.Exists("nothing.at.all") {
				t.Error("Exists() is wrong")
			}
			patches, err := res.PatchOutputs()
			if err != nil {
				t.Fatal(err)
			}
			got, err := patch.Apply(map[string]any{"metadata": map[string]any{"name": "svc"}}, patches["svc"])
			wantSvc := map[string]any{"metadata": map[string]any{"name": "svc", "labels": map[string]any{"a": "b"}}}
			if diff := cmp.Diff(wantSvc, got); diff != "" || err != nil {
				t.Errorf("patched output mismatch (-want +got):\n%s%v", diff, err)
			}
		})
	}
}

func TestExpr(t *testing.T) {
	res, err := compile(t, cue.NewEngine(cue.Options{}), `
		output: {status: conditions: [{type: "Ready", message: "up"}], "with-dash": 1}
		hosts: ["a", "b"]
	`).Eval(t.Context(), cue.Input{Context: map[string]any{"name": "app"}})
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		expr    string
		want    any
		wantErr string
	}{
		"a path":                        {expr: "output.status.conditions[0].message", want: "up"},
		"a quoted name":                 {expr: `output["with-dash"]`, want: int64(1)},
		"an interpolation":              {expr: `"\(context.name)-\(len(hosts))"`, want: "app-2"},
		"a package":                     {expr: `strings.Join(hosts, ",")`, want: "a,b"},
		"a package with import":         {expr: "import \"strings\"\nstrings.ToUpper(context.name)", want: "APP"},
		"an object":                     {expr: "output.status.conditions[0]", want: map[string]any{"type": "Ready", "message": "up"}},
		"a field that is missing":       {expr: "output.nope", wantErr: `"output.nope": refers to "nope", which does not exist`},
		"not an expression":             {expr: "a: b", wantErr: `"a: b": is not an expression`},
		"an import that is not allowed": {expr: "import \"tool/exec\"\nexec.Run", wantErr: `"import \"tool/exec\"\nexec.Run": cannot import "tool/exec"`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := res.Expr(tc.expr)
			if tc.wantErr != "" {
				if err == nil || err.Error() != tc.wantErr {
					t.Errorf("Expr() error = %v, want %s", err, tc.wantErr)
				}
				return
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
				t.Errorf("Expr() mismatch (-want +got):\n%s%v", diff, err)
			}
		})
	}
}
