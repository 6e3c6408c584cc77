package schema

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Field is one element of a form: what KubeVela calls a UI parameter. The JSON
// is that of its UI schemas, which users write and store too.
type Field struct {
	JSONKey     string      `json:"jsonKey"`
	Label       string      `json:"label"`
	Description string      `json:"description,omitempty"`
	UIType      string      `json:"uiType"`
	Sort        uint        `json:"sort"`
	Style       *Style      `json:"style,omitempty"`
	Disable     *bool       `json:"disable,omitempty"`
	Validate    *Validate   `json:"validate,omitempty"`
	Conditions  []Condition `json:"conditions,omitempty"`

	SubParameters []Field `json:"subParameters,omitempty"`
	// SubParameterGroupOption are alternative groups of keys.
	SubParameterGroupOption []GroupOption `json:"subParameterGroupOption,omitempty"`
	// Additional says that further keys are welcome; each has the form of
	// AdditionalParameter.
	Additional          *bool  `json:"additional,omitempty"`
	AdditionalParameter *Field `json:"additionalParameter,omitempty"`
}

// Style is how a field is laid out.
type Style struct {
	ColSpan int `json:"colSpan"`
}

// Validate is what a form checks before it is sent.
type Validate struct {
	Required     bool     `json:"required,omitempty"`
	Max          *float64 `json:"max,omitempty"`
	MaxLength    *uint64  `json:"maxLength,omitempty"`
	Min          *float64 `json:"min,omitempty"`
	MinLength    uint64   `json:"minLength,omitempty"`
	Pattern      string   `json:"pattern,omitempty"`
	Options      []Choice `json:"options,omitempty"`
	DefaultValue any      `json:"defaultValue,omitempty"`
	Immutable    bool     `json:"immutable"`
}

// A Choice is one value of a closed list.
type Choice struct {
	Label string `json:"label"`
	Value any    `json:"value"`
}

// A Condition shows or hides a field depending on another one.
type Condition struct {
	JSONKey string `json:"jsonKey"`
	Op      string `json:"op,omitempty"` // ==, != or in
	Value   any    `json:"value"`
	Action  string `json:"action,omitempty"` // enable or disable
}

// A GroupOption is one group of keys that belong together.
type GroupOption struct {
	Label string   `json:"label"`
	Keys  []string `json:"keys"`
}

// firstSort leaves room for custom fields before the generated ones.
const firstSort = 100

// Form describes the properties of an object as a form: what must be given comes
// first, then what is small, then what has parts of its own.
func (s *Schema) Form() []Field {
	var out []Field
	for name, p := range s.Properties {
		out = append(out, field(name, p, slices.Contains(s.Required, name)))
	}
	slices.SortFunc(out, func(a, b Field) int {
		if a.Validate.Required != b.Validate.Required {
			if a.Validate.Required {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(len(a.SubParameters), len(b.SubParameters)),
			cmp.Compare(a.Label, b.Label), cmp.Compare(a.JSONKey, b.JSONKey))
	})
	for i := range out {
		out[i].Sort = firstSort + uint(i)
	}
	return out
}

func field(name string, s *Schema, required bool) Field {
	f := Field{
		JSONKey: name, Label: cmp.Or(s.Alias, title(name)), Description: s.Description, UIType: widget(s), Sort: firstSort,
		Validate: &Validate{
			Required: required, Min: s.Minimum, Max: s.Maximum, Pattern: s.Pattern,
			DefaultValue: s.Default, Immutable: s.Immutable,
		},
	}
	for _, v := range s.Enum {
		f.Validate.Options = append(f.Validate.Options, Choice{Label: title(fmt.Sprint(v)), Value: v})
	}
	if s.Ignore {
		hidden := true
		f.Disable = &hidden
	}
	switch {
	case s.Items != nil:
		f.SubParameters = s.Items.Form()
	case len(s.Properties) > 0:
		f.SubParameters = s.Form()
	case s.AdditionalProperties != nil:
		more, each := true, field("", s.AdditionalProperties, false)
		f.SubParameters, f.Additional, f.AdditionalParameter = s.AdditionalProperties.Form(), &more, &each
	case len(s.OneOf) > 0:
		f.SubParameters, f.SubParameterGroupOption = alternatives(s.OneOf)
	}
	return f
}

// alternatives puts the properties of all forms of an object into one form, with
// a group for each.
func alternatives(forms []*Schema) ([]Field, []GroupOption) {
	all := &Schema{Properties: map[string]*Schema{}}
	var groups []GroupOption
	for _, f := range forms {
		if len(f.Properties) == 0 {
			continue
		}
		for name, p := range f.Properties {
			if _, ok := all.Properties[name]; !ok {
				all.Properties[name] = p
			}
		}
		groups = append(groups, GroupOption{Label: title(strings.Join(f.Order, ", ")), Keys: f.Order})
	}
	return all.Form(), groups
}

// widget is the default element for a type.
func widget(s *Schema) string {
	switch s.Type {
	case "string":
		if len(s.Enum) > 0 {
			return "Select"
		}
	case "number", "integer":
		return "Number"
	case "boolean":
		return "Switch"
	case "array":
		switch {
		case s.Items == nil:
		case s.Items.Type == "string":
			return "Strings"
		case s.Items.Type == "number", s.Items.Type == "integer":
			return "Numbers"
		}
		return "Structs"
	case "object":
		if len(s.Properties) > 0 {
			return "Group"
		}
		return "KV"
	case "":
		if slices.ContainsFunc(s.OneOf, func(f *Schema) bool { return len(f.Properties) > 0 }) {
			return "Group"
		}
	}
	return "Input"
}

func title(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return ""
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

// Customize returns form with the fields that custom changes, in the order of
// their sort numbers. What custom does not say stays; fields that the form does
// not have are left out, because no property would take their value.
func Customize(form, custom []Field) []Field {
	if len(form) == 0 {
		return custom
	}
	byKey := map[string]Field{}
	for _, c := range custom {
		byKey[c.JSONKey] = c
	}
	out := slices.Clone(form)
	for i, f := range out {
		if c, ok := byKey[f.JSONKey]; ok {
			out[i] = f.with(c)
		}
	}
	slices.SortStableFunc(out, func(a, b Field) int { return cmp.Compare(a.Sort, b.Sort) })
	return out
}

func (f Field) with(c Field) Field {
	f.Label = cmp.Or(c.Label, f.Label)
	f.Description = cmp.Or(c.Description, f.Description)
	f.UIType = cmp.Or(c.UIType, f.UIType)
	f.Sort = cmp.Or(c.Sort, f.Sort)
	f.Style = cmp.Or(c.Style, f.Style)
	f.Disable = cmp.Or(c.Disable, f.Disable)
	f.Validate = cmp.Or(c.Validate, f.Validate)
	f.Additional = cmp.Or(c.Additional, f.Additional)
	f.AdditionalParameter = cmp.Or(c.AdditionalParameter, f.AdditionalParameter)
	if c.Conditions != nil {
		f.Conditions = c.Conditions
	}
	if c.SubParameterGroupOption != nil {
		f.SubParameterGroupOption = c.SubParameterGroupOption
	}
	if c.SubParameters != nil {
		f.SubParameters = Customize(f.SubParameters, c.SubParameters)
	}
	return f
}

// ParseForm reads a UI schema that a user wrote.
func ParseForm(data []byte) ([]Field, error) {
	var out []Field
	if err := json.Unmarshal(data, &out); err != nil {
		return nil, fmt.Errorf("the UI schema is no list of fields: %w", err)
	}
	return out, nil
}
