// Package payload reads the properties of a policy into a Go type, strictly: a
// policy with a misspelt field would deliver to the wrong place without a word.
// Each policy folder states its type, this package names the place of every
// mistake.
package payload

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// Decode reads the properties of p. All mistakes come joined, each with its
// place.
func Decode[T any](p blueprint.Policy) (T, error) {
	var out T
	c := checker{policy: p}
	c.value(p.Properties, reflect.TypeFor[T](), "")
	if len(c.errs) > 0 {
		return out, errors.Join(c.errs...)
	}
	data, err := json.Marshal(p.Properties)
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	if err != nil {
		return out, Invalid(p, "", "%w", err)
	}
	return out, nil
}

// Invalid is a mistake in the property of a policy.
func Invalid(p blueprint.Policy, property, format string, args ...any) error {
	return fault.Invalid(v1beta1.ReasonInvalidPolicy,
		fmt.Errorf("policy %q: %w", p.Name, fmt.Errorf(format, args...)), fault.At(p.Origin.Property(property)))
}

// Known returns an error unless value is one of the known words; "" is always
// fine.
func Known[T ~string](p blueprint.Policy, property string, value T, known ...T) error {
	if value == "" || slices.Contains(known, value) {
		return nil
	}
	words := make([]string, len(known))
	for i, k := range known {
		words[i] = fmt.Sprintf("%q", string(k))
	}
	return Invalid(p, property, "expected one of %s, got %q", strings.Join(words, ", "), string(value))
}

// checker compares a JSON-like value with a Go type.
type checker struct {
	policy blueprint.Policy
	errs   []error
}

func (c *checker) wrong(path, want string, got any) {
	c.errs = append(c.errs, Invalid(c.policy, path, "expected %s, got %s", want, describe(got)))
}

func (c *checker) value(v any, t reflect.Type, path string) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if v == nil {
		return // as if it was not there
	}
	if t == reflect.TypeFor[runtime.RawExtension]() {
		if _, ok := v.(map[string]any); !ok {
			c.wrong(path, "an object", v)
		}
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		c.object(v, t, path)
	case reflect.Map:
		m, ok := v.(map[string]any)
		if !ok {
			c.wrong(path, "an object", v)
			return
		}
		for _, k := range slices.Sorted(maps.Keys(m)) {
			c.value(m[k], t.Elem(), path+"."+k)
		}
	case reflect.Slice:
		list, ok := v.([]any)
		if !ok {
			c.wrong(path, "a list", v)
			return
		}
		for i, e := range list {
			c.value(e, t.Elem(), fmt.Sprintf("%s[%d]", path, i))
		}
	case reflect.String:
		if _, ok := v.(string); !ok {
			c.wrong(path, "a string", v)
		}
	case reflect.Bool:
		if _, ok := v.(bool); !ok {
			c.wrong(path, "true or false", v)
		}
	case reflect.Int:
		if _, ok := v.(int64); !ok {
			c.wrong(path, "a whole number", v)
		}
	}
}

func (c *checker) object(v any, t reflect.Type, path string) {
	m, ok := v.(map[string]any)
	if !ok {
		c.wrong(path, "an object", v)
		return
	}
	fields := map[string]reflect.Type{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		fields[name] = t.Field(i).Type
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		at := strings.TrimPrefix(path+"."+k, ".")
		ft, known := fields[k]
		if known {
			c.value(m[k], ft, at)
			continue
		}
		err := Invalid(c.policy, at, "type %q has no such property", c.policy.Type)
		if near := blueprint.Nearest(k, slices.Collect(maps.Keys(fields))); near != "" {
			err = fault.With(err, fault.Hint("did you mean %q?", near))
		}
		c.errs = append(c.errs, err)
	}
}

func describe(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case string:
		return fmt.Sprintf("string %q", v)
	}
	return fmt.Sprintf("%v", v)
}
