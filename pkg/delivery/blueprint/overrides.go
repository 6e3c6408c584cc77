package blueprint

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
)

// MatchName reports whether pattern, a name or a regular expression in which *
// means anything, matches the whole of name.
func MatchName(pattern, name string) (bool, error) {
	if pattern == name {
		return true, nil
	}
	re, err := regexp.Compile("^(?:" + strings.ReplaceAll(pattern, "*", ".*") + ")$")
	if err != nil {
		return false, fmt.Errorf("expected a name, possibly with *, got %q", pattern)
	}
	return re.MatchString(name), nil
}

// An override is the part of an override policy that Resolve has to know: which
// types it may bring in and whose properties it may fill. What it does with
// them is decided by policy/override.
type override struct {
	components []patchedComponent
}

type patchedComponent struct {
	name, typ  string
	properties map[string]any
	traits     []Trait
	origin     Origin
}

// overrides returns the override policies of a draft, those written inside of
// deploy steps too. Parts that cannot be read are left out: the schema of the
// policy complains about them.
func overrides(d Draft) []override {
	var out []override
	policies := append([]Policy{}, d.Policies...)
	for _, s := range d.Workflow.AllSteps() {
		policies = append(policies, InlinePolicies(s)...)
	}
	for _, p := range policies {
		switch base(p.Type) {
		case v1alpha1.OverridePolicyType:
			out = append(out, overrideOf(p.Properties, p.Origin.Sub("properties")))
		case envBinding, envBindingDefinition:
			out = append(out, overridesOfEnvs(p)...)
		}
	}
	return out
}

func overrideOf(properties map[string]any, at Origin) override {
	var o override
	list, _ := properties["components"].([]any)
	for i, v := range list {
		if m, ok := v.(map[string]any); ok {
			o.components = append(o.components, patched(m, at.Sub(fmt.Sprintf("components[%d]", i))))
		}
	}
	return o
}

// overridesOfEnvs are what the environments of an env-binding policy change.
func overridesOfEnvs(p Policy) []override {
	var out []override
	list, _ := p.Properties["envs"].([]any)
	for i, v := range list {
		env, _ := v.(map[string]any)
		if patch, ok := env["patch"].(map[string]any); ok {
			out = append(out, overrideOf(patch, p.Origin.Sub(fmt.Sprintf("properties.envs[%d].patch", i))))
		}
	}
	return out
}

func patched(m map[string]any, o Origin) patchedComponent {
	c := patchedComponent{origin: o}
	c.name, _ = m["name"].(string)
	c.typ, _ = m["type"].(string)
	c.properties, _ = m["properties"].(map[string]any)
	list, _ := m["traits"].([]any)
	for i, v := range list {
		t, _ := v.(map[string]any)
		typ, _ := t["type"].(string)
		if disabled, _ := t["disable"].(bool); typ == "" || disabled {
			continue
		}
		props, _ := t["properties"].(map[string]any)
		c.traits = append(c.traits, Trait{Type: typ, Properties: props, Origin: o.Sub(fmt.Sprintf("traits[%d]", i))})
	}
	return c
}

// mayPatch reports whether the override may change the component.
func (p patchedComponent) mayPatch(c Component) bool {
	if p.name == "" {
		return p.typ == "" || p.typ == c.Type
	}
	ok, err := MatchName(p.name, c.Name)
	return ok && err == nil
}
