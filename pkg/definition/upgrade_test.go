package definition_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/test/golden"
)

func TestUpgradeFile(t *testing.T) {
	golden.Run(t, "testdata/upgrade/*.txtar", func(t *testing.T, in golden.Files) golden.Files {
		out, found, err := definition.UpgradeFile("in.cue", in["in.cue"])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := definition.ParseCUE("out.cue", out); err != nil {
			t.Errorf("ParseCUE() of the upgraded file error = %v", err)
		}
		if again, rest, err := definition.UpgradeFile("out.cue", out); err != nil || again != out || len(rest) > 0 {
			t.Errorf("UpgradeFile() of the upgraded file = %v, %v, and it changes: %v", rest, err, again != out)
		}
		var notes strings.Builder
		for _, o := range found {
			fmt.Fprintln(&notes, o)
		}
		return golden.Files{"want/out.cue": out, "want/notes": notes.String()}
	})
}

func TestUpgradeObject(t *testing.T) {
	trait := &v1beta1.TraitDefinition{}
	trait.Spec.Schematic = &v1beta1.Schematic{CUE: &v1beta1.CUE{Template: "patch: spec: args: [\"a\"] + parameter.more\nparameter: more: [...string]\n"}}
	trait.Spec.Status = &v1beta1.StatusRules{HealthPolicy: "isHealth: true"}
	found, err := definition.UpgradeObject(trait)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 || found[0].String() != `template line 1: lists are joined with list.Concat: list.Concat([["a"], parameter.more])` {
		t.Errorf("UpgradeObject() = %v", found)
	}
	want := "import \"list\"\n\npatch: spec: args: list.Concat([[\"a\"], parameter.more])\nparameter: more: [...string]\n"
	if diff := cmp.Diff(want, trait.Spec.Schematic.CUE.Template); diff != "" {
		t.Errorf("template mismatch (-want +got):\n%s", diff)
	}
	if trait.Spec.Status.HealthPolicy != "isHealth: true" {
		t.Errorf("healthPolicy = %q", trait.Spec.Status.HealthPolicy)
	}
}

// What ships is written in today's CUE.
func TestBuiltinDefinitionsAreModern(t *testing.T) {
	for _, obj := range definition.BuiltinObjects() {
		if found, err := definition.UpgradeObject(obj.DeepCopyObject()); err != nil || len(found) > 0 {
			t.Errorf("%T %s: %v, %v", obj, obj.GetName(), found, err)
		}
	}
}
