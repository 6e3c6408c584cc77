package author

import (
	"encoding/json"
	"regexp"
	"slices"

	"github.com/seed-c5f95f19/vela/pkg/cue/schema"
)

// Extent says how much of the declared parameters a sample gives.
type Extent int

// Extents of samples.
const (
	Required Extent = iota // what must be given
	Everything
)

// Sample makes properties from a description of parameters. The values are
// telling rather than right: what a parameter means is not known.
func Sample(s *schema.Schema, extent Extent) map[string]any {
	left := maxSampleSize
	v, ok := sampler{extent, &left}.value("", s, 0).(map[string]any)
	if !ok {
		return map[string]any{}
	}
	return v
}

type sampler struct {
	extent Extent
	left   *int // values that the sample may still get
}

// Bounds of samples: parameters may contain themselves.
const (
	maxSampleDepth = 16
	maxSampleSize  = 2000
)

func (m sampler) value(name string, s *schema.Schema, depth int) any {
	*m.left--
	switch {
	case depth > maxSampleDepth || *m.left < 0:
		return nil
	case s.Default != nil && s.Type != "object":
		return s.Default
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.OneOf) > 0:
		return m.value(name, s.OneOf[0], depth+1)
	}
	switch s.Type {
	case "object":
		return m.object(s, depth)
	case "array":
		if s.Items == nil {
			return []any{}
		}
		return []any{m.value(name, s.Items, depth+1)}
	case "integer":
		return int64(number(name, s))
	case "number":
		return number(name, s)
	case "boolean":
		return true
	}
	return text(name, s.Pattern)
}

func (m sampler) object(s *schema.Schema, depth int) any {
	out := map[string]any{}
	for _, name := range s.Order {
		p := s.Properties[name]
		must := slices.Contains(s.Required, name)
		if !must && (m.extent == Required || p.Ignore || depth >= maxSampleDepth) {
			continue
		}
		if v := m.value(name, p, depth+1); v != nil {
			out[name] = v
		}
	}
	if s.AdditionalProperties != nil && m.extent == Everything {
		out["key"] = m.value("key", s.AdditionalProperties, depth+1)
	}
	return out
}

// number is the least allowed one, or 1; a port is 80.
func number(name string, s *schema.Schema) float64 {
	least := 1.0
	if name == "port" || name == "containerPort" {
		least = 80
	}
	if s.Minimum != nil && least < *s.Minimum {
		least = *s.Minimum
	}
	if s.Minimum != nil && s.ExclusiveMinimum && least == *s.Minimum {
		least++
	}
	if s.Maximum != nil && least > *s.Maximum {
		least = *s.Maximum
	}
	return least
}

// text is a value that a person might write under name, and that fits pattern.
func text(name, pattern string) string {
	telling := map[string]string{
		"image": "nginx:1.27", "path": "/", "mountPath": "/data", "host": "example.com", "domain": "example.com",
		"url": "https://example.com", "cpu": "0.5", "memory": "128Mi", "size": "1Gi", "storage": "1Gi",
		"schedule": "0 * * * *", "name": "example", "namespace": "default", "cluster": "local",
	}
	candidates := []string{"example", "a", "1", "0.5", "1Gi", "/", "/data", "https://example.com", "10.0.0.1", "5m", "v1", "A", "aa", "aaaa"}
	if v, ok := telling[name]; ok {
		candidates = append([]string{v}, candidates...)
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return candidates[0]
	}
	for _, c := range candidates {
		if re.MatchString(c) {
			return c
		}
	}
	return candidates[0]
}

// JSON takes a value through JSON, so that its numbers are those that a user's
// file would have.
func JSON(v any) (out any, err error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	err = json.Unmarshal(data, &out)
	return out, err
}
