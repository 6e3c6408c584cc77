package page

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/schema"
)

// aDefinition matches the head of what a package offers.
var aDefinition = regexp.MustCompile(`(?m)^(#[A-Za-z]\w*):`)

// Provider makes the page of a package that templates import: a table for the
// parameters of everything that it offers, and one for what comes back.
func Provider(s provider.Schema) (Page, error) {
	p := Page{Name: s.Path, Kind: "package"}
	var names []string
	for _, m := range aDefinition.FindAllStringSubmatch(s.Text, -1) {
		if !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	p.Facts = []Fact{{"Import", fmt.Sprintf("%q", s.Path)}, {"Offers", strings.Join(names, ", ")}}
	all, err := parts(s, names)
	if err != nil {
		return p, err
	}
	for _, name := range names {
		d := all.Properties[strings.TrimPrefix(name, "#")]
		if d == nil {
			continue // hidden
		}
		w := walker{}
		params, returns := d.Properties["$params"], d.Properties["$returns"]
		if params == nil && returns == nil {
			w.object(name, d) // the flat dialect has all in one
		}
		if params != nil {
			w.object(name+".$params", params)
		}
		if returns != nil && len(returns.Order) > 0 {
			w.object(name+".$returns", returns)
		}
		p.Tables = append(p.Tables, w.tables...)
	}
	return p, nil
}

// parts describes everything that a package offers, in one compilation.
func parts(s provider.Schema, names []string) (*schema.Schema, error) {
	var text strings.Builder
	fmt.Fprintf(&text, "%s\nparameter: {\n", s.Text)
	for _, name := range names {
		fmt.Fprintf(&text, "\t%s: %s\n", strings.TrimPrefix(name, "#"), name)
	}
	text.WriteString("}\n")
	engine := cue.NewEngine(cue.Options{Packages: []provider.Schema{s}})
	t, err := engine.Compile(cue.Source{Kind: "package", Name: s.Path, Text: text.String()})
	if err != nil {
		return nil, fmt.Errorf("package %q: %w", s.Path, err)
	}
	d, err := t.Schema()
	if err != nil {
		return nil, fmt.Errorf("package %q: %w", s.Path, err)
	}
	return d, nil
}
