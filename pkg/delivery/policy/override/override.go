// Package override changes components for one delivery: properties are merged,
// traits changed, added or removed, components replaced, added or left out. It
// is pure and leaves its inputs as they are.
//
// A component patch finds its components by name, else by type, else takes all.
// A name is compared as a whole; * means anything. KubeVela looks for it
// anywhere in the name, so that "back" also changes "backend": Options.Unanchored
// brings that back for those who rely on it.
package override

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/payload"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// Type is the type of the policies that this package understands.
const Type = v1alpha1.OverridePolicyType

// Options change how components are found.
type Options struct {
	// Unanchored finds a name anywhere in the name of a component, as KubeVela
	// does.
	Unanchored bool
}

// Apply returns the components as the policy wants them, in their order, added
// ones at the end.
func Apply(components []blueprint.Component, p blueprint.Policy, o Options) ([]blueprint.Component, error) {
	spec, err := payload.Decode[v1alpha1.OverridePolicySpec](p)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(components)
	for i, patch := range spec.Components {
		at := fmt.Sprintf("components[%d]", i)
		pc, err := read(patch, p.Origin.Sub("properties."+at))
		if err != nil {
			return nil, payload.Invalid(p, at, "%w", err)
		}
		found := false
		for j, c := range out {
			ok, err := o.matches(pc, c)
			if err != nil {
				return nil, payload.Invalid(p, at+".name", "%w", err)
			}
			if ok {
				found = true
				out[j] = apply(c, pc)
			}
		}
		if found || pc.name == "" {
			continue
		}
		added, err := add(p, at, pc, out)
		if err != nil {
			return nil, err
		}
		out = append(out, added...)
	}
	if spec.Selector != nil {
		out = slices.DeleteFunc(out, func(c blueprint.Component) bool { return !slices.Contains(spec.Selector, c.Name) })
	}
	return out, nil
}

// patch is one entry of components with its properties as Go values.
type patch struct {
	name, typ  string
	properties map[string]any
	traits     []traitPatch
	origin     blueprint.Origin
}

type traitPatch struct {
	typ        string
	properties map[string]any
	disable    bool
	origin     blueprint.Origin
}

func read(in v1alpha1.OverrideComponent, o blueprint.Origin) (patch, error) {
	props, err := values(in.Properties)
	if err != nil {
		return patch{}, err
	}
	out := patch{name: in.Name, typ: in.Type, properties: props, origin: o}
	for i, t := range in.Traits {
		props, err := values(t.Properties)
		if err != nil {
			return patch{}, err
		}
		if t.Type == "" {
			return patch{}, fmt.Errorf("trait %d has no type", i)
		}
		out.traits = append(out.traits, traitPatch{
			typ: t.Type, properties: props, disable: t.Disable, origin: o.Sub(fmt.Sprintf("traits[%d]", i)),
		})
	}
	return out, nil
}

func values(raw *runtime.RawExtension) (map[string]any, error) {
	if raw == nil || len(raw.Raw) == 0 {
		return nil, nil
	}
	v, err := provider.Unmarshal(raw.Raw)
	m, _ := v.(map[string]any)
	return m, err
}

// matches reports whether the patch is meant for the component.
func (o Options) matches(p patch, c blueprint.Component) (bool, error) {
	switch {
	case p.name == "":
		return p.typ == "" || p.typ == c.Type, nil
	case o.Unanchored:
		re, err := regexp.Compile(strings.ReplaceAll(p.name, "*", ".*"))
		if err != nil {
			return false, fmt.Errorf("expected a name, possibly with *, got %q", p.name)
		}
		return re.MatchString(c.Name), nil
	}
	return blueprint.MatchName(p.name, c.Name)
}

// apply changes one component. Another type replaces what the old type meant:
// its properties and traits.
func apply(c blueprint.Component, p patch) blueprint.Component {
	if p.typ != "" && p.typ != c.Type {
		n := fresh(c.Name, p)
		n.DependsOn, n.Inputs, n.Outputs, n.ReplicaKey = c.DependsOn, c.Inputs, c.Outputs, c.ReplicaKey
		return n
	}
	if p.properties != nil {
		c.Properties = merge(c.Properties, p.properties)
		c.Origin = patched(c.Origin, p.origin, p.properties)
	}
	c.Traits = traits(c.Traits, p.traits)
	return c
}

// fresh is a component that the patch alone describes.
func fresh(name string, p patch) blueprint.Component {
	return blueprint.Component{Name: name, Type: p.typ, Properties: p.properties, Traits: traits(nil, p.traits), Origin: p.origin}
}

func add(policy blueprint.Policy, at string, p patch, components []blueprint.Component) ([]blueprint.Component, error) {
	if len(validation.IsDNS1123Subdomain(p.name)) > 0 {
		return nil, nil // a pattern that matches nothing today
	}
	if p.typ == "" {
		var names []string
		for _, c := range components {
			names = append(names, c.Name)
		}
		err := payload.Invalid(policy, at+".name", "there is no component %q, and without a type it cannot be added", p.name)
		if near := blueprint.Nearest(p.name, names); near != "" {
			err = fault.With(err, fault.Hint("did you mean %q?", near))
		}
		return nil, err
	}
	return []blueprint.Component{fresh(p.name, p)}, nil
}

// traits merges trait patches by type: the n-th patch of a type changes the
// n-th trait of it, further ones are added. Disable removes the type.
func traits(base []blueprint.Trait, patches []traitPatch) []blueprint.Trait {
	out := slices.Clone(base)
	next := map[string]int{}
	for _, p := range patches {
		if p.disable {
			out = slices.DeleteFunc(out, func(t blueprint.Trait) bool { return t.Type == p.typ })
			next[p.typ] = 0
			continue
		}
		i := nth(out, p.typ, next[p.typ])
		next[p.typ]++
		if i < 0 {
			out = append(out, blueprint.Trait{Type: p.typ, Properties: p.properties, Origin: p.origin})
			continue
		}
		out[i].Properties = merge(out[i].Properties, p.properties)
		out[i].Origin = patched(out[i].Origin, p.origin, p.properties)
	}
	return out
}

// nth returns the index of the n-th trait of a type, -1 when there is none.
func nth(traits []blueprint.Trait, typ string, n int) int {
	for i, t := range traits {
		if t.Type != typ {
			continue
		}
		if n == 0 {
			return i
		}
		n--
	}
	return -1
}

func patched(o, by blueprint.Origin, properties map[string]any) blueprint.Origin {
	o.Patches = append(slices.Clip(o.Patches), blueprint.Patch{Object: by.Object, Path: by.Path, Properties: properties})
	return o
}

// merge returns base with patch on top: objects are merged, everything else,
// lists too, is replaced.
func merge(base, patch map[string]any) map[string]any {
	out := make(map[string]any, len(base)+len(patch))
	for k, v := range base {
		out[k] = v
	}
	for k, v := range patch {
		b, isBase := out[k].(map[string]any)
		p, isPatch := v.(map[string]any)
		if isBase && isPatch {
			v = merge(b, p)
		}
		out[k] = v
	}
	return out
}
