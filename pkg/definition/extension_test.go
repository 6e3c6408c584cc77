package definition_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
)

// Before there were schematics the template of a definition stood in its
// extension.
func TestTemplateInExtension(t *testing.T) {
	const text = "output: kind: \"ConfigMap\"\n"
	raw := func(s string) *runtime.RawExtension { return &runtime.RawExtension{Raw: []byte(s)} }
	extension := raw(`{"template": "output: kind: \"ConfigMap\"\n", "install": {"helm": {}}}`)
	schematic := &v1beta1.Schematic{CUE: &v1beta1.CUE{Template: "new: true"}}
	for name, c := range map[string]struct {
		obj  runtime.Object
		want string
	}{
		"a component": {&v1beta1.ComponentDefinition{Spec: v1beta1.ComponentDefinitionSpec{Extension: extension}}, text},
		"a trait":     {&v1beta1.TraitDefinition{Spec: v1beta1.TraitDefinitionSpec{Extension: extension}}, text},
		"a workload":  {&v1beta1.WorkloadDefinition{Spec: v1beta1.WorkloadDefinitionSpec{Extension: extension}}, text},
		"a schematic comes first": {
			&v1beta1.TraitDefinition{Spec: v1beta1.TraitDefinitionSpec{Schematic: schematic, Extension: extension}}, "new: true",
		},
		"objects come first": {
			&v1beta1.ComponentDefinition{Spec: v1beta1.ComponentDefinitionSpec{
				Schematic: &v1beta1.Schematic{Kube: &v1beta1.Kube{}}, Extension: extension,
			}}, "",
		},
		"an extension about something else": {&v1beta1.TraitDefinition{Spec: v1beta1.TraitDefinitionSpec{Extension: raw(`{"template": {}}`)}}, ""},
		"an extension that is no object":    {&v1beta1.TraitDefinition{Spec: v1beta1.TraitDefinitionSpec{Extension: raw(`[]`)}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := definition.FromObject(c.obj)
			if err != nil {
				t.Fatal(err)
			}
			if d.Template != c.want {
				t.Errorf("template %q, want %q", d.Template, c.want)
			}
		})
	}
}
