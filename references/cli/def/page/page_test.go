package page_test

import (
	"bytes"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/references/cli/def/author"
	"github.com/seed-c5f95f19/vela/references/cli/def/page"
)

// The example on every page has to be accepted as it stands.
func TestExamplesResolve(t *testing.T) {
	builtin, err := definition.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	defs, err := builtin.All()
	if err != nil {
		t.Fatal(err)
	}
	engines := author.NewEngines(nil)
	for _, d := range defs {
		if d.Name == "ref-objects" {
			continue // what it refers to is in a cluster
		}
		t.Run(string(d.Kind)+"/"+d.Name, func(t *testing.T) {
			p, err := page.Of(d, engines)
			if err != nil {
				t.Fatal(err)
			}
			var app v1beta1.Application
			if err := yaml.UnmarshalStrict([]byte(p.Example), &app); err != nil {
				t.Fatalf("%v:\n%s", err, p.Example)
			}
			draft, err := blueprint.Parse(t.Context(), &app, nil)
			if err == nil {
				_, err = blueprint.Resolve(t.Context(), draft, builtin, blueprint.Options{Components: engines.Definitions, Steps: engines.Steps, Strict: true})
			}
			if err != nil {
				t.Errorf("%s\n%s", fault.Message(err), p.Example)
			}
		})
	}
}

// Every package that templates can import has a page with what it offers.
func TestProviders(t *testing.T) {
	for _, s := range append(all.WorkflowSchemas(), all.DefinitionSchemas()...) {
		t.Run(s.Path, func(t *testing.T) {
			p, err := page.Provider(s)
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Tables) == 0 {
				t.Errorf("package %s offers nothing", s.Path)
			}
		})
	}
}

// A page on the web shows every row and leads to every table, and what authors
// write is text there and nothing else.
func TestHTML(t *testing.T) {
	p := page.Page{
		Name: "thing", Kind: definition.Component, Description: "<script>alert(1)</script>",
		Tables: []page.Table{
			{Rows: []page.Row{{Name: "ports", Type: "list of object", Below: "ports[]"}}},
			{Path: "ports[]", Rows: []page.Row{{Name: "port", Type: "int", Required: true}}},
		},
	}
	var out bytes.Buffer
	if err := page.HTML(&out, "Things", []page.Page{p}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<title>Things</title>`, `href="#component-thing-ports"`, `id="component-thing-ports"`,
		`<td><code>port</code></td><td>int</td><td>yes</td>`, `&lt;script&gt;`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if strings.Contains(out.String(), "<script>") {
		t.Error("a description became a script")
	}
}
