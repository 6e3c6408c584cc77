package definition_test

import (
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/test/golden"
)

// What policies accept: their templates are empty, what they do is in Go. An
// archive has properties under properties/; the output is what they become with
// the defaults, or what is wrong with them.
func TestBuiltinPolicies(t *testing.T) {
	r := newRenderer(t)
	golden.Run(t, "builtin/policy/*/*.txtar", func(t *testing.T, in golden.Files) golden.Files {
		out := golden.Files{}
		for _, name := range in.Under("properties") {
			var policy struct {
				Type       string         `json:"type"`
				Properties map[string]any `json:"properties"`
			}
			if err := yaml.UnmarshalStrict([]byte(in["properties/"+name]), &policy); err != nil {
				t.Fatal(err)
			}
			d, err := r.defs.Get(t.Context(), "", definition.Ref{Kind: definition.Policy, Name: policy.Type})
			if err != nil {
				t.Fatal(err)
			}
			tmpl, err := r.engine.Compile(cue.Source{Kind: "policy", Name: policy.Type, Text: d.Template})
			if err != nil {
				t.Fatal(err)
			}
			if err := tmpl.Check(policy.Properties); err != nil {
				out["want/"+name] = text(t, map[string]any{"wrong": err.Error()})
				continue
			}
			res := r.eval(t, definition.Policy, policy.Type, cue.Input{Parameter: policy.Properties, ReadOnly: true})
			parameter, _, err := res.Lookup("parameter")
			if err != nil {
				t.Fatal(err)
			}
			out["want/"+name] = text(t, parameter)
		}
		return out
	})
}
