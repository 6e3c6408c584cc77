package velaql_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/velaql"
)

func TestParse(t *testing.T) {
	cases := map[string]struct {
		text string
		want velaql.Query
	}{
		"parameters and a field": {
			`pods{appName=shop, appNs = default ,name="a, b}"}.status.podList`,
			velaql.Query{View: "pods", Parameters: map[string]any{"appName": "shop", "appNs": "default", "name": "a, b}"}, Export: "status.podList"},
		},
		"numbers and truth values, unless they are quoted": {
			`v{i=3,f=1.5,b=true,s="3",t=t,x=1.2.3,inf=inf}`,
			velaql.Query{View: "v", Parameters: map[string]any{"i": int64(3), "f": 1.5, "b": true, "s": "3", "t": "t", "x": "1.2.3", "inf": "inf"}, Export: "status"},
		},
		"a name alone":        {" v ", velaql.Query{View: "v", Parameters: map[string]any{}, Export: "status"}},
		"no parameters":       {"v{}.x", velaql.Query{View: "v", Parameters: map[string]any{}, Export: "x"}},
		"a field of the view": {"v.x", velaql.Query{View: "v", Parameters: map[string]any{}, Export: "x"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := velaql.Parse(tc.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Parse(%q) mismatch (-want +got):\n%s", tc.text, diff)
			}
		})
	}
}

func TestParseSaysWhere(t *testing.T) {
	for text, want := range map[string]string{
		"":             "column 1: expected the name of a view",
		"{a=b}":        "column 1: expected the name of a view",
		"v{a}":         "column 3: expected key=value",
		"v{a=1,=2}":    "column 7: expected key=value",
		"v{a=}":        "column 5: expected a value",
		"v{a=1":        "column 6: expected , or }",
		`v{a="x}`:      "column 5: the text has no closing quote",
		`v{a="x"y}`:    "column 8: expected , or }",
		"v{a=1,a=2}":   `column 7: "a" is given twice`,
		"v{a=1}.":      "column 8: expected a field after the dot",
		"v{a=1}status": "column 13: expected the end, or .field",
	} {
		if _, err := velaql.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) error = %v, want %q", text, err, want)
		}
	}
}

func engine() velaql.Engine {
	lists := provider.Package{Name: "query", Read: provider.Actions{
		"listAppliedResources": func(_ context.Context, c provider.Call) (any, error) {
			app := c.Params.(map[string]any)["app"].(map[string]any)
			return map[string]any{"list": []any{map[string]any{"name": app["name"]}}}, nil
		},
	}, Write: provider.Actions{}}
	return velaql.Engine{Engine: cue.NewEngine(cue.Options{Packages: all.WorkflowSchemas()}), Actions: provider.NewTable(lists)}
}

const view = `
import "vela/ql"

parameter: {
	app: string
	max: *10 | int
}
found: ql.#ListAppliedResources & {app: {name: parameter.app, namespace: "default"}}
status: {names: [for r in found.list {r.name}], max: parameter.max}
`

func TestQuery(t *testing.T) {
	cases := map[string]struct {
		query   string
		want    any
		wantErr string
	}{
		"the answer":                    {query: "v{app=shop,max=2}", want: map[string]any{"names": []any{"shop"}, "max": int64(2)}},
		"a part of it":                  {query: "v{app=shop}.status.names", want: []any{"shop"}},
		"a field that does not exist":   {query: "v{app=shop}.pods", wantErr: `view "v" has no field "pods"`},
		"a parameter of the wrong type": {query: "v{app=shop,max=many}", wantErr: "max"},
		"a parameter that is missing":   {query: "v{max=2}", wantErr: "app"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			q, err := velaql.Parse(tc.query)
			if err != nil {
				t.Fatal(err)
			}
			got, err := engine().Query(t.Context(), view, q)
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Fatalf("Query() error = %v, want %q", err, tc.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Query() mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

// A view writes nothing, whatever it asks for.
func TestViewsWriteNothing(t *testing.T) {
	_, err := engine().Query(t.Context(), `
import "vela/op"

a: op.#Apply & {value: {apiVersion: "v1", kind: "ConfigMap", metadata: name: "x"}}
status: a.value
`, velaql.Query{View: "v", Export: "status"})
	if err == nil {
		t.Error("a view applied an object")
	}
}

func TestStoreAndLoad(t *testing.T) {
	other := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "vela-system", Name: "settings"}, Data: map[string]string{"a": "b"}}
	hub := fake.NewClientBuilder().WithObjects(other).Build()
	e := engine()
	for _, want := range []bool{true, false} { // nothing changed, nothing written
		if changed, err := e.Store(t.Context(), hub, "vela-system", "v", view); changed != want || err != nil {
			t.Fatalf("Store() = %v, %v, want %v", changed, err, want)
		}
	}
	if text, err := velaql.Load(t.Context(), hub, "vela-system", "component-pod-view"); err != nil || !strings.Contains(text, "#CollectPods") {
		t.Errorf("Load() of a view that comes with vela = %q, %v", text, err)
	}
	if text, err := velaql.Load(t.Context(), hub, "vela-system", "v"); text != view || err != nil {
		t.Errorf("Load() = %q, %v, want what was stored", text, err)
	}
	for name, text := range map[string]string{"settings": view, "broken": "status: {"} {
		if _, err := e.Store(t.Context(), hub, "vela-system", name, text); err == nil {
			t.Errorf("Store(%q) was accepted", name)
		}
	}
	for name, want := range map[string]string{"gone": "there is no view", "settings": "is no view"} {
		if _, err := velaql.Load(t.Context(), hub, "vela-system", name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Load(%q) error = %v, want %q", name, err, want)
		}
	}
}
