package page

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

// aDefinition matches the head of what a package offers.
var aDefinition = regexp.MustCompile(`(?m)^(#[A-Za-z]\w*):`)

// Provider makes the page of a package that templates import: a table for the
// parameters of everything that it offers, and one for what comes back.
func Provider(s provider.Schema) (Page, error) {
	p := Page{Name: s.Path, Kind: "package"}
	engine := cue.NewEngine(cue.Options{Packages: []provider.Schema{s}})
	var names []string
	for _, m := range aDefinition.FindAllStringSubmatch(s.Text, -1) {
		if !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	p.Facts = []Fact{{"Import", fmt.Sprintf("%q", s.Path)}, {"Offers", strings.Join(names, ", ")}}
	for _, name := range names {
		found := 0
		for _, field := range []string{".$params", ".$returns", ""} {
			if field == "" && found > 0 {
				continue // only packages of the flat dialect have all in one
			}
			described, err := part(engine, s, name, field)
			if err != nil {
				return p, err
			}
			if described != nil {
				found++
				p.Tables = append(p.Tables, described.tables...)
			}
		}
	}
	return p, nil
}

// part describes one field of a definition, nil when it has no such field.
func part(engine *cue.Engine, s provider.Schema, name, field string) (*walker, error) {
	t, err := engine.Compile(cue.Source{Kind: "package", Name: s.Path, Text: fmt.Sprintf("%s\nparameter: %s%s\n", s.Text, name, field)})
	if err != nil {
		if field != "" {
			return nil, nil // the definition has no such field
		}
		return nil, fmt.Errorf("package %q: %s: %w", s.Path, name, err)
	}
	d, err := t.Schema()
	if err != nil {
		return nil, fmt.Errorf("package %q: %s: %w", s.Path, name, err)
	}
	for _, hidden := range []string{"#do", "#provider"} {
		delete(d.Properties, hidden)
	}
	if len(d.Order) == 0 && field != "" {
		return nil, nil
	}
	out := &walker{}
	out.object(name+field, d)
	return out, nil
}
