package patch_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
)

// A key that comes from a parameter with a default is a key.
func TestKeyWithDefault(t *testing.T) {
	tmpl, err := cue.NewEngine(cue.Options{}).Compile(cue.Source{Kind: "trait", Name: "mount", Text: `
		patch: {
			// +patchKey=name
			mounts: [{name: parameter.name, path: "/b"}]
		}
		parameter: name: *"work" | string
	`})
	if err != nil {
		t.Fatal(err)
	}
	res, err := tmpl.Eval(t.Context(), cue.Input{})
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := res.Patch()
	if err != nil {
		t.Fatal(err)
	}
	other := map[string]any{"name": "other", "path": "/a"}
	got, err := patch.Apply(map[string]any{"mounts": []any{other}}, p)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"mounts": []any{other, map[string]any{"name": "work", "path": "/b"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Apply() (-want +got):\n%s", diff)
	}
}

// A marker before a chain of fields belongs to the last of them.
func TestMergePatchBeforeChain(t *testing.T) {
	p := read(t, "// +patchStrategy=jsonMergePatch\npatch: spec: list: [{b: 2}, ...]")
	base := map[string]any{"spec": map[string]any{"list": []any{map[string]any{"a": int64(1)}, map[string]any{"c": int64(3)}}}}
	got, err := patch.Apply(base, p)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"spec": map[string]any{"list": []any{map[string]any{"a": int64(1), "b": int64(2)}, map[string]any{"c": int64(3)}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Apply() (-want +got):\n%s", diff)
	}
}
