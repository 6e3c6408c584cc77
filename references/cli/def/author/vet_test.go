package author_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cue/schema"
	"github.com/seed-c5f95f19/vela/references/cli/def/author"
)

// What ships is right, so vet has nothing to say about it.
func TestWhatShipsIsValid(t *testing.T) {
	defs, err := author.Read(t.Context(), nil, "../../../../pkg/definition/builtin")
	if err != nil || len(defs) < 80 {
		t.Fatalf("%d definitions: %v", len(defs), err)
	}
	engines := author.NewEngines(nil)
	for _, d := range defs {
		if d.Name == "ref-objects" {
			continue // its objects come from the cluster in the place of the parameters
		}
		for _, p := range d.Vet(t.Context(), engines) {
			t.Error(p)
		}
	}
}

// Samples are made from what is declared, and end where parameters contain
// themselves.
func TestSample(t *testing.T) {
	one := 1.0
	self := &schema.Schema{Type: "object", Order: []string{"name", "next"}, Required: []string{"name"}, Properties: map[string]*schema.Schema{"name": {Type: "string"}}}
	self.Properties["next"] = self
	s := &schema.Schema{
		Type: "object", Required: []string{"image", "size", "level"},
		Order: []string{"image", "size", "level", "port", "labels", "hosts", "hidden", "self"},
		Properties: map[string]*schema.Schema{
			"image":  {Type: "string"},
			"size":   {Type: "integer", Minimum: &one, ExclusiveMinimum: true},
			"level":  {Type: "string", Enum: []any{"low", "high"}},
			"port":   {Type: "integer", Default: int64(8080)},
			"labels": {Type: "object", AdditionalProperties: &schema.Schema{Type: "string", Pattern: "^[0-9]+$"}},
			"hosts":  {Type: "array", Items: &schema.Schema{Type: "string"}},
			"hidden": {Type: "string", Ignore: true},
			"self":   self,
		},
	}
	want := map[string]any{"image": "nginx:1.27", "size": int64(2), "level": "low"}
	if diff := cmp.Diff(want, author.Sample(s, author.Required)); diff != "" {
		t.Errorf("what must be given (-want +got):\n%s", diff)
	}
	all := author.Sample(s, author.Everything)
	depth := 0
	for at, ok := all["self"].(map[string]any); ok; at, ok = at["next"].(map[string]any) {
		depth++
	}
	if depth < 2 || depth > 20 {
		t.Errorf("a parameter that contains itself is %d deep", depth)
	}
	delete(all, "self")
	want["port"], want["labels"], want["hosts"] = int64(8080), map[string]any{"key": "1"}, []any{"example"}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("everything (-want +got):\n%s", diff)
	}
}

// Every place of a mistake is that of the file, whatever the definition is
// written in.
func TestVetKnowsThePlace(t *testing.T) {
	const broken = "output: {\n\tapiVersion: \"v1\"\n\tkind: \"ConfigMap\"\n\tdata: a: missing\n}\n"
	cases := map[string]struct{ file, text, want string }{
		"CUE": {
			"a.cue", "import \"strings\"\n\n// what\na: {\n\ttype: \"component\"\n\tattributes: workload: type: \"autodetects.core.oam.dev\"\n}\n\ntemplate: {\n\n\tx: strings.ToUpper(\"a\")\n\t" +
				strings.ReplaceAll(strings.TrimSpace(broken), "\n", "\n\t") + "\n}\n",
			"a.cue:15:12: output.data.a: refers to \"missing\", which does not exist",
		},
		"YAML": {
			"a.yaml", "apiVersion: v1\nkind: ConfigMap\n---\napiVersion: core.oam.dev/v1beta1\nkind: ComponentDefinition\nmetadata:\n  name: a\nspec:\n  workload: {type: autodetects.core.oam.dev}\n" +
				"  schematic:\n    cue:\n      template: |-\n        " + strings.ReplaceAll(strings.TrimSpace(broken), "\n", "\n        "),
			"a.yaml:16:19: output.data.a: refers to \"missing\", which does not exist",
		},
		"YAML in one line": {
			"a.yaml", "apiVersion: core.oam.dev/v1beta1\nkind: ComponentDefinition\nmetadata: {name: a}\nspec:\n  workload: {type: x}\n  schematic:\n    cue:\n      template: \"output: {apiVersion: missing, kind: \\\"K\\\"}\"\n",
			"a.yaml:8:27: output.apiVersion: refers to \"missing\", which does not exist",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			defs, err := author.Parse(tc.file, tc.text)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range defs[0].Vet(context.WithoutCancel(t.Context()), author.NewEngines(nil)) {
				got = append(got, p.Error())
			}
			if diff := cmp.Diff([]string{tc.want}, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", filepath.Ext(tc.file), diff)
			}
		})
	}
}
