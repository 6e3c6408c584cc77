package blueprint

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// kubectlApplied is kubectl's copy of the whole object: never part of a delivery.
const kubectlApplied = "kubectl.kubernetes.io/last-applied-configuration"

// Parse reads an Application and merges in the policies and the workflow that
// it refers to by name. Without refs, as in an offline dry-run, nothing outside
// the Application can be referred to. All mistakes come in one go, joined, each
// with its place.
func Parse(ctx context.Context, app *v1beta1.Application, refs References) (Draft, error) {
	p := parser{ctx: ctx, refs: refs, draft: Draft{App: appOf(app), Spec: *app.Spec.DeepCopy()}}
	if p.draft.App.AutoUpdate && p.draft.App.PublishVersion != "" {
		p.fail(fault.Invalid(v1beta1.ReasonInvalidApplication,
			fmt.Errorf("annotations %s and %s contradict each other: use one of them",
				oam.AnnotationAutoUpdate, oam.AnnotationPublishVersion),
			fault.At("metadata.annotations")))
	}
	p.components(app.Spec.Components)
	p.policies(app.Spec.Policies)
	p.workflow(app.Spec.Workflow)
	p.externalPolicies()
	p.checkDependsOn()
	return p.draft, errors.Join(p.errs...)
}

func appOf(app *v1beta1.Application) App {
	annotations := maps.Clone(app.Annotations)
	delete(annotations, kubectlApplied)
	return App{
		Namespace: app.Namespace, Name: app.Name, UID: app.UID, Generation: app.Generation,
		Labels: maps.Clone(app.Labels), Annotations: annotations,
		PublishVersion: annotations[oam.AnnotationPublishVersion],
		AutoUpdate:     annotations[oam.AnnotationAutoUpdate] == "true",
	}
}

// parser collects a Draft and everything that is wrong with it.
type parser struct {
	ctx   context.Context //nolint:containedctx // lives for one Parse
	refs  References
	draft Draft
	errs  []error
}

func (p *parser) fail(err error) { p.errs = append(p.errs, err) }

func (p *parser) invalid(reason, at, format string, args ...any) {
	p.fail(fault.Invalid(reason, fmt.Errorf(format, args...), fault.At(at)))
}

// properties decodes free-form properties, which must be an object.
func (p *parser) properties(raw *runtime.RawExtension, o Origin) map[string]any {
	m, err := properties(raw)
	if err != nil {
		p.invalid(v1beta1.ReasonInvalidProperties, o.Property(""), "%w", err)
	}
	return m
}

func properties(raw *runtime.RawExtension) (map[string]any, error) {
	if raw == nil || len(raw.Raw) == 0 {
		return nil, nil
	}
	v, err := provider.Unmarshal(raw.Raw)
	if err != nil {
		return nil, fmt.Errorf("is not valid JSON: %w", err)
	}
	switch v := v.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return v, nil
	case []any:
		return nil, errors.New("expected an object with fields, got a list")
	}
	return nil, fmt.Errorf("expected an object with fields, got %s", raw.Raw)
}

// unique reports a name that was used before, together with its first place.
func (p *parser) unique(seen map[string]string, what, name, at string) {
	if first, dup := seen[name]; dup {
		p.invalid(v1beta1.ReasonDuplicateName, at+".name",
			"%s name %q is used twice; the first is %s", what, name, first)
		return
	}
	seen[name] = at
}

func (p *parser) components(in []v1beta1.ApplicationComponent) {
	seen := map[string]string{}
	for i, c := range in {
		at := fmt.Sprintf("spec.components[%d]", i)
		if c.Name == "" {
			p.invalid(v1beta1.ReasonInvalidApplication, at+".name", "a component needs a name")
		} else {
			p.unique(seen, "component", c.Name, at)
		}
		if c.Type == "" {
			p.invalid(v1beta1.ReasonInvalidApplication, at+".type", "component %q has no type", c.Name)
		}
		o := Origin{Path: at}
		p.draft.Components = append(p.draft.Components, Component{
			Name: c.Name, Type: c.Type, Properties: p.properties(c.Properties, o),
			Traits: p.traits(c, o), DependsOn: c.DependsOn,
			Inputs: inputs(c.Inputs), Outputs: outputs(c.Outputs), ReplicaKey: c.ReplicaKey, Origin: o,
		})
	}
}

func (p *parser) traits(c v1beta1.ApplicationComponent, parent Origin) []Trait {
	var out []Trait
	for i, t := range c.Traits {
		o := parent.Sub(fmt.Sprintf("traits[%d]", i))
		if t.Type == "" {
			p.invalid(v1beta1.ReasonInvalidApplication, o.Path+".type", "trait %d of component %q has no type", i, c.Name)
		}
		out = append(out, Trait{Type: t.Type, Properties: p.properties(t.Properties, o), Origin: o})
	}
	return out
}

func (p *parser) policies(in []v1beta1.AppPolicy) {
	seen := map[string]string{}
	for i, pol := range in {
		policy := PolicyOf(pol, i)
		at := policy.Origin.String()
		p.unique(seen, "policy", policy.Name, at)
		if pol.Type == "" {
			p.invalid(v1beta1.ReasonInvalidApplication, at+".type", "policy %q has no type", policy.Name)
		}
		policy.Properties = p.properties(pol.Properties, policy.Origin)
		p.draft.Policies = append(p.draft.Policies, policy)
	}
}

func inputs(in []v1beta1.StepInput) []Input {
	var out []Input
	for _, i := range in {
		out = append(out, Input{From: i.From, ParameterKey: i.ParameterKey})
	}
	return out
}

func outputs(in []v1beta1.StepOutput) []Output {
	var out []Output
	for _, o := range in {
		out = append(out, Output{Name: o.Name, ValueFrom: o.ValueFrom})
	}
	return out
}
