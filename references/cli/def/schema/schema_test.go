package schema

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/tools/txtar"
	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/references/cli/def/author"
)

// ours compiles the schema of everything that ships.
func ours(t *testing.T) *jsonschema.Schema {
	t.Helper()
	builtin, err := definition.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	defs, err := builtin.All()
	if err != nil {
		t.Fatal(err)
	}
	parts, warnings := describe(defs, author.NewEngines(nil))
	if len(warnings) > 0 {
		t.Errorf("definitions without a schema: %v", warnings)
	}
	all, err := bundle(parts)
	if err != nil {
		t.Fatal(err)
	}
	return compile(t, all)
}

func compile(t *testing.T, content map[string]any) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("vela.json", asJSON(t, content)); err != nil {
		t.Fatal(err)
	}
	s, err := compiler.Compile("vela.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func asJSON(t *testing.T, v any) any {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func document(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return asJSON(t, v)
}

// What the definitions accept, the schema has to accept: an editor that cries
// wolf is switched off. The tests of what ships are the examples.
func TestSchemaAcceptsWhatDefinitionsAccept(t *testing.T) {
	s := ours(t)
	paths, err := filepath.Glob("../../../../pkg/definition/builtin/*/*/*.txtar")
	if err != nil || len(paths) < 50 {
		t.Fatalf("found %d archives (%v)", len(paths), err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			refused := map[string]bool{}
			for _, f := range archive.Files {
				if name, ok := strings.CutPrefix(f.Name, "want/"); ok && strings.Contains(string(f.Data), "wrong:") {
					refused["properties/"+name] = true
				}
			}
			for _, f := range archive.Files {
				for _, spec := range specsOf(t, f, refused[f.Name]) {
					app := map[string]any{
						"apiVersion": "core.oam.dev/v1beta1", "kind": "Application", "metadata": map[string]any{"name": "a"}, "spec": spec,
					}
					if err := s.Validate(asJSON(t, app)); err != nil {
						t.Errorf("%s: %v", f.Name, err)
					}
				}
			}
		})
	}
}

// specsOf makes Applications of what a file of a test has.
func specsOf(t *testing.T, f txtar.File, refused bool) []map[string]any {
	t.Helper()
	var in struct {
		Components []map[string]any `json:"components"`
		Type       string           `json:"type"`
		Properties map[string]any   `json:"properties"`
	}
	folder, _, _ := strings.Cut(f.Name, "/")
	if refused || folder != "app.yaml" && folder != "properties" && folder != "run" {
		return nil
	}
	if err := yaml.Unmarshal(f.Data, &in); err != nil {
		t.Fatal(err)
	}
	one := map[string]any{"name": "x", "type": in.Type}
	if in.Properties != nil {
		one["properties"] = in.Properties
	}
	web := []any{map[string]any{"name": "web", "type": "webservice", "properties": map[string]any{"image": "nginx"}}}
	switch folder {
	case "properties":
		return []map[string]any{{"components": web, "policies": []any{one}}}
	case "run":
		return []map[string]any{{"components": web, "workflow": map[string]any{"steps": []any{one}}}}
	}
	var specs []map[string]any
	for _, c := range in.Components {
		traits, _ := c["traits"].([]any)
		for _, trait := range traits {
			delete(trait.(map[string]any), "answer") // not of an Application
		}
		specs = append(specs, map[string]any{"components": []any{c}})
	}
	return specs
}

// What an editor has to say, and where.
func TestSchemaFindsMistakes(t *testing.T) {
	s := ours(t)
	const head = "apiVersion: core.oam.dev/v1beta1\nkind: Application\nmetadata: {name: a}\nspec:\n"
	cases := map[string]struct{ text, where string }{
		"a right application has none":                  {head + "  components: [{name: a, type: webservice, properties: {image: nginx, ports: [{port: 80}]}}]", ""},
		"a version behind the type is fine":             {head + "  components: [{name: a, type: webservice@v2, properties: {image: nginx}}]", ""},
		"inputs may bring what is required":             {head + "  components: [{name: a, type: webservice, inputs: [{from: x, parameterKey: image}]}]", ""},
		"an object of another kind is left alone":       {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}", ""},
		"a type that does not exist":                    {head + "  components: [{name: a, type: webservce, properties: {image: nginx}}]", "/spec/components/0/type"},
		"a property that is missing":                    {head + "  components: [{name: a, type: webservice, properties: {port: 80}}]", "/spec/components/0/properties"},
		"properties that are missing as a whole":        {head + "  components: [{name: a, type: webservice}]", "/spec/components/0"},
		"a property of the wrong type":                  {head + "  components: [{name: a, type: webservice, properties: {image: nginx, cpu: [1]}}]", "/spec/components/0/properties/cpu"},
		"a property of the wrong type inside":           {head + "  components: [{name: a, type: webservice, properties: {image: nginx, ports: [{port: eighty}]}}]", "/spec/components/0/properties/ports/0/port"},
		"a value that is not among the allowed":         {head + "  components: [{name: a, type: webservice, properties: {image: nginx, imagePullPolicy: Sometimes}}]", "/spec/components/0/properties/imagePullPolicy"},
		"a misspelled property":                         {head + "  components: [{name: a, type: webservice, properties: {image: nginx, imge: m}}]", "/spec/components/0/properties"},
		"a misspelled field of the application":         {head + "  component: []", "/spec"},
		"a trait with a wrong property":                 {head + "  components: [{name: a, type: webservice, properties: {image: nginx}, traits: [{type: scaler, properties: {replicas: many}}]}]", "/spec/components/0/traits/0/properties/replicas"},
		"a trait as the type of a component":            {head + "  components: [{name: a, type: scaler}]", "/spec/components/0/type"},
		"a policy with a wrong property":                {head + "  components: []\n  policies: [{name: t, type: topology, properties: {clusters: local}}]", "/spec/policies/0/properties/clusters"},
		"a step with a wrong property":                  {head + "  components: []\n  workflow: {steps: [{name: d, type: deploy, properties: {auto: 'yes'}}]}", "/spec/workflow/steps/0/properties/auto"},
		"a step inside a group":                         {head + "  components: []\n  workflow: {steps: [{name: g, type: step-group, subSteps: [{name: d, type: deplo}]}]}", "/spec/workflow/steps/0/subSteps/0/type"},
		"a policy object":                               {"apiVersion: core.oam.dev/v1alpha1\nkind: Policy\nmetadata: {name: a}\ntype: topology\nproperties: {clusters: 1}", "/properties/clusters"},
		"a workflow object":                             {"apiVersion: core.oam.dev/v1alpha1\nkind: Workflow\nmetadata: {name: a}\nsteps: [{name: d, type: nothing}]", "/steps/0/type"},
		"an application of a version that is not known": {"apiVersion: core.oam.dev/v1\nkind: Application\nmetadata: {name: a}\nspec: {components: []}", "/apiVersion"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := s.Validate(document(t, tc.text))
			if tc.where == "" {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			if err == nil {
				t.Fatalf("accepted, want a mistake at %s", tc.where)
			}
			if got := err.Error(); !strings.Contains(got, "'"+tc.where+"'") {
				t.Errorf("no mistake at %s:\n%s", tc.where, got)
			}
		})
	}
}
