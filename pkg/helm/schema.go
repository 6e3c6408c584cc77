package helm

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	v2 "helm.sh/helm/v4/pkg/chart/v2"
)

// Helm reads what a schema of values refers to: files of the machine and URLs,
// past every guard. So that it never does, references that lead out of a schema
// are taken out when a chart is loaded: what they describe may then be anything.

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
