package cue_test

import (
	"testing"

	"github.com/seed-c5f95f19/vela/pkg/cue"
)

// What is required can depend on a property further out, and a default on the
// context; neither is a mistake of the user.
func TestCheckSeesTheWholeParameter(t *testing.T) {
	tmpl, err := cue.NewEngine(cue.Options{}).Compile(cue.Source{Kind: "trait", Name: "mount", Text: `
		parameter: {
			mode: *"file" | string
			target: name: *context.name | string
			mounts: [...{
				if mode == "file" {path: string}
				if mode == "block" {device: string}
			}]
		}
	`})
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		mode, field string
		wrong       bool
	}{
		"the field of the default mode":   {"", "path", false},
		"the field of another mode":       {"block", "device", false},
		"the field of the mode it is not": {"block", "path", true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			properties := map[string]any{"mounts": []any{map[string]any{tc.field: "/x"}}, "target": map[string]any{}}
			if tc.mode != "" {
				properties["mode"] = tc.mode
			}
			if err := tmpl.Check(properties); (err != nil) != tc.wrong {
				t.Errorf("Check(%v) = %v", properties, err)
			}
		})
	}
}
