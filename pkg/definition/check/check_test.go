package check_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/definition/check"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

func engines() check.Engines {
	return check.Engines{
		Templates: cue.NewEngine(cue.Options{Packages: all.DefinitionSchemas()}),
		Steps:     cue.NewEngine(cue.Options{Packages: all.WorkflowSchemas()}),
	}
}

func parse(t *testing.T, text string) client.Object {
	t.Helper()
	objs, err := definition.ParseYAML([]byte("apiVersion: core.oam.dev/v1beta1\n" + text))
	if err != nil || len(objs) != 1 {
		t.Fatalf("%d definitions, %v", len(objs), err)
	}
	return objs[0]
}

func TestObject(t *testing.T) {
	const trait = "kind: TraitDefinition\nmetadata: {name: t}\n"
	cases := map[string]struct {
		text           string
		want, warnings []string
	}{
		"a sound trait": {text: trait + `spec: {version: 1.2.3, schematic: {cue: {template: "patch: {}\nparameter: {n: int}"}}}`},
		"a template that does not parse": {
			text: trait + `spec: {schematic: {cue: {template: "parameter: {\n  n: int\n  m: }\n"}}}`,
			want: []string{"spec.schematic.cue.template: line 3:6: expected operand, found '}'"},
		},
		"a name that nothing has": {
			text: trait + `spec: {schematic: {cue: {template: "output: {}\nx: {\n  y: missing.z\n}\n"}}}`,
			want: []string{`spec.schematic.cue.template: line 3:6: x.y: refers to "missing", which does not exist`},
		},
		"a value that contains itself": {
			text: trait + `spec: {schematic: {cue: {template: "parameter: {}\na: {\n  b: a\n}\n"}}}`,
			want: []string{"spec.schematic.cue.template: line 3:3: a.b: contains itself"},
		},
		"a package that does not exist": {
			text: trait + `spec: {schematic: {cue: {template: "import \"vela/nowhere\"\nx: nowhere.#Y\n"}}}`,
			want: []string{`spec.schematic.cue.template: line 1:8: imports "vela/nowhere", which does not exist here`},
		},
		"a health rule that does not compile": {
			text: trait + `spec: {schematic: {cue: {template: "patch: {}"}}, status: {healthPolicy: "isHealth: contxt.x"}}`,
			want: []string{`spec.status.healthPolicy: line 1:11: isHealth: refers to "contxt", which does not exist`},
		},
		"two words for the revision": {
			text: "kind: TraitDefinition\nmetadata: {name: t, annotations: {definitionrevision.oam.dev/name: \"1\"}}\nspec: {version: 1.2.3}",
			want: []string{`spec.version "1.2.3" and the annotation definitionrevision.oam.dev/name "1" both name the revision: keep one of them`},
		},
		"a version of two numbers": {
			text: trait + "spec: {version: \"1.2\"}",
			want: []string{`spec.version is "1.2", expected three numbers such as 1.2.3`},
		},
		"a revision name that no object can have": {
			text: "kind: TraitDefinition\nmetadata: {name: t, annotations: {definitionrevision.oam.dev/name: \"A b\"}}",
			want: []string{`the annotation definitionrevision.oam.dev/name is "A b", which makes "t-vA b" no name of an object: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`},
		},
		"a component without a workload": {
			text: "kind: ComponentDefinition\nmetadata: {name: c}\nspec: {workload: {}}",
			want: []string{"spec.workload: says no workload: write its definition (apiVersion and kind), or type: autodetects.core.oam.dev to take the kind from the output"},
		},
		"half a workload": {
			text: "kind: ComponentDefinition\nmetadata: {name: c}\nspec: {workload: {definition: {kind: Deployment}}}",
			want: []string{"spec.workload.definition: needs both an apiVersion and a kind"},
		},
		"a stage that does not exist": {
			text: trait + "spec: {stage: Later}",
			want: []string{`spec.stage: is "Later", expected PreDispatch, DefaultDispatch or PostDispatch`},
		},
		"a global policy that transforms nothing": {
			text:     "kind: PolicyDefinition\nmetadata: {name: p}\nspec: {global: true}",
			want:     []string{"spec.global: only a policy with scope: Application can apply to every Application"},
			warnings: nil,
		},
		"a priority without an order": {
			text:     "kind: PolicyDefinition\nmetadata: {name: p}\nspec: {priority: 3}",
			warnings: []string{"spec.priority: orders global policies only, and this one is none"},
		},
		"what newer CUE calls otherwise": {
			text:     trait + `spec: {schematic: {cue: {template: "patch: {}\nparameter: {}\nx: [1] + [2]\n"}}}`,
			warnings: []string{"spec.schematic.cue.template: line 3: lists are joined with list.Concat: list.Concat([[1], [2]])"},
		},
		"a step may import what only steps can": {
			text: `kind: WorkflowStepDefinition` + "\nmetadata: {name: s}\n" + `spec: {schematic: {cue: {template: "import \"vela/op\"\nx: op.#Suspend\nparameter: {}\n"}}}`,
		},
	}
	e := engines()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := check.Object(parse(t, tc.text), e)
			var got []string
			for _, err := range r.Errors {
				got = append(got, fault.Message(err))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.warnings, r.Warnings); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

// Of a Terraform module it is known what steers its delivery; all else is welcome.
func TestModules(t *testing.T) {
	r := check.Object(parse(t, "kind: ComponentDefinition\nmetadata: {name: c}\nspec: {workload: {definition: {apiVersion: terraform.core.oam.dev/v1beta2, kind: Configuration}}, schematic: {terraform: {configuration: git, type: remote}}}"), engines())
	if r.Err() != nil || r.Schema == nil || !r.Schema.Open || r.Schema.Properties["writeConnectionSecretToRef"].Required[0] != "name" {
		t.Errorf("schema = %+v, %v", r.Schema, r.Err())
	}
}

// What ships is in order, and its properties can be described.
func TestBuiltins(t *testing.T) {
	e := engines()
	for _, o := range definition.BuiltinObjects() {
		r := check.Object(o, e)
		if err := r.Err(); err != nil {
			t.Errorf("%s: %v", o.GetName(), fault.Message(err))
		}
		if r.Definition.Template != "" && r.Schema == nil {
			t.Errorf("%s has no schema", o.GetName())
		}
	}
}
