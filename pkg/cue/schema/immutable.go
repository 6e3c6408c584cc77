package schema

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A Change is a property that differs although it may not.
type Change struct {
	Path     string // such as storage.class or ports[0].name
	Old, New any    // nil when it is not given
}

// Immutables compares two versions of properties and returns what changed of
// that which `// +immutable` marks, in a fixed order. A property that is not
// given counts as its default; one without value and default may be set once.
func (s *Schema) Immutables(old, new map[string]any) []Change {
	return s.immutables("", old, new)
}

func (s *Schema) immutables(path string, old, new any) []Change {
	if s.Immutable {
		if old == nil {
			old = s.Default
		}
		if new == nil {
			new = s.Default
		}
		if old == nil || equal(old, new) {
			return nil
		}
		return []Change{{Path: path, Old: old, New: new}}
	}
	var out []Change
	if a, b, ok := pair[map[string]any](old, new); ok {
		for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
			out = append(out, s.Properties[name].immutables(join(path, name), a[name], b[name])...)
		}
		if s.AdditionalProperties != nil {
			for _, name := range slices.Sorted(maps.Keys(a)) {
				if _, kept := b[name]; kept && s.Properties[name] == nil {
					out = append(out, s.AdditionalProperties.immutables(join(path, name), a[name], b[name])...)
				}
			}
		}
	}
	if a, b, ok := pair[[]any](old, new); ok && s.Items != nil {
		for i := range min(len(a), len(b)) {
			out = append(out, s.Items.immutables(fmt.Sprintf("%s[%d]", path, i), a[i], b[i])...)
		}
	}
	for _, form := range s.OneOf {
		for _, c := range form.immutables(path, old, new) {
			if !slices.ContainsFunc(out, func(o Change) bool { return o.Path == c.Path }) {
				out = append(out, c)
			}
		}
	}
	return out
}

// pair returns both values as T. One that is missing counts as empty.
func pair[T any](old, new any) (a, b T, ok bool) {
	a, oldOK := old.(T)
	b, newOK := new.(T)
	return a, b, (oldOK || old == nil) && (newOK || new == nil) && (oldOK || newOK)
}

// equal compares JSON values, whatever Go type their numbers have.
func equal(a, b any) bool {
	if x, ok := number(a); ok {
		y, ok := number(b)
		return ok && x == y
	}
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, equal)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	}
	return reflect.DeepEqual(a, b)
}

func number(v any) (float64, bool) {
	switch r := reflect.ValueOf(v); {
	case !r.IsValid():
		return 0, false
	case r.CanInt():
		return float64(r.Int()), true
	case r.CanUint():
		return float64(r.Uint()), true
	case r.CanFloat():
		return r.Float(), true
	}
	return 0, false
}

func join(path, name string) string {
	if strings.ContainsAny(name, `.[]"/ `) || name == "" {
		return path + "[" + strconv.Quote(name) + "]"
	}
	if path == "" {
		return name
	}
	return path + "." + name
}
