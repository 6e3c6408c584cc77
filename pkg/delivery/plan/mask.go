package plan

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// What stands for a value that nobody may see. No digest of it: short secrets
// could be guessed from one.
const (
	Secret        = "(secret)"
	SecretChanged = "(secret changed)"
)

var (
	// sensitiveName matches names of variables and keys of configuration.
	sensitiveName = regexp.MustCompile(`(?i)(password|passwd|passphrase|token|secret|key|credential|_pw$|_pwd$)`)
	// sensitiveField matches names of fields that hold a secret themselves, and not
	// a reference to one as secretName does.
	sensitiveField = regexp.MustCompile(`(?i)(password|passwd|passphrase|token|secret|api_?key|access_?key|private_?key|secret_?key|credentials?)$`)
	// sensitiveArgument matches a flag with its value.
	sensitiveArgument = regexp.MustCompile(`(?i)((?:password|passwd|passphrase|token|secret|api-?key|credential)[a-z_-]*[=:]\s*)(\S+)`)
	// userInfo matches the login in a URL.
	userInfo = regexp.MustCompile(`(://[^/\s:@]*:)[^/\s@]+(@)`)
)

// A masker hides the sensitive values of one kind of object.
type masker struct{ secret, config bool }

func maskerFor(obj *unstructured.Unstructured) masker {
	gvk := obj.GroupVersionKind()
	return masker{secret: isSecret(obj), config: gvk.Group == "" && gvk.Kind == "ConfigMap"}
}

// change returns a difference as it may be shown.
func (m masker) change(d difference) Change {
	c := Change{Path: d.at.path(), From: m.value(d.at, d.live), To: m.value(d.at, d.want)}
	if c.From == Secret && c.To == Secret {
		c.To = SecretChanged
	}
	return c
}

// value returns v, or a copy with marks in the place of what is sensitive.
func (m masker) value(at place, v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case map[string]any:
		if m.wholly(at) {
			return Secret
		}
		out := make(map[string]any, len(v))
		for key, value := range v {
			inner := at.field(key)
			if name, ok := v["name"].(string); ok {
				inner.item = name
			}
			out[key] = m.value(inner, value)
		}
		return out
	case []any:
		if m.wholly(at) {
			return Secret
		}
		out := make([]any, len(v))
		for n, value := range v {
			out[n] = m.value(at.element(fmt.Sprint(n), false), value)
		}
		return out
	}
	if m.sensitive(at, v) {
		return Secret
	}
	if text, ok := v.(string); ok {
		return redactText(text)
	}
	return v
}

// wholly reports whether everything below is secret, however it is built.
func (m masker) wholly(at place) bool {
	return m.secret && (at.within("data") || at.within("stringData"))
}

func (m masker) sensitive(at place, v any) bool {
	if m.wholly(at) {
		return true
	}
	if _, isBool := v.(bool); isBool {
		return false
	}
	leaf := at.leaf()
	switch {
	case leaf == "kubectl.kubernetes.io/last-applied-configuration", leaf == oam.AnnotationLastApplied,
		leaf == oam.AnnotationWorkflowLastApplied:
		return true
	case leaf == "value" && at.passes("env"):
		return sensitiveName.MatchString(at.item)
	case m.config && at.within("data"):
		return sensitiveName.MatchString(leaf)
	case at.within("metadata") && at.steps[1].name == "labels":
		return false
	}
	if _, isText := v.(string); !isText {
		return false
	}
	return sensitiveField.MatchString(leaf)
}

func redactText(text string) string {
	text = sensitiveArgument.ReplaceAllString(text, "${1}"+Secret)
	return userInfo.ReplaceAllString(text, "${1}"+Secret+"${2}")
}

// Masked returns a copy of obj with marks in the place of sensitive values, for
// showing it.
func Masked(obj *unstructured.Unstructured) *unstructured.Unstructured {
	m := maskerFor(obj)
	out := make(map[string]any, len(obj.Object))
	for key, value := range obj.Object {
		out[key] = m.value(place{}.field(key), value)
	}
	return &unstructured.Unstructured{Object: out}
}

// Redact removes the sensitive values of m from a message about it: servers
// repeat the values that they refuse.
func Redact(m manifest.Manifest, message string) string {
	var values []string
	maskerFor(m.Object).collect(place{}, m.Object.Object, &values)
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })
	for _, v := range slices.Compact(values) {
		message = strings.ReplaceAll(message, v, Secret)
	}
	return redactText(message)
}

// collect gathers the sensitive values of an object that are long enough to be
// recognised.
func (m masker) collect(at place, v any, into *[]string) {
	const shortest = 4
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			inner := at.field(key)
			if name, ok := v["name"].(string); ok {
				inner.item = name
			}
			m.collect(inner, v[key], into)
		}
	case []any:
		for _, value := range v {
			m.collect(at.element("", false), value, into)
		}
	case string:
		if len(v) >= shortest && m.sensitive(at, v) {
			*into = append(*into, v)
		}
	}
}
