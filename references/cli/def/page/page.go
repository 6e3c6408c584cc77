// Package page makes the reference of a definition: what it is for, an example,
// and its parameters. A Page is a value; it can be written for a terminal, as
// Markdown and as HTML.
package page

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/pkg/cue/schema"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/references/cli/def/author"
)

// A Page describes one definition.
type Page struct {
	Name        string
	Kind        definition.Kind
	Alias       string
	Description string
	Deprecated  bool
	Facts       []Fact
	Example     string // YAML of an Application
	Tables      []Table
}

// A Fact is something that users of a definition have to know.
type Fact struct{ Label, Value string }

// A Table lists the parameters of one object.
type Table struct {
	Path string // "" for the parameters themselves, or such as ports[].port
	Rows []Row
}

// A Row is one parameter.
type Row struct {
	Name, Description, Type string
	Required, Immutable     bool
	Default                 string
	Below                   string // path of the table that describes its parts
}

// Annotations and labels that describe a definition.
const (
	descriptionKey = "definition.oam.dev/description"
	aliasKey       = "definition.oam.dev/alias"
	deprecatedKey  = "custom.definition.oam.dev/deprecated"
)

// Of makes the page of a definition.
func Of(d definition.Definition, e author.Engines) (Page, error) {
	p := Page{Name: d.Name, Kind: d.Kind, Facts: facts(d)}
	if obj, ok := d.Object.(client.Object); ok {
		p.Alias, p.Description = obj.GetAnnotations()[aliasKey], obj.GetAnnotations()[descriptionKey]
		p.Deprecated = obj.GetLabels()[deprecatedKey] == "true"
	}
	if d.Terraform != nil {
		p.Tables = []Table{variables(d.Terraform)}
		return p, nil
	}
	s := &schema.Schema{Type: "object"}
	if d.Template != "" {
		t, err := e.Compile(d)
		if err != nil {
			return p, fmt.Errorf("%s definition %q does not compile: %w", d.Kind, d.Name, err)
		}
		if s, err = t.Schema(); err != nil {
			return p, fmt.Errorf("parameters of %s definition %q: %w", d.Kind, d.Name, err)
		}
		p.Example = example(d, author.Sample(s, author.Required))
	}
	w := walker{}
	w.object("", s)
	p.Tables = w.tables
	return p, nil
}

// facts are what is true of every use of a definition.
func facts(d definition.Definition) []Fact {
	var out []Fact
	add := func(label, value string) {
		if value != "" {
			out = append(out, Fact{label, value})
		}
	}
	if d.Kind == definition.Component {
		add("Workload", strings.TrimSpace(d.WorkloadAPIVersion+" "+d.WorkloadKind))
	}
	add("Applies to", strings.Join(d.AppliesTo, ", "))
	add("Conflicts with", strings.Join(d.ConflictsWith, ", "))
	add("Stage", d.Stage)
	if d.ControlPlaneOnly {
		add("Cluster", "its objects stay in the control plane")
	}
	if d.Terraform != nil {
		add("Terraform module", cmp.Or(string(d.Terraform.Type), "hcl"))
	}
	return out
}

// A walker makes a table of every object among the parameters.
type walker struct{ tables []Table }

func (w *walker) object(path string, s *schema.Schema) {
	at := len(w.tables)
	w.tables = append(w.tables, Table{Path: path})
	var below []func()
	for _, name := range s.Order {
		p := s.Properties[name]
		if p.Ignore {
			continue
		}
		row := Row{
			Name: name, Description: p.Description, Type: typeOf(p), Immutable: p.Immutable,
			Required: slices.Contains(s.Required, name), Default: shown(p.Default),
		}
		if p.Alias != "" {
			row.Description = strings.TrimSpace(p.Alias + ": " + p.Description)
		}
		inner, innerPath := nested(p, join(path, name))
		if len(inner) > 0 {
			row.Below = innerPath
			below = append(below, func() {
				for i, o := range inner {
					at := innerPath
					if len(inner) > 1 {
						at = fmt.Sprintf("%s (form %d)", innerPath, i+1)
					}
					w.object(at, o)
				}
			})
			if len(inner) > 1 {
				row.Below = innerPath + " (form 1)"
			}
		}
		w.tables[at].Rows = append(w.tables[at].Rows, row)
	}
	for _, f := range below {
		f()
	}
}

// nested returns the objects inside a parameter and what their table is called.
func nested(s *schema.Schema, path string) ([]*schema.Schema, string) {
	switch {
	case s.Items != nil:
		return nested(s.Items, path+"[]")
	case s.AdditionalProperties != nil:
		return nested(s.AdditionalProperties, path+".*")
	case len(s.OneOf) > 0:
		var out []*schema.Schema
		for _, f := range s.OneOf {
			if len(f.Order) > 0 {
				out = append(out, f)
			}
		}
		return out, path
	case len(s.Order) > 0:
		return []*schema.Schema{s}, path
	}
	return nil, path
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// typeOf says in a few words what a parameter takes.
func typeOf(s *schema.Schema) string {
	switch {
	case len(s.Enum) > 0:
		var values []string
		for _, v := range s.Enum {
			values = append(values, shown(v))
		}
		return strings.Join(values, " or ")
	case len(s.OneOf) > 0:
		var forms []string
		for _, f := range s.OneOf {
			if t := typeOf(f); !slices.Contains(forms, t) {
				forms = append(forms, t)
			}
		}
		return strings.Join(forms, " or ")
	case s.Type == "array" && s.Items != nil:
		return "list of " + typeOf(s.Items)
	case s.AdditionalProperties != nil:
		return "map of " + typeOf(s.AdditionalProperties)
	}
	words := map[string]string{"integer": "int", "boolean": "bool", "array": "list", "": "any"}
	return cmp.Or(words[s.Type], s.Type) + bounds(s)
}

func bounds(s *schema.Schema) string {
	var out []string
	if s.Minimum != nil {
		out = append(out, map[bool]string{true: ">", false: ">="}[s.ExclusiveMinimum]+fmt.Sprint(*s.Minimum))
	}
	if s.Maximum != nil {
		out = append(out, map[bool]string{true: "<", false: "<="}[s.ExclusiveMaximum]+fmt.Sprint(*s.Maximum))
	}
	if s.Pattern != "" {
		out = append(out, "like "+s.Pattern)
	}
	if len(out) == 0 {
		return ""
	}
	return " " + strings.Join(out, " ")
}

// shown writes a value as one word.
func shown(v any) string {
	if v == nil {
		return ""
	}
	if s, ok := v.(string); ok && s != "" {
		return s
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(b.String())
}
