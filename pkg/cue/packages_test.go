package cue_test

import (
	"strings"
	"testing"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

// Packages come and go. Templates that import one follow it; the others keep
// their digest, so that nothing that was rendered of them is rendered again.
func TestSetPackages(t *testing.T) {
	e := cue.NewEngine(cue.Options{Packages: []provider.Schema{{Path: "vela/base", Text: "#A: 1"}}})
	source := func(text string) cue.Source { return cue.Source{Kind: "component", Name: "x", Text: text} }
	importer := source("import \"ext/foo\"\noutput: {apiVersion: \"v1\", kind: foo.#Kind}")
	other := source("import \"vela/base\"\noutput: a: base.#A")
	kind := func() string {
		t.Helper()
		tmpl, err := e.Compile(importer)
		if err != nil {
			return err.Error()
		}
		res, err := tmpl.Eval(t.Context(), cue.Input{})
		if err != nil {
			return err.Error()
		}
		kind, _, err := res.String("output.kind")
		if err != nil {
			return err.Error()
		}
		return kind
	}
	if got := kind(); !strings.Contains(got, `imports "ext/foo", which does not exist here`) {
		t.Errorf("without the package: %s", got)
	}
	untouched, err := e.Compile(other)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"One", "Two"} {
		e.SetPackages([]provider.Schema{{Path: "ext/foo", Text: `import "ext/bar"` + "\n#Kind: bar.kind"}, {Path: "ext/bar", Text: `kind: "` + want + `"`}})
		if got := kind(); got != want {
			t.Errorf("kind = %s, want %s", got, want)
		}
	}
	if now, err := e.Compile(other); err != nil || now != untouched || e.Digest(other) != untouched.Digest() {
		t.Errorf("a template that imports none of it was compiled again (%v)", err)
	}
	e.SetPackages([]provider.Schema{{Path: "ext/foo", Text: "#Kind: ]"}})
	if got := kind(); !strings.Contains(got, `imports "ext/foo", which does not compile: expected operand`) {
		t.Errorf("with a broken package: %s", got)
	}
	if _, err := e.Compile(source("import \"vela/base\"\noutput: b: base.#A")); err != nil {
		t.Errorf("a broken package breaks who does not import it: %v", err)
	}
	e.SetPackages([]provider.Schema{{Path: "vela/base", Text: "#A: 2"}})
	if now, err := e.Compile(other); err != nil || now != untouched {
		t.Errorf("a package that the engine was made with was replaced (%v)", err)
	}
	e.SetPackages(nil)
	if got := kind(); !strings.Contains(got, "does not exist here") {
		t.Errorf("after the package is gone: %s", got)
	}
}
