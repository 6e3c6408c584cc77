package definition_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
)

func TestParseCUE(t *testing.T) {
	got, err := definition.ParseCUE("mine.cue", `
import "strings"

// What it is.
"my-trait": {
	type:        "trait"
	alias:       "mine"
	description: "Does things"
	labels: {deprecated: "true", "x.oam.dev/y": "z"}
	annotations: note: "n"
	attributes: {
		stage: "PostDispatch"
		appliesToWorkloads: ["*"]
		status: healthPolicy: #"""
			isHealth: true
			"""#
	}
}
template: {
	// +patchStrategy=jsonMergePatch
	patch: {
		a: strings.ToUpper("b")
	}

	parameter: {}
}
`)
	if err != nil {
		t.Fatal(err)
	}
	want := &v1beta1.TraitDefinition{
		TypeMeta: metav1.TypeMeta{APIVersion: "core.oam.dev/v1beta1", Kind: "TraitDefinition"},
		ObjectMeta: metav1.ObjectMeta{
			Name:   "my-trait",
			Labels: map[string]string{"custom.definition.oam.dev/deprecated": "true", "x.oam.dev/y": "z"},
			Annotations: map[string]string{
				"custom.definition.oam.dev/note": "n", "definition.oam.dev/description": "Does things", "definition.oam.dev/alias": "mine",
			},
		},
		Spec: v1beta1.TraitDefinitionSpec{
			Stage: "PostDispatch", AppliesToWorkloads: []string{"*"},
			Status: &v1beta1.StatusRules{HealthPolicy: "isHealth: true"},
			Schematic: &v1beta1.Schematic{CUE: &v1beta1.CUE{Template: `import "strings"

// +patchStrategy=jsonMergePatch
patch: {
	a: strings.ToUpper("b")
}

parameter: {}
`}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ParseCUE() (-want +got):\n%s", diff)
	}
}

func TestParseCUERefuses(t *testing.T) {
	const template = "template: {}\n"
	cases := map[string]struct{ text, want string }{
		"text that is not CUE":       {"a: {", "expected '}'"},
		"no description":             {template, "no field describes the definition"},
		"no template":                {`a: type: "trait"`, "no field template"},
		"a template that is no body": {`a: type: "trait"` + "\ntemplate: 1\n", "template is not a struct"},
		"two definitions":            {"a: type: \"trait\"\nb: type: \"trait\"\n" + template, `fields "a" and "b"`},
		"an unknown type":            {`a: type: "tray"` + "\n" + template, `type is "tray"`},
		"an attribute of the wrong type": {
			"a: {type: \"trait\", attributes: appliesToWorkloads: 1}\n" + template, "appliesToWorkloads"},
		"an open description": {"a: {type: \"trait\", description: string}\n" + template, "description"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := definition.ParseCUE("mine.cue", tc.text)
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "mine.cue") {
				t.Errorf("ParseCUE() error = %v, want one about mine.cue and %q", err, tc.want)
			}
		})
	}
}

// The content address is that of the spec: who stores the object, and as
// which type, does not matter.
func TestDigest(t *testing.T) {
	digest := func(obj map[string]any) string {
		t.Helper()
		d, err := definition.FromObject(&unstructured.Unstructured{Object: obj})
		if err != nil {
			t.Fatal(err)
		}
		return d.Digest
	}
	object := func(name, kind, template string) map[string]any {
		return map[string]any{
			"apiVersion": "core.oam.dev/v1beta1", "kind": kind,
			"metadata": map[string]any{"name": name, "resourceVersion": name, "annotations": map[string]any{"a": name}},
			"spec":     map[string]any{"schematic": map[string]any{"cue": map[string]any{"template": template}}},
			"status":   map[string]any{"configMapRef": name},
		}
	}
	typed, err := definition.FromObject(&v1beta1.TraitDefinition{
		Spec: v1beta1.TraitDefinitionSpec{Schematic: &v1beta1.Schematic{CUE: &v1beta1.CUE{Template: "x: 1"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	one := digest(object("a", "TraitDefinition", "x: 1"))
	if other := digest(object("b", "TraitDefinition", "x: 1")); other != one || typed.Digest != one {
		t.Errorf("equal specs have digests %s, %s and %s", one, other, typed.Digest)
	}
	if digest(object("a", "TraitDefinition", "x: 2")) == one {
		t.Error("another template has the same digest")
	}
	if digest(object("a", "PolicyDefinition", "x: 1")) == one {
		t.Error("another kind has the same digest")
	}
	if _, err := definition.FromObject(&unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Pod"}}); err == nil {
		t.Error("a Pod is taken for a definition")
	}
}

// A description that has to be evaluated says the same as one that is only
// data.
func TestParseCUEEvaluates(t *testing.T) {
	const data = `a: {type: "trait", description: "x", labels: {n: "1"}, attributes: {podDisruptive: true, appliesToWorkloads: ["a", "b"]}}
template: {}
`
	const evaluated = `
let all = ["a", "b"]
a: {
	type: _kind
	_kind: "trait"
	description: "\(labels.m)x"
	labels: {n: "1", m: ""}
	attributes: appliesToWorkloads: all
	attributes: podDisruptive: true
	attributes: podDisruptive: bool
}
template: {}
`
	first, second := parse(t, data), parse(t, evaluated)
	if diff := cmp.Diff(first.Object.(*v1beta1.TraitDefinition).Spec, second.Object.(*v1beta1.TraitDefinition).Spec); diff != "" {
		t.Errorf("spec (-data +evaluated):\n%s", diff)
	}
}
