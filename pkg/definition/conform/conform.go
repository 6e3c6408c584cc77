// Package conform checks what the Open Application Model says about components
// and their traits: which workloads a trait applies to, which traits exclude each
// other, and what a component may be called. KubeVela declares these rules and
// enforces none of them. Here every door to a delivery asks this one function;
// whether a finding is a warning or an error is for the caller to say. It asks no
// cluster: what cannot be known without one is not found.
package conform

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
)

// A Component is one component with its traits, as far as the rules need it.
type Component struct {
	Name       string
	Place      string // spec.components[0]
	Definition definition.Definition
	Traits     []Trait
}

// A Trait is one trait of a component.
type Trait struct {
	Place      string // spec.components[0].traits[1]
	Definition definition.Definition
}

// A Finding is one rule that an Application breaks.
type Finding struct {
	Path string
	Text string
	Hint string // what to do; a sentence without a period
}

// Check returns what breaks a rule, in the order of the components.
func Check(components []Component) []Finding {
	var out []Finding
	for _, c := range components {
		out = append(out, nameOf(c)...)
		for i, t := range c.Traits {
			if f, ok := applies(c, t); !ok {
				out = append(out, f)
			}
			for _, earlier := range c.Traits[:i] {
				if f, clash := conflict(c, earlier, t); clash {
					out = append(out, f)
				}
			}
		}
	}
	return out
}

// nameOf checks that the name can be the value of the label that every object of
// the component carries.
func nameOf(c Component) []Finding {
	if problems := validation.IsValidLabelValue(c.Name); c.Name != "" && len(problems) > 0 {
		return []Finding{{
			Path: c.Place + ".name",
			Text: fmt.Sprintf("component name %q cannot be the value of a label, so none of its objects can be created", c.Name),
			Hint: "use at most 63 letters, digits, dots, dashes and underscores",
		}}
	}
	return nil
}

// applies reports whether a trait is made for the workload of its component. It
// is when one of its rules says so, or when nobody can tell.
func applies(c Component, t Trait) (Finding, bool) {
	rules := t.Definition.AppliesTo
	if len(rules) == 0 || slices.ContainsFunc(rules, func(rule string) bool { return workload(rule, c.Definition) }) {
		return Finding{}, true
	}
	if c.Definition.WorkloadKind == "" && (c.Definition.WorkloadType == "" || c.Definition.WorkloadType == v1beta1.AutoDetectWorkload) {
		return Finding{}, true // the kind is known after rendering only
	}
	return Finding{
		Path: t.Place + ".type",
		Text: fmt.Sprintf("trait %q of component %q does not apply to a workload of type %q (%s)",
			t.Definition.Name, c.Name, c.Definition.Name, kindOf(c.Definition)),
		Hint: "its definition says appliesToWorkloads: " + strings.Join(rules, ", "),
	}, false
}

// workload reports whether a rule of appliesToWorkloads means the workload of d:
// by the name of its definition, by resource and group (deployments.apps, also
// with /v1 behind it), by group (*.apps), or by labels of the definition.
func workload(rule string, d definition.Definition) bool {
	if yes, ok := selects(rule, d); ok {
		return yes
	}
	if rule == "*" || rule == d.Name || rule == d.WorkloadType || rule == d.WorkloadKind || rule == d.WorkloadAPIVersion+"."+d.WorkloadKind {
		return true
	}
	name, version, versioned := strings.Cut(rule, "/")
	resource := resourceOf(d)
	if versioned && version != resource.Version {
		return false
	}
	full := strings.TrimSuffix(resource.Resource+"."+resource.Group, ".")
	fits, err := path.Match(name, full)
	return err == nil && fits && resource.Resource != ""
}

// conflict reports whether one of two traits excludes the other. The finding is
// at the second one.
func conflict(c Component, a, b Trait) (Finding, bool) {
	for _, pair := range [][2]Trait{{a, b}, {b, a}} {
		by, other := pair[0].Definition, pair[1].Definition
		for _, rule := range by.ConflictsWith {
			if excludes(rule, by, other) {
				return Finding{
					Path: b.Place + ".type",
					Text: fmt.Sprintf("traits %q and %q of component %q exclude each other", a.Definition.Name, b.Definition.Name, c.Name),
					Hint: fmt.Sprintf("the definition of %q says conflictsWith: %s", by.Name, rule),
				}, true
			}
		}
	}
	return Finding{}, false
}

// excludes reports whether a rule of conflictsWith means other: by the name of
// its definition, by the resource that its definitionRef names (services.k8s.io,
// *.networking.k8s.io), or by labels of the definition.
func excludes(rule string, by, other definition.Definition) bool {
	if yes, ok := selects(rule, other); ok {
		return yes
	}
	if rule == "*" {
		return by.Name != other.Name
	}
	if rule == other.Name {
		return true
	}
	ref := ""
	if o, ok := other.Object.(*v1beta1.TraitDefinition); ok {
		ref = o.Spec.Reference.Name
	}
	fits, err := path.Match(rule, ref)
	return err == nil && fits && ref != ""
}

// selects evaluates a rule that selects definitions by their labels. ok is false
// for any other rule.
func selects(rule string, d definition.Definition) (yes, ok bool) {
	text, ok := strings.CutPrefix(rule, "labelSelector:")
	if !ok {
		return false, false
	}
	selector, err := labels.Parse(text)
	return err == nil && selector.Matches(labels.Set(d.Labels())), true
}

// resourceOf is the resource of the workload by the usual rules of English, as
// definitions write it.
func resourceOf(d definition.Definition) schema.GroupVersionResource {
	if d.WorkloadKind == "" {
		return schema.GroupVersionResource{}
	}
	plural, _ := meta.UnsafeGuessKindToResource(schema.FromAPIVersionAndKind(d.WorkloadAPIVersion, d.WorkloadKind))
	return plural
}

func kindOf(d definition.Definition) string {
	if r := resourceOf(d); r.Resource != "" {
		return strings.TrimSuffix(r.Resource+"."+r.Group, ".")
	}
	return d.WorkloadType
}
