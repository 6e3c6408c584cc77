package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/schema"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/references/cli/def/author"
)

// A part is what one definition takes.
type part struct {
	kind        definition.Kind
	name        string
	description string
	schema      map[string]any // of the properties, without what must be given
	required    []any          // properties that must be given
}

func (p part) key() string { return string(p.kind) + "." + p.name }

// describe makes the schemas of definitions. What has none takes everything,
// and is told.
func describe(defs []definition.Definition, e author.Engines) (parts []part, warnings []string) {
	for _, d := range defs {
		p := part{kind: d.Kind, name: d.Name, schema: map[string]any{"type": "object"}}
		if obj, ok := d.Object.(client.Object); ok {
			p.description = obj.GetAnnotations()["definition.oam.dev/description"]
		}
		if strings.TrimSpace(d.Template) != "" {
			if err := p.fill(d, e); err != nil {
				warnings = append(warnings, fmt.Sprintf("%s %q takes everything: %s", d.Kind, d.Name, err))
			}
		}
		parts = append(parts, p)
	}
	return parts, warnings
}

func (p *part) fill(d definition.Definition, e author.Engines) error {
	t, err := e.Compile(d)
	if err != nil {
		return err
	}
	s, err := t.Schema()
	if err != nil {
		return err
	}
	out := s.JSONSchema()
	depends := dynamic(d.Template)
	switch {
	case depends.top || depends.forms || !t.HasParameter():
		out = relax(out).(map[string]any)
	case depends.inside:
		closed := out["additionalProperties"]
		out = relax(out).(map[string]any)
		if closed == false {
			out["additionalProperties"] = false
		}
	default:
		out = reconcile(out).(map[string]any)
	}
	delete(out, "required") // inputs may bring it, so it is said where the component is
	if !depends.forms {
		p.required = needed(t, s)
	}
	if p.description != "" {
		out["description"] = p.description
	}
	p.schema = out
	return nil
}

// needed are the parameters that the template really asks for: it is given all
// of them, and then all but one.
func needed(t *cue.Template, s *schema.Schema) []any {
	all := author.Sample(s, author.Everything)
	if t.Check(all) != nil {
		return nil // the sample proves nothing
	}
	var out []any
	for _, name := range s.Required {
		without := maps.Clone(all)
		delete(without, name)
		if t.Check(without) != nil {
			out = append(out, name)
		}
	}
	return out
}

// A dependence says where parameters depend on each other, so that a schema
// cannot say which are allowed.
type dependence struct {
	top    bool // some parameters are there only sometimes
	inside bool // parts of some parameters are
	forms  bool // all of them are one of several forms, or come from elsewhere
}

func dynamic(template string) (out dependence) {
	f, err := parser.ParseFile("template", template)
	if err != nil {
		return dependence{forms: true}
	}
	for _, d := range f.Decls {
		field, ok := d.(*ast.Field)
		if !ok {
			continue
		}
		name, _, err := ast.LabelName(field.Label)
		if err != nil || name != "parameter" && !strings.HasPrefix(name, "#") {
			continue
		}
		if s, ok := field.Value.(*ast.StructLit); ok && name == "parameter" {
			out.top = out.top || slices.ContainsFunc(s.Elts, sometimes)
		} else if name == "parameter" {
			out.forms = true
		}
		ast.Walk(field.Value, func(n ast.Node) bool {
			if d, ok := n.(ast.Decl); ok && sometimes(d) {
				out.inside = true
			}
			return !out.inside
		}, nil)
	}
	return out
}

// sometimes reports whether a part of a struct is there only sometimes, or comes
// from elsewhere.
func sometimes(d ast.Decl) bool {
	switch d.(type) {
	case *ast.Comprehension, *ast.EmbedDecl:
		return true
	}
	return false
}

// relax lets every object take more than it declares, and less.
func relax(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = relax(e)
		}
		if v["additionalProperties"] == false {
			delete(v, "additionalProperties")
		}
		if _, list := v["required"].([]any); list {
			delete(v, "required")
		}
	case []any:
		for i, e := range v {
			v[i] = relax(e)
		}
	}
	return v
}

// reconcile relaxes the objects that have properties of their own beside those
// of several forms: each form would refuse the others.
func reconcile(v any) any {
	switch v := v.(type) {
	case map[string]any:
		_, forms := v["anyOf"]
		_, own := v["properties"]
		if _, byDefault := v["default"]; byDefault && !own && v["type"] == "object" {
			delete(v, "additionalProperties") // *{} | {...}
		}
		if own && forms {
			return relax(v)
		}
		for k, e := range v {
			v[k] = reconcile(e)
		}
	case []any:
		for i, e := range v {
			v[i] = reconcile(e)
		}
	}
	return v
}
