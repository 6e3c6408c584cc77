package schema

import (
	"encoding/json"
	"maps"
	"slices"
)

// OpenAPI returns the schema in the form that KubeVela stores: OpenAPI v3, where
// the title of a property is its name. The x-vela fields stay in it.
func (s *Schema) OpenAPI() map[string]any { return dialect{titles: true}.of(s, "") }

// JSONSchema returns the schema in the form that editors read: JSON Schema, draft
// 7. An object that does not say otherwise takes no further properties, so that
// an editor finds misspelled ones.
func (s *Schema) JSONSchema() map[string]any { return dialect{draft7: true}.of(s, "") }

// A dialect is one way to write a Schema down.
type dialect struct{ titles, draft7 bool }

func (d dialect) of(s *Schema, name string) map[string]any {
	out := d.plain(s)
	if d.titles && name != "" {
		out["title"] = name
	}
	if len(s.Properties) > 0 {
		props := map[string]any{}
		for name, p := range s.Properties {
			props[name] = d.of(p, name)
		}
		out["properties"] = props
	}
	if s.Items != nil {
		out["items"] = d.of(s.Items, "")
	}
	if len(s.OneOf) > 0 {
		forms := make([]any, len(s.OneOf))
		for i, f := range s.OneOf {
			forms[i] = d.of(f, "")
		}
		if d.draft7 { // several forms may fit at once: CUE takes the first
			delete(out, "oneOf")
			out["anyOf"] = forms
		} else {
			out["oneOf"] = forms
		}
	}
	switch {
	case s.AdditionalProperties != nil:
		out["additionalProperties"] = d.of(s.AdditionalProperties, "")
	case s.Open:
		out["additionalProperties"] = true
	case d.draft7 && s.Type == "object":
		out["additionalProperties"] = false
	}
	if d.draft7 {
		d.modern(s, out)
	}
	return out
}

// plain writes what does not contain other schemas.
func (d dialect) plain(s *Schema) map[string]any {
	flat := *s
	flat.Properties, flat.AdditionalProperties, flat.Items, flat.OneOf = nil, nil, nil, nil
	data, err := json.Marshal(&flat)
	out := map[string]any{}
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	if err != nil { // a default that JSON cannot say
		return map[string]any{"type": s.Type, "description": s.Description}
	}
	return out
}

// modern replaces what JSON Schema says in another way than OpenAPI.
func (d dialect) modern(s *Schema, out map[string]any) {
	maps.DeleteFunc(out, func(key string, _ any) bool {
		return key == "nullable" || len(key) > 2 && key[:2] == "x-"
	})
	if s.Nullable && s.Type != "" {
		out["type"] = []any{s.Type, "null"}
		if len(s.Enum) > 0 {
			out["enum"] = append(slices.Clone(s.Enum), nil)
		}
	}
	if s.ExclusiveMinimum && s.Minimum != nil {
		delete(out, "minimum")
		out["exclusiveMinimum"] = *s.Minimum
	}
	if s.ExclusiveMaximum && s.Maximum != nil {
		delete(out, "maximum")
		out["exclusiveMaximum"] = *s.Maximum
	}
	if s.Format == "byte" {
		delete(out, "format")
		out["contentEncoding"] = "base64"
	}
}
