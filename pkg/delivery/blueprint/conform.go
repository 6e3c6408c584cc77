package blueprint

import (
	"errors"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/definition/conform"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// conform applies the rules of the Open Application Model: a finding is a
// warning, and an error when checks are strict.
func (r *resolver) conform(patches []override) {
	var components []conform.Component
	for _, c := range r.bp.Components {
		def, ok := r.bp.Definitions[definition.Ref{Kind: definition.Component, Name: c.Type}]
		if !ok {
			continue // said already
		}
		out := conform.Component{Name: c.Name, Place: c.Origin.String(), Definition: def}
		seen := map[string]bool{}
		for _, t := range c.Traits {
			seen[t.Type] = true
			out.Traits = r.withTrait(out.Traits, t)
		}
		for _, o := range patches {
			for _, p := range o.components {
				for _, t := range p.traits {
					if p.mayPatch(c) && !seen[t.Type] {
						seen[t.Type] = true
						out.Traits = r.withTrait(out.Traits, t)
					}
				}
			}
		}
		components = append(components, out)
	}
	for _, f := range conform.Check(components) {
		opts := []fault.Option{fault.At(f.Path)}
		if f.Hint != "" {
			opts = append(opts, fault.Hint("%s", f.Hint))
		}
		r.doubt(fault.Invalid(v1beta1.ReasonNotConformant, errors.New(f.Text), opts...))
	}
}

func (r *resolver) withTrait(traits []conform.Trait, t Trait) []conform.Trait {
	def, ok := r.bp.Definitions[definition.Ref{Kind: definition.Trait, Name: t.Type}]
	if !ok {
		return traits
	}
	return append(traits, conform.Trait{Place: t.Origin.String(), Definition: def})
}

// doubt is for what works and is probably not meant.
func (r *resolver) doubt(err error) {
	if r.opts.Strict {
		r.errs = append(r.errs, err)
		return
	}
	r.bp.Warnings = append(r.bp.Warnings, fault.Message(err))
}
