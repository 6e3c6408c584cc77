package schema_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/schema"
)

func schemaOf(t *testing.T, parameter string) *schema.Schema {
	t.Helper()
	tmpl, err := cue.NewEngine(cue.Options{}).Compile(cue.Source{Kind: "component", Name: "test", Text: "parameter: " + parameter})
	if err != nil {
		t.Fatal(err)
	}
	s, err := tmpl.Schema()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON compares what v is in JSON with the text.
func asJSON(t *testing.T, v any, want string) {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var g, w any
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("JSON mismatch (-want +got):\n%s\n%s", diff, data)
	}
}

const ported = `{
	// +usage=Image to run
	image: string
	seconds: *30 | >=1 & <=3599 & int
	// +immutable
	class: *"fast" | "slow"
	// +ignore
	secret?: bool
	ports?: [...{port: int, name?: string}]
	labels?: [string]: string
	raw?: {...}
	note?: null | string
}`

func TestOpenAPI(t *testing.T) {
	asJSON(t, schemaOf(t, ported).OpenAPI(), `{
		"type": "object", "required": ["image"],
		"x-vela-order": ["image", "seconds", "class", "secret", "ports", "labels", "raw", "note"],
		"properties": {
			"image": {"title": "image", "type": "string", "description": "Image to run"},
			"seconds": {"title": "seconds", "type": "integer", "default": 30, "minimum": 1, "maximum": 3599},
			"class": {"title": "class", "type": "string", "default": "fast", "enum": ["fast", "slow"], "x-vela-immutable": true},
			"secret": {"title": "secret", "type": "boolean", "x-vela-ignore": true},
			"ports": {"title": "ports", "type": "array", "items": {"type": "object", "required": ["port"], "x-vela-order": ["port", "name"],
				"properties": {"port": {"title": "port", "type": "integer"}, "name": {"title": "name", "type": "string"}}}},
			"labels": {"title": "labels", "type": "object", "additionalProperties": {"type": "string"}},
			"raw": {"title": "raw", "type": "object", "additionalProperties": true, "x-vela-open": true},
			"note": {"title": "note", "type": "string", "nullable": true}}}`)
}

func TestJSONSchema(t *testing.T) {
	asJSON(t, schemaOf(t, ported).JSONSchema(), `{
		"type": "object", "required": ["image"], "additionalProperties": false,
		"properties": {
			"image": {"type": "string", "description": "Image to run"},
			"seconds": {"type": "integer", "default": 30, "minimum": 1, "maximum": 3599},
			"class": {"type": "string", "default": "fast", "enum": ["fast", "slow"]},
			"secret": {"type": "boolean"},
			"ports": {"type": "array", "items": {"type": "object", "required": ["port"], "additionalProperties": false,
				"properties": {"port": {"type": "integer"}, "name": {"type": "string"}}}},
			"labels": {"type": "object", "additionalProperties": {"type": "string"}},
			"raw": {"type": "object", "additionalProperties": true},
			"note": {"type": ["string", "null"]}}}`)
	asJSON(t, schemaOf(t, `{q?: >0 & <1, s: close({git: string}) | close({oci: string})}`).JSONSchema(), `{
		"type": "object", "required": ["s"], "additionalProperties": false, "properties": {
			"q": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
			"s": {"anyOf": [
				{"type": "object", "required": ["git"], "additionalProperties": false, "properties": {"git": {"type": "string"}}},
				{"type": "object", "required": ["oci"], "additionalProperties": false, "properties": {"oci": {"type": "string"}}}]}}}`)
}

func TestForm(t *testing.T) {
	form := schemaOf(t, ported).Form()
	asJSON(t, form, `[
		{"jsonKey": "image", "label": "Image", "description": "Image to run", "uiType": "Input", "sort": 100, "validate": {"required": true, "immutable": false}},
		{"jsonKey": "class", "label": "Class", "uiType": "Select", "sort": 101, "validate": {"immutable": true, "defaultValue": "fast",
			"options": [{"label": "Fast", "value": "fast"}, {"label": "Slow", "value": "slow"}]}},
		{"jsonKey": "labels", "label": "Labels", "uiType": "KV", "sort": 102, "validate": {"immutable": false}, "additional": true,
			"additionalParameter": {"jsonKey": "", "label": "", "uiType": "Input", "sort": 100, "validate": {"immutable": false}}},
		{"jsonKey": "note", "label": "Note", "uiType": "Input", "sort": 103, "validate": {"immutable": false}},
		{"jsonKey": "raw", "label": "Raw", "uiType": "KV", "sort": 104, "validate": {"immutable": false}},
		{"jsonKey": "seconds", "label": "Seconds", "uiType": "Number", "sort": 105, "validate": {"immutable": false, "min": 1, "max": 3599, "defaultValue": 30}},
		{"jsonKey": "secret", "label": "Secret", "uiType": "Switch", "sort": 106, "disable": true, "validate": {"immutable": false}},
		{"jsonKey": "ports", "label": "Ports", "uiType": "Structs", "sort": 107, "validate": {"immutable": false}, "subParameters": [
			{"jsonKey": "port", "label": "Port", "uiType": "Number", "sort": 100, "validate": {"required": true, "immutable": false}},
			{"jsonKey": "name", "label": "Name", "uiType": "Input", "sort": 101, "validate": {"immutable": false}}]}]`)

	custom, err := schema.ParseForm([]byte(`[
		{"jsonKey": "seconds", "sort": 1, "uiType": "Input", "conditions": [{"jsonKey": "class", "op": "==", "value": "slow", "action": "enable"}]},
		{"jsonKey": "ports", "subParameters": [{"jsonKey": "name", "label": "Port name", "sort": 1}]},
		{"jsonKey": "gone", "uiType": "Input"}]`))
	if err != nil {
		t.Fatal(err)
	}
	merged := schema.Customize(form, custom)
	var keys []string
	for _, f := range merged {
		keys = append(keys, f.JSONKey)
	}
	if diff := cmp.Diff([]string{"seconds", "image", "class", "labels", "note", "raw", "secret", "ports"}, keys); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	asJSON(t, merged[0], `{"jsonKey": "seconds", "label": "Seconds", "uiType": "Input", "sort": 1, "validate": {"immutable": false, "min": 1, "max": 3599, "defaultValue": 30},
		"conditions": [{"jsonKey": "class", "op": "==", "value": "slow", "action": "enable"}]}`)
	asJSON(t, merged[7].SubParameters[0], `{"jsonKey": "name", "label": "Port name", "uiType": "Input", "sort": 1, "validate": {"immutable": false}}`)
	if _, err := schema.ParseForm([]byte(`{"jsonKey": "x"}`)); err == nil {
		t.Error("ParseForm took what is no list")
	}
}

func TestFormOfAlternatives(t *testing.T) {
	form := schemaOf(t, `{s: close({git: string}) | close({oci: string, tag?: string}), n: string | int}`).Form()
	asJSON(t, form[1], `{"jsonKey": "s", "label": "S", "uiType": "Group", "sort": 101, "validate": {"required": true, "immutable": false},
		"subParameterGroupOption": [{"label": "Git", "keys": ["git"]}, {"label": "Oci, tag", "keys": ["oci", "tag"]}],
		"subParameters": [
			{"jsonKey": "git", "label": "Git", "uiType": "Input", "sort": 100, "validate": {"immutable": false}},
			{"jsonKey": "oci", "label": "Oci", "uiType": "Input", "sort": 101, "validate": {"immutable": false}},
			{"jsonKey": "tag", "label": "Tag", "uiType": "Input", "sort": 102, "validate": {"immutable": false}}]}`)
	if form[0].UIType != "Input" {
		t.Errorf("a string or a number is edited with %q", form[0].UIType)
	}
}

func TestImmutables(t *testing.T) {
	s := schemaOf(t, `{
		// +immutable
		class: *"fast" | "slow"
		// +immutable
		zone?: string
		size: int
		// +immutable
		disks?: [...{gb: int}]
		ports?: [...{
			// +immutable
			name: string
			port: int
		}]
		volumes?: [string]: {
			// +immutable
			kind: string
		}
	}`)
	cases := map[string]struct {
		old, new string
		want     []schema.Change
	}{
		"what is not marked may change":           {`{"size": 1}`, `{"size": 2}`, nil},
		"the default may be written down":         {`{"size": 1}`, `{"size": 1, "class": "fast"}`, nil},
		"another value than the default":          {`{}`, `{"class": "slow"}`, []schema.Change{{Path: "class", Old: "fast", New: "slow"}}},
		"falling back to the default":             {`{"class": "slow"}`, `{}`, []schema.Change{{Path: "class", Old: "slow", New: "fast"}}},
		"what has no value may be set once":       {`{}`, `{"zone": "a"}`, nil},
		"and not be taken away":                   {`{"zone": "a"}`, `{}`, []schema.Change{{Path: "zone", Old: "a"}}},
		"numbers of any type are equal":           {`{"disks": [{"gb": 1}]}`, `{"disks": [{"gb": 1.0}]}`, nil},
		"a marked list counts as a whole":         {`{"disks": []}`, `{"disks": [{"gb": 2}]}`, []schema.Change{{Path: "disks", Old: []any{}, New: []any{map[string]any{"gb": 2.0}}}}},
		"inside of a list":                        {`{"ports": [{"name": "a", "port": 1}]}`, `{"ports": [{"name": "b", "port": 2}]}`, []schema.Change{{Path: "ports[0].name", Old: "a", New: "b"}}},
		"an element more is no change":            {`{"ports": [{"name": "a"}]}`, `{"ports": [{"name": "a"}, {"name": "b"}]}`, nil},
		"inside of a map":                         {`{"volumes": {"a.b": {"kind": "x"}}}`, `{"volumes": {"a.b": {"kind": "y"}}}`, []schema.Change{{Path: `volumes["a.b"].kind`, Old: "x", New: "y"}}},
		"a key that goes is not a changed value":  {`{"volumes": {"a": {"kind": "x"}}}`, `{"volumes": {}}`, nil},
		"a value of a wrong type is said earlier": {`{"ports": [{"name": "a"}]}`, `{"ports": "x"}`, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var old, changed map[string]any
			if err := json.Unmarshal([]byte(tc.old), &old); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(tc.new), &changed); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, s.Immutables(old, changed)); diff != "" {
				t.Errorf("Immutables() mismatch (-want +got):\n%s", diff)
			}
		})
	}
}
