package webhook

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// A usage is one place where properties of a definition are written.
type usage struct {
	ref        definition.Ref
	what       string // component "web"
	origin     blueprint.Origin
	properties map[string]any
}

// immutables finds properties that differ from those of old although their
// definition says that they may not. Values are not shown: they may be secret.
func (a applications) immutables(ctx context.Context, b blueprint.Blueprint, old *v1beta1.Application) []error {
	draft, _ := blueprint.Parse(ctx, old, a.References) // what could be read of it counts
	before := usages(draft)
	after := usages(b.Draft)
	var out []error
	for _, key := range slices.Sorted(maps.Keys(after)) {
		now := after[key]
		was, ok := before[key]
		if !ok || was.ref.Base() != now.ref.Base() {
			continue
		}
		def := b.Definitions[now.ref]
		if def.Template == "" {
			continue
		}
		t, err := a.Check.Components.Compile(cue.Source{Kind: string(def.Kind), Name: def.Name, Text: def.Template})
		if err != nil {
			continue // Resolve has said so
		}
		s, err := t.Schema()
		if err != nil {
			continue
		}
		for _, c := range s.Immutables(was.properties, now.properties) {
			out = append(out, fault.Invalid(v1beta1.ReasonImmutable,
				fmt.Errorf("%s: the property may not change after creation", now.what),
				fault.At(now.origin.Property(c.Path)),
				fault.Hint("put the old value back, or set the annotation %s: \"true\" to change it all the same", oam.AnnotationForceParamMutations)))
		}
	}
	return out
}

// usages are the components, traits and policies of a draft by what stays the same
// when they are edited: names, and for traits the type and how often it was there
// before.
func usages(d blueprint.Draft) map[string]usage {
	out := map[string]usage{}
	for _, c := range d.Components {
		what := fmt.Sprintf("component %q", c.Name)
		out["component/"+c.Name] = usage{definition.Ref{Kind: definition.Component, Name: c.Type}, what, c.Origin, c.Properties}
		count := map[string]int{}
		for _, t := range c.Traits {
			ref := definition.Ref{Kind: definition.Trait, Name: t.Type}
			key := fmt.Sprintf("trait/%s/%s/%d", c.Name, ref.Base(), count[ref.Base()])
			count[ref.Base()]++
			out[key] = usage{ref, fmt.Sprintf("trait %q of %s", t.Type, what), t.Origin, t.Properties}
		}
	}
	for _, p := range d.Policies {
		if !p.External {
			out["policy/"+p.Name] = usage{definition.Ref{Kind: definition.Policy, Name: p.Type}, fmt.Sprintf("policy %q", p.Name), p.Origin, p.Properties}
		}
	}
	return out
}
