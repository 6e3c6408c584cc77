package blueprint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// Resolve pins every definition that the draft uses and checks the properties
// against them. All mistakes come in one go, joined, in the order of the
// Application, each with its place.
func Resolve(ctx context.Context, d Draft, defs Definitions, o Options) (Blueprint, error) {
	r := resolver{
		ctx: ctx, defs: defs, opts: o, found: map[definition.Ref]lookup{},
		bp: Blueprint{Draft: d, Definitions: map[definition.Ref]definition.Definition{}},
	}
	for _, t := range d.Produced.Records() {
		if t.Error {
			r.bp.Warnings = append(r.bp.Warnings, fmt.Sprintf("global policy %q is left out: %s", t.Name, t.Message))
		}
	}
	patches := overrides(d)
	for _, c := range d.Components {
		r.component(c, patches)
	}
	for _, p := range d.Policies {
		r.policy(p)
	}
	for _, o := range patches {
		for _, c := range o.components {
			r.patched(c)
		}
	}
	for _, s := range d.Workflow.AllSteps() {
		r.step(s)
	}
	r.conform(patches)
	if len(r.errs) == 0 {
		r.refer()
	}
	if len(r.errs) > 0 {
		return Blueprint{}, errors.Join(r.errs...)
	}
	return r.bp, nil
}

type resolver struct {
	ctx   context.Context //nolint:containedctx // lives for one Resolve
	defs  Definitions
	opts  Options
	found map[definition.Ref]lookup
	bp    Blueprint
	errs  []error
}

// A lookup is the remembered outcome of looking for one definition.
type lookup struct {
	template *cue.Template // nil when there is nothing to check properties with
	err      error
}

// A use is one place where a definition is used.
type use struct {
	ref    definition.Ref
	user   string // `component "web"`, for messages
	what   string // `trait "scaler" of component "web"`, for messages
	origin Origin
	native bool // works without a definition
}

func (r *resolver) component(c Component, patches []override) {
	user := fmt.Sprintf("component %q", c.Name)
	ref := definition.Ref{Kind: definition.Component, Name: c.Type}
	partial := false // an override may bring what is missing
	traitsPatched := map[string]bool{}
	for _, o := range patches {
		for _, p := range o.components {
			if !p.mayPatch(c) {
				continue
			}
			partial = partial || len(p.properties) > 0 || (p.typ != "" && p.typ != c.Type)
			for _, t := range p.traits {
				traitsPatched[t.Type] = true
			}
		}
	}
	r.check(use{ref: ref, user: user, what: user, origin: c.Origin}, c.Properties, given{partial: partial, inputs: c.Inputs})
	for _, t := range c.Traits {
		r.trait(t, user, given{partial: traitsPatched[t.Type], inputs: traitInputs(c)})
	}
}

// traitInputs are the inputs that may fill traits: those whose key says so.
func traitInputs(c Component) []Input {
	var out []Input
	for _, i := range c.Inputs {
		if strings.HasPrefix(i.ParameterKey, "traits") {
			out = append(out, i)
		}
	}
	return out
}

func (r *resolver) trait(t Trait, user string, g given) {
	r.check(use{
		ref:  definition.Ref{Kind: definition.Trait, Name: t.Type},
		user: user, what: fmt.Sprintf("trait %q of %s", t.Type, user), origin: t.Origin,
	}, t.Properties, g)
}

func (r *resolver) policy(p Policy) {
	what := fmt.Sprintf("policy %q", p.Name)
	u := use{
		ref:  definition.Ref{Kind: definition.Policy, Name: p.Type},
		user: what, what: what, origin: p.Origin, native: native(p.Type),
	}
	r.check(u, p.Properties, given{})
	r.scoped(p, what, r.bp.Definitions[u.ref])
}

// native reports whether a policy works, or does nothing, without a definition.
func native(policyType string) bool {
	switch policyType {
	case debug, envBinding, health:
		return true
	}
	return false
}

func (r *resolver) step(s Step) {
	what := fmt.Sprintf("step %q", s.Name)
	native := false
	switch s.Type {
	case StepSuspend, StepGroup, StepApplyComponent, StepBuiltinApplyComponent:
		native = true
	}
	r.check(use{
		ref:  definition.Ref{Kind: definition.WorkflowStep, Name: s.Type},
		user: what, what: what, origin: s.Origin, native: native,
	}, s.Properties, given{inputs: s.Inputs})
}

// patched pins what an override policy brings in. Its properties are only a
// part of what the component gets, so nothing can be missing in them.
func (r *resolver) patched(p patchedComponent) {
	what := "an override"
	if p.name != "" {
		what = fmt.Sprintf("the override of component %q", p.name)
	}
	if typ := r.patchedType(p); typ != "" {
		ref := definition.Ref{Kind: definition.Component, Name: typ}
		r.check(use{ref: ref, user: what, what: what, origin: p.origin}, p.properties, given{partial: true})
	}
	for _, t := range p.traits {
		r.trait(t, what, given{partial: true})
	}
}

// patchedType returns the one type whose properties an override sets, "" when
// it may be several.
func (r *resolver) patchedType(p patchedComponent) string {
	if p.typ != "" {
		return p.typ
	}
	typ := ""
	for _, c := range r.bp.Components {
		if !p.mayPatch(c) {
			continue
		}
		if typ != "" && typ != c.Type {
			return ""
		}
		typ = c.Type
	}
	return typ
}

// lookup finds and compiles a definition once.
func (r *resolver) lookup(u use) lookup {
	l, ok := r.found[u.ref]
	if ok {
		return l
	}
	l = r.find(u)
	r.found[u.ref] = l
	return l
}

func (r *resolver) find(u use) lookup {
	if u.ref.Name == "" {
		return lookup{} // Parse has complained
	}
	get := r.defs.Get
	if follow, ok := r.defs.(interface {
		Newest(ctx context.Context, namespace string, ref definition.Ref) (definition.Definition, error)
	}); ok && r.bp.App.AutoUpdate {
		get = follow.Newest
	}
	def, err := get(r.ctx, r.bp.App.Namespace, u.ref)
	switch {
	case errors.Is(err, definition.ErrNotFound) && u.native:
		return lookup{}
	case err != nil:
		return lookup{err: err}
	}
	r.bp.Definitions[u.ref] = def
	if def.Template == "" {
		return lookup{}
	}
	engine := r.opts.Components
	if u.ref.Kind == definition.WorkflowStep {
		engine = r.opts.Steps
	}
	t, err := engine.Compile(cue.Source{Kind: string(def.Kind), Name: def.Name, Text: def.Template})
	if err != nil {
		return lookup{err: fault.Because(v1beta1.ReasonInvalidDefinition,
			fmt.Errorf("%s definition %q does not compile: %w", def.Kind, def.Name, err),
			fault.Hint("whoever installed it has to correct it; this goes on by itself then"))}
	}
	return lookup{template: t}
}

// word is how messages call a kind of definition.
func word(k definition.Kind) string {
	if k == definition.WorkflowStep {
		return "step"
	}
	return string(k)
}

// missing turns the error of a look-up into what the user of the definition has
// to know.
func (u use) missing(err error) error {
	at := u.origin.Sub("type").String()
	var notFound *definition.NotFoundError
	if !errors.Is(err, definition.ErrNotFound) {
		if fault.Reason(err) != "" {
			return fault.With(err, fault.At(at))
		}
		return fmt.Errorf("load %s: %w", u.ref, err)
	}
	opts := []fault.Option{fault.At(at)}
	if errors.As(err, &notFound) && len(notFound.Near) > 0 {
		opts = append(opts, fault.Hint("did you mean %q?", notFound.Near[0]))
	} else {
		opts = append(opts, fault.Hint("install its definition, or use a type that is there: kubectl get %sdefinitions -A",
			strings.ReplaceAll(string(u.ref.Kind), "-", "")))
	}
	return fault.Because(v1beta1.ReasonDefinitionMissing,
		fmt.Errorf("%s: %s type %q is not installed", u.user, word(u.ref.Kind), u.ref.Name), opts...)
}

// Uses returns the definitions that a draft asks for, those that overrides bring
// in too, each once.
func (d Draft) Uses() []definition.Ref {
	var out []definition.Ref
	add := func(kind definition.Kind, name string) {
		if ref := (definition.Ref{Kind: kind, Name: name}); name != "" && !slices.Contains(out, ref) {
			out = append(out, ref)
		}
	}
	for _, c := range d.Components {
		add(definition.Component, c.Type)
		for _, t := range c.Traits {
			add(definition.Trait, t.Type)
		}
	}
	for _, o := range overrides(d) {
		for _, c := range o.components {
			add(definition.Component, c.typ)
			for _, t := range c.traits {
				add(definition.Trait, t.Type)
			}
		}
	}
	for _, p := range d.Policies {
		add(definition.Policy, p.Type)
	}
	for _, s := range d.Workflow.AllSteps() {
		add(definition.WorkflowStep, s.Type)
	}
	return out
}
