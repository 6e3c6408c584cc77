package helm

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	cueerrors "cuelang.org/go/cue/errors"
	cuejson "cuelang.org/go/encoding/json"
	"cuelang.org/go/encoding/jsonschema"
	v2 "helm.sh/helm/v4/pkg/chart/v2"
)

// maxSchema is the size of a schema above which values are not compared with it.
const maxSchema = 1 << 20

// validate compares values with the schemas of a chart and of those that it
// depends on.
func validate(chart *v2.Chart, values map[string]any) error {
	if len(chart.Schema) > 0 && len(chart.Schema) <= maxSchema {
		if err := compare(chart.Schema, values); err != nil {
			return fmt.Errorf("they do not fit values.schema.json of chart %q: %w", chart.Name(), err)
		}
	}
	for _, sub := range chart.Dependencies() {
		below, ok := values[sub.Name()].(map[string]any)
		if !ok {
			continue
		}
		if err := validate(sub, below); err != nil {
			return err
		}
	}
	return nil
}

// compare says where values differ from a schema. A schema that cannot be read
// says nothing about values.
func compare(schema []byte, values map[string]any) error {
	wrong, err := check(schema, values)
	if err != nil || wrong == nil {
		return err
	}
	var root any
	if err := json.Unmarshal(schema, &root); err != nil {
		return err
	}
	// A schema without types allows everything that is no object, and an error then
	// has many reasons: what objects are described for is meant to be one.
	sayObjects(root)
	if typed, err := json.Marshal(root); err == nil {
		if clear, err := check(typed, values); err == nil && clear != nil {
			wrong = clear
		}
	}
	return explain(wrong, root, values)
}

// check returns how values differ from a schema.
func check(schema []byte, values map[string]any) (wrong, err error) {
	ctx := cuecontext.New()
	expr, err := cuejson.Extract("values.schema.json", schema)
	if err != nil {
		return nil, nil //nolint:nilerr // it cannot be read
	}
	file, err := jsonschema.Extract(ctx.BuildExpr(expr), &jsonschema.Config{})
	if err != nil {
		return nil, nil //nolint:nilerr // as above
	}
	wants := ctx.BuildFile(file)
	if wants.Err() != nil {
		return nil, nil
	}
	raw, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	given, err := cuejson.Extract("values", raw)
	if err != nil {
		return nil, err
	}
	return wants.Unify(ctx.BuildExpr(given)).Validate(cue.Concrete(true), cue.Final()), nil
}

// sayObjects gives the type object to what has properties and no type.
func sayObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			sayObjects(e)
		}
		if _, isMap := v["properties"].(map[string]any); isMap && v["type"] == nil {
			v["type"] = "object"
		}
	case []any:
		for _, e := range v {
			sayObjects(e)
		}
	}
}

// explain says for each place of an error what the schema expects there. What
// the values are is not said: they may be secret.
func explain(err error, root any, values map[string]any) error {
	places := strangers(root, values)
	for _, e := range cueerrors.Errors(err) {
		format, _ := e.Msg()
		at := strings.Join(e.Path(), ".")
		switch {
		case at == "":
			at = "a rule for all of them is broken"
		case strings.Contains(format, "required"):
			at += ": it is missing"
		case strings.Contains(format, "not allowed"):
			at += ": there is no such value"
		default:
			at += ": " + expected(root, e.Path())
		}
		if !slices.Contains(places, at) {
			places = append(places, at)
		}
	}
	slices.Sort(places)
	return errors.New(strings.Join(places, "; "))
}

// strangers names what is missing and what does not belong at the top: CUE says
// neither while something else is wrong.
func strangers(root any, values map[string]any) []string {
	m, _ := root.(map[string]any)
	properties, _ := m["properties"].(map[string]any)
	var out []string
	required, _ := m["required"].([]any)
	for _, r := range required {
		if name, ok := r.(string); ok {
			if _, given := values[name]; !given {
				out = append(out, name+": it is missing")
			}
		}
	}
	if m["additionalProperties"] == false && m["patternProperties"] == nil {
		for name := range values {
			if _, known := properties[name]; !known && name != globalKey {
				out = append(out, name+": there is no such value")
			}
		}
	}
	return out
}

// expected says what a schema wants at a path.
func expected(schema any, path []string) string {
	for _, name := range path {
		m, _ := schema.(map[string]any)
		properties, _ := m["properties"].(map[string]any)
		if schema = properties[name]; schema == nil {
			schema = m["items"]
		}
	}
	m, _ := schema.(map[string]any)
	for _, rule := range []string{"enum", "const", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"} {
		if v, ok := m[rule]; ok {
			return fmt.Sprintf("expected %v with %s %v", cmp.Or[any](m["type"], "a value"), rule, v)
		}
	}
	if t, ok := m["type"]; ok {
		return fmt.Sprintf("expected %v", t)
	}
	return "it is not what the schema wants"
}

// A schema can refer to files and URLs. Nothing is read while a chart renders, so
// references that lead out of a schema are taken out when the chart is loaded:
// what they describe may then be anything.

// closeSchemas takes them out of a chart and those that it depends on.
func closeSchemas(chart *v2.Chart) error {
	if len(chart.Schema) > 0 {
		var schema any
		if err := json.Unmarshal(chart.Schema, &schema); err != nil {
			return fmt.Errorf("values.schema.json of chart %q: %w", chart.Name(), err)
		}
		if withoutReferences(schema) {
			closed, err := json.Marshal(schema)
			if err != nil {
				return err
			}
			chart.Schema = closed
		}
	}
	for _, d := range chart.Dependencies() {
		if err := closeSchemas(d); err != nil {
			return err
		}
	}
	return nil
}

// withoutReferences removes references that lead out of a schema, and says
// whether there were any.
func withoutReferences(v any) (changed bool) {
	switch v := v.(type) {
	case map[string]any:
		for key, e := range v {
			target, isText := e.(string)
			if isText && leadsOut(key, target) {
				delete(v, key)
				changed = true
				continue
			}
			changed = withoutReferences(e) || changed
		}
	case []any:
		for _, e := range v {
			changed = withoutReferences(e) || changed
		}
	}
	return changed
}

// leadsOut reports whether a keyword makes a reader of schemas look elsewhere.
// It knows the drafts of the language itself.
func leadsOut(key, target string) bool {
	switch key {
	case "$ref", "$dynamicRef", "$recursiveRef":
		return !strings.HasPrefix(target, "#")
	case "$schema":
		return !slices.Contains([]string{
			"http://json-schema.org/draft-04/schema", "http://json-schema.org/draft-06/schema", "http://json-schema.org/draft-07/schema",
			"https://json-schema.org/draft/2019-09/schema", "https://json-schema.org/draft/2020-12/schema",
		}, strings.TrimSuffix(strings.Replace(target, "https://json-schema.org/draft-", "http://json-schema.org/draft-", 1), "#"))
	}
	return false
}
