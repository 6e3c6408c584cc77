package blueprint_test

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
	"github.com/seed-c5f95f19/vela/pkg/test/golden"
)

// Every mistake that can be seen before rendering, and what the user reads. A
// file named "strict" asks for strict checks.
func TestMistakes(t *testing.T) {
	defs, err := definition.FromFiles("testdata/defs")
	if err != nil {
		t.Fatal(err)
	}
	engine := cue.NewEngine(cue.Options{})
	golden.Run(t, "testdata/errors/*.txtar", func(t *testing.T, in golden.Files) golden.Files {
		app := &v1beta1.Application{}
		if err := yaml.UnmarshalStrict([]byte(in["app.yaml"]), app); err != nil {
			t.Fatal(err)
		}
		_, strict := in["strict"]
		var b blueprint.Blueprint
		d, err := blueprint.Parse(t.Context(), app, build.References{})
		if err == nil {
			b, err = blueprint.Resolve(t.Context(), d, defs, blueprint.Options{Components: engine, Steps: engine, Strict: strict})
		}
		var out strings.Builder
		for _, e := range fault.List(err) {
			retry := "retry"
			if fault.Terminal(e) {
				retry = "final"
			}
			out.WriteString(fault.Reason(e) + " " + retry + "\n\t" + fault.Message(e) + "\n")
		}
		for _, w := range b.Warnings {
			out.WriteString("warning\n\t" + w + "\n")
		}
		return golden.Files{"want.txt": out.String()}
	})
}
