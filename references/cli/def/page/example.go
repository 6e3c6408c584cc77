package page

import (
	"bytes"

	"go.yaml.in/yaml/v3"

	"github.com/seed-c5f95f19/vela/pkg/definition"
)

// example is an Application that uses a definition with what must be given.
func example(d definition.Definition, properties map[string]any) string {
	used := entry(d, "example", properties)
	web := pairs{{"name", "example"}, {"type", "webservice"}, {"properties", map[string]any{"image": "nginx"}}}
	var spec pairs
	switch d.Kind {
	case definition.Component:
		spec = pairs{{"components", []any{used}}}
	case definition.Trait:
		spec = pairs{{"components", []any{append(web, pair{"traits", []any{entry(d, "", properties)}})}}}
	case definition.Policy:
		spec = pairs{{"components", []any{web}}, {"policies", []any{used}}}
	case definition.WorkflowStep:
		spec = pairs{{"components", []any{web}}, {"workflow", pairs{{"steps", []any{used}}}}}
	}
	app := pairs{
		{"apiVersion", "core.oam.dev/v1beta1"}, {"kind", "Application"},
		{"metadata", pairs{{"name", "example"}}}, {"spec", spec},
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(app); err != nil {
		return ""
	}
	return out.String()
}

// entry is one use of a definition in a list.
func entry(d definition.Definition, name string, properties map[string]any) pairs {
	var out pairs
	if name != "" {
		out = append(out, pair{"name", name})
	}
	out = append(out, pair{"type", d.Name})
	if len(properties) > 0 {
		out = append(out, pair{"properties", properties})
	}
	return out
}

// pairs is a map that keeps its order.
type pairs []pair

type pair struct {
	key   string
	value any
}

// MarshalYAML implements yaml.Marshaler.
func (p pairs) MarshalYAML() (any, error) {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, e := range p {
		var value yaml.Node
		if err := value.Encode(e.value); err != nil {
			return nil, err
		}
		n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: e.key}, &value)
	}
	return n, nil
}
