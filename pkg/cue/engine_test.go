package cue_test

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

func compile(t testing.TB, e *cue.Engine, text string) *cue.Template {
	t.Helper()
	tmpl, err := e.Compile(cue.Source{Kind: "component", Name: "test", Text: text})
	if err != nil {
		t.Fatalf("Compile() error = %v", err)
	}
	return tmpl
}

func webservice(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("testdata/webservice.cue")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEvalWebservice(t *testing.T) {
	e := cue.NewEngine(cue.Options{})
	tmpl := compile(t, e, webservice(t))
	res, err := tmpl.Eval(t.Context(), cue.Input{
		Parameter: map[string]any{"image": "nginx", "ports": []any{map[string]any{"port": 80.0, "expose": true}}},
		Context:   map[string]any{"name": "web", "appName": "app"},
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := res.Output()
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]any{"app.oam.dev/name": "app", "app.oam.dev/component": "web"}
	want := map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"spec": map[string]any{
			"selector": map[string]any{"matchLabels": map[string]any{"app.oam.dev/component": "web"}},
			"template": map[string]any{
				"metadata": map[string]any{"labels": labels},
				"spec": map[string]any{"containers": []any{map[string]any{
					"name": "web", "image": "nginx",
					"ports": []any{map[string]any{"containerPort": int64(80), "protocol": "TCP", "name": "port-80"}},
				}}},
			},
		},
	}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("Output() mismatch (-want +got):\n%s", diff)
	}
	outs, err := res.Outputs()
	if err != nil {
		t.Fatal(err)
	}
	wantOuts := []cue.Named{{Name: "webserviceExpose", Object: map[string]any{
		"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": "web"},
		"spec": map[string]any{
			"selector": map[string]any{"app.oam.dev/component": "web"},
			"ports":    []any{map[string]any{"port": int64(80), "name": "port-80"}},
			"type":     "ClusterIP",
		},
	}}}
	if diff := cmp.Diff(wantOuts, outs); diff != "" {
		t.Errorf("Outputs() mismatch (-want +got):\n%s", diff)
	}
}

const kubeSchema = `
#Apply: {
	#do: "apply"
	#provider: "kube"
	$params: {cluster: *"" | string, value: {...}}
	$returns?: {value?: {...}, err?: string}
	...
}
#Read: {
	#do: "read"
	#provider: "kube"
	$params: {cluster: *"" | string, value: {...}}
	$returns?: {value?: {...}, err?: string}
	...
}
`

const opSchema = `
#Apply: {
	#do: "apply"
	#provider: "kube"
	cluster: *"" | string
	value: {...}
	...
}
#ConditionalWait: {
	#do: "wait"
	#provider: "builtin"
	continue: *false | bool @absent()
	message?: string
}
#Steps: {...}
`

// recorder answers calls and remembers them.
type recorder struct{ calls []string }

func (r *recorder) table() provider.Table {
	object := func(_ context.Context, c provider.Call) (any, error) {
		v := c.Params.(map[string]any)["value"].(map[string]any)
		r.calls = append(r.calls, c.Path)
		return map[string]any{"value": map[string]any{"kind": v["kind"], "n": 1, "status": map[string]any{"ready": len(r.calls) > 1}}}, nil
	}
	wait := func(_ context.Context, c provider.Call) (any, error) {
		r.calls = append(r.calls, c.Path)
		p := c.Params.(map[string]any)
		if p["continue"] == true {
			return nil, nil
		}
		return nil, provider.Wait{Message: "not yet"}
	}
	return provider.NewTable(
		provider.Package{Name: "kube", Read: provider.Actions{"read": object}, Write: provider.Actions{"apply": object}},
		provider.Package{Name: "builtin", Read: provider.Actions{"wait": wait}},
	)
}

func TestEvalCalls(t *testing.T) {
	e := cue.NewEngine(cue.Options{Packages: []provider.Schema{
		{Path: "vela/kube", Text: kubeSchema}, {Path: "vela/op", Text: opSchema},
	}})
	cases := map[string]struct {
		text      string
		parameter map[string]any
		readOnly  bool
		wantCalls []string
		wantErr   string
		wantWait  bool
		expr      string
		want      any
	}{
		"calls run in field order and see earlier answers": {
			text: `import "vela/kube"
				first: kube.#Read & {$params: value: kind: "A"}
				second: kube.#Apply & {$params: value: {kind: "B", n: first.$returns.value.n}}`,
			wantCalls: []string{"first", "second"},
			expr:      `"\(second.$returns.value.kind)-\(first.$returns.value.n)"`,
			want:      "B-1",
		},
		"a call that needs a later one waits for it": {
			text: `import "vela/kube"
				second: kube.#Apply & {$params: value: {kind: "B", n: first.$returns.value.n}}
				first: kube.#Read & {$params: value: kind: "A"}`,
			wantCalls: []string{"first", "second"},
		},
		"calls inside comprehensions, ifs and lists": {
			text: `import "vela/kube"
				apply: {for n in parameter.names {"\(n)": kube.#Apply & {$params: value: kind: n}}}
				if apply.x.$returns.value.n > 0 {
					more: [for n in parameter.names {kube.#Read & {$params: value: kind: n}}]
				}
				last: kube.#Read & {$params: value: kind: "L"}`,
			parameter: map[string]any{"names": []string{"x", "y"}},
			wantCalls: []string{"apply.x", "apply.y", "more[0]", "more[1]", "last"},
		},
		"the flat dialect gets its answer in the struct": {
			text: `import "vela/op"
				apply: op.#Apply & {value: kind: "A"}
				wait: op.#ConditionalWait & {continue: apply.value.status.ready}`,
			wantCalls: []string{"apply", "wait"},
			wantWait:  true,
		},
		"both dialects in one template": {
			text: `import ("vela/op", "vela/kube")
				read: kube.#Read & {$params: value: kind: "A"}
				apply: op.#Apply & {value: {kind: "B", n: read.$returns.value.n}}
				wait: op.#ConditionalWait & {continue: apply.value.status.ready}`,
			wantCalls: []string{"read", "apply", "wait"},
			expr:      "apply.value.status.ready",
			want:      true,
		},
		"an unknown condition counts as not yet": {
			text: `import "vela/op"
				wait: op.#ConditionalWait & {continue: parameter.x.y}
				parameter: {x?: {y: bool}}`,
			wantCalls: []string{"wait"},
			wantWait:  true,
		},
		"a write is refused while rendering": {
			text:     `import "vela/kube"` + "\n" + `a: kube.#Apply & {$params: value: kind: "A"}`,
			readOnly: true,
			wantErr:  `a: the action "apply" of provider "kube" changes the world, which a rendering must not`,
		},
		"a call that can never be made is an error": {
			text:    `import "vela/kube"` + "\n" + `a: kube.#Apply & {$params: value: kind: parameter.kind}` + "\nparameter: kind: string",
			wantErr: "a: the call cannot be made: a.$params.value.kind: has no value: expected string (line 3 of the definition)",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			rec := &recorder{}
			res, err := compile(t, e, tc.text).Eval(t.Context(), cue.Input{
				Parameter: tc.parameter, Actions: rec.table(), ReadOnly: tc.readOnly,
			})
			if diff := cmp.Diff(tc.wantCalls, rec.calls); diff != "" {
				t.Errorf("calls mismatch (-want +got):\n%s", diff)
			}
			var wait provider.Wait
			switch {
			case tc.wantWait:
				if !errors.As(err, &wait) || res == nil {
					t.Fatalf("Eval() = %v, %v, want a result and a Wait", res, err)
				}
				return
			case tc.wantErr != "":
				if err == nil || err.Error() != tc.wantErr {
					t.Fatalf("Eval() error = %v\nwant %s", err, tc.wantErr)
				}
				return
			case err != nil:
				t.Fatal(err)
			}
			if tc.expr == "" {
				return
			}
			got, err := res.Expr(tc.expr)
			if err != nil || got != tc.want {
				t.Errorf("Expr(%s) = %v, %v, want %v", tc.expr, got, err, tc.want)
			}
		})
	}
}

func TestBool(t *testing.T) {
	e := cue.NewEngine(cue.Options{})
	scope := map[string]any{
		"status":  map[string]any{"one": map[string]any{"phase": "failed", "failed": true}},
		"inputs":  map[string]any{"x": 3},
		"context": map[string]any{"name": "app"},
	}
	cases := map[string]struct {
		expr    string
		want    bool
		wantErr string
	}{
		"a path":            {expr: "status.one.failed", want: true},
		"a comparison":      {expr: `status.one.phase == "failed" && inputs.x > 2`, want: true},
		"context is a name": {expr: `context.name == "app"`, want: true},
		"a package":         {expr: `strings.HasPrefix(context.name, "b")`, want: false},
		"a name that is not there is not _|_ safe": {expr: `status.two == _|_`, want: true},
		"not a bool": {expr: `inputs.x`, wantErr: `"inputs.x": expected a bool, got int 3`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := e.Bool(tc.expr, scope)
			if tc.wantErr != "" {
				if err == nil || err.Error() != tc.wantErr {
					t.Fatalf("Bool(%s) error = %v, want %s", tc.expr, err, tc.wantErr)
				}
				return
			}
			if err != nil || got != tc.want {
				t.Errorf("Bool(%s) = %v, %v, want %v", tc.expr, got, err, tc.want)
			}
		})
	}
}

func BenchmarkWebservice(b *testing.B) {
	e := cue.NewEngine(cue.Options{})
	tmpl := compile(b, e, webservice(b))
	in := cue.Input{
		Parameter: map[string]any{"image": "nginx", "cpu": "500m", "env": []any{map[string]any{"name": "A", "value": "b"}}, "ports": []any{map[string]any{"port": int64(80), "expose": true}}},
		Context:   map[string]any{"name": "web", "appName": "app", "namespace": "default", "appLabels": map[string]any{"a": "b"}},
	}
	b.ReportAllocs()
	for b.Loop() {
		res, err := tmpl.Eval(context.Background(), in)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := res.Output(); err != nil {
			b.Fatal(err)
		}
		if _, err := res.Outputs(); err != nil {
			b.Fatal(err)
		}
	}
}
