package kinds

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// An object is a live object; its methods tolerate every missing field.
type object map[string]any

// number returns an integer field; ok is false when there is none.
func (o object) number(path ...string) (n int64, ok bool) {
	v, found, err := unstructured.NestedFieldNoCopy(o, path...)
	if err != nil || !found {
		return 0, false
	}
	switch v := v.(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	case float64:
		return int64(v), true
	}
	return 0, false
}

// count returns an integer field, 0 when there is none.
func (o object) count(path ...string) int64 {
	n, _ := o.number(path...)
	return n
}

// countOr returns an integer field, or what the API server takes without it.
func (o object) countOr(fallback int64, path ...string) int64 {
	if n, ok := o.number(path...); ok {
		return n
	}
	return fallback
}

// text returns a string field, "" when there is none.
func (o object) text(path ...string) string {
	s, _, _ := unstructured.NestedString(o, path...)
	return s
}

// is reports whether a field is true.
func (o object) is(path ...string) bool {
	b, _, _ := unstructured.NestedBool(o, path...)
	return b
}

// list returns the objects in a list field.
func (o object) list(path ...string) []object {
	v, _, _ := unstructured.NestedFieldNoCopy(o, path...)
	items, _ := v.([]any)
	var out []object
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// A condition is one entry of status.conditions.
type condition struct{ status, reason, message string }

func (o object) condition(name string) (condition, bool) {
	for _, c := range o.list("status", "conditions") {
		if c.text("type") == name {
			return condition{c.text("status"), c.text("reason"), c.text("message")}, true
		}
	}
	return condition{}, false
}

// says is the condition as a sentence.
func (c condition) says(fallback string) string {
	switch {
	case c.message != "" && c.reason != "":
		return c.reason + ": " + c.message
	case c.message != "":
		return c.message
	case c.reason != "":
		return c.reason
	}
	return fallback
}

// ready is how KubeVela writes how many of the wanted replicas are ready.
func ready(have, want int64) string { return fmt.Sprintf("Ready:%d/%d", have, want) }
