package definition_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	charts "github.com/seed-c5f95f19/vela/pkg/helm"
	"github.com/seed-c5f95f19/vela/pkg/test/golden"
)

// What a component and its traits become. An archive has app.yaml with
// components as an Application has them; the output is one document per
// object, as the template gives it: names, namespaces and labels that
// rendering adds to every object are not in it.
func TestBuiltinRender(t *testing.T) {
	builtin := newRenderer(t)
	offered := builtin
	offered.defs = definition.Chain(must(definition.Registry())(t), builtin.defs)
	folders := map[string]renderer{
		"builtin/component": builtin, "builtin/trait": builtin,
		"builtin/registry/component": offered, "builtin/registry/trait": offered,
	}
	for _, folder := range slices.Sorted(maps.Keys(folders)) {
		r := folders[folder]
		golden.Run(t, folder+"/*/*.txtar", func(t *testing.T, in golden.Files) golden.Files {
			var app struct {
				Components []component `json:"components"`
				Cluster    *struct {
					Minor int `json:"minor"`
				} `json:"cluster"`
			}
			if err := yaml.UnmarshalStrict([]byte(in["app.yaml"]), &app); err != nil {
				t.Fatal(err)
			}
			minor := 36
			if app.Cluster != nil {
				minor = app.Cluster.Minor
			}
			var out bytes.Buffer
			for _, c := range app.Components {
				for _, doc := range r.render(t, c, minor) {
					fmt.Fprintf(&out, "---\n%s", doc)
				}
			}
			return golden.Files{"want.yaml": strings.TrimPrefix(out.String(), "---\n")}
		})
	}
}

type component struct {
	Name       string         `json:"name"`
	Type       string         `json:"type"`
	Properties map[string]any `json:"properties"`
	Traits     []struct {
		Type       string         `json:"type"`
		Properties map[string]any `json:"properties"`
		Answer     map[string]any `json:"answer"` // to the request under processing.http
	} `json:"traits"`
}

type renderer struct {
	engine *cue.Engine
	defs   definition.Source
}

func newRenderer(t *testing.T) renderer {
	t.Helper()
	defs, err := definition.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return renderer{cue.NewEngine(cue.Options{Packages: all.DefinitionSchemas()}), defs}
}

func (r renderer) eval(t *testing.T, kind definition.Kind, name string, in cue.Input) *cue.Result {
	t.Helper()
	return r.evalWith(t, kind, name, "", in)
}

// evalWith evaluates the template with more text behind it.
func (r renderer) evalWith(t *testing.T, kind definition.Kind, name, more string, in cue.Input) *cue.Result {
	t.Helper()
	d, err := r.defs.Get(t.Context(), "default", definition.Ref{Kind: kind, Name: name})
	if err != nil {
		t.Fatal(err)
	}
	tmpl, err := r.engine.Compile(cue.Source{Kind: string(kind), Name: name, Text: d.Template + more})
	if err != nil {
		t.Fatalf("compile %s %q: %v", kind, name, err)
	}
	in.Actions = all.Definition(all.Deps{Charts: charts.NewStore(charts.Options{Local: "builtin/component/helmchart/testdata"})})
	res, err := tmpl.Eval(t.Context(), in)
	if err != nil {
		t.Fatalf("evaluate %s %q: %v", kind, name, err)
	}
	if errs := must(res.Errs())(t); len(errs) > 0 {
		t.Fatalf("%s %q refuses: %v", kind, name, errs)
	}
	return res
}

// render returns the objects of a component as YAML.
func (r renderer) render(t *testing.T, c component, minor int) []string {
	t.Helper()
	var docs []string
	fields := map[string]any{
		"name": c.Name, "appName": "app", "namespace": "default", "appRevision": "app-v1", "appRevisionNum": 1,
		"revision": c.Name + "-v1", "cluster": "local", "clusterVersion": map[string]any{"major": "1", "minor": minor},
	}
	res := r.eval(t, definition.Component, c.Type, cue.Input{Parameter: c.Properties, Context: fields, ReadOnly: true})
	workload := must(res.Output())(t)
	auxiliary := map[string]any{}
	var order []string
	add := func(outputs []cue.Named) {
		for _, o := range outputs {
			if _, ok := auxiliary[o.Name]; !ok {
				order = append(order, o.Name)
			}
			auxiliary[o.Name] = o.Object
		}
	}
	add(must(res.Outputs())(t))
	for _, trait := range c.Traits {
		fields["output"], fields["outputs"] = workload, auxiliary
		input := cue.Input{Parameter: trait.Properties, Context: fields, ReadOnly: true}
		res := r.eval(t, definition.Trait, trait.Type, input)
		if request, ok, err := res.Lookup("processing.http"); err != nil {
			t.Fatal(err)
		} else if ok { // as rendering does it
			docs = append(docs, "# request\n"+text(t, request))
			res = r.evalWith(t, definition.Trait, trait.Type, fmt.Sprintf("\nprocessing: output: %s\n", must(json.Marshal(trait.Answer))(t)), input)
		}
		if p, ok, err := res.Patch(); err != nil {
			t.Fatalf("patch of %q: %v", trait.Type, err)
		} else if ok {
			workload = must(patch.Apply(workload, p))(t)
		}
		add(must(res.Outputs())(t))
	}
	docs = append(docs, text(t, workload))
	for _, name := range order {
		docs = append(docs, text(t, auxiliary[name]))
	}
	return docs
}

func text(t *testing.T, v any) string {
	t.Helper()
	return string(must(yaml.Marshal(v))(t))
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
