package blueprint

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// AllSteps returns the steps and their sub steps in order.
func (w Workflow) AllSteps() []Step {
	var out []Step
	for _, s := range w.Steps {
		out = append(append(out, s), s.SubSteps...)
	}
	return out
}

// externalPolicies adds the Policy objects that deploy steps name and the
// Application does not have itself.
func (p *parser) externalPolicies() {
	known := map[string]bool{}
	var names []string
	for _, pol := range p.draft.Policies {
		known[pol.Name] = true
		names = append(names, pol.Name)
	}
	for _, s := range p.draft.Workflow.AllSteps() {
		if base(s.Type) != StepDeploy || filledLater(s.Inputs, "policies") {
			continue
		}
		list, _ := s.Properties["policies"].([]any)
		for i, v := range list {
			name, ok := v.(string)
			if !ok || known[name] {
				continue // a wrong type is found with the other properties
			}
			known[name] = true // say it once
			at := s.Origin.Property(fmt.Sprintf("policies[%d]", i))
			if pol, ok := p.loadPolicy(name, at, names); ok {
				p.draft.Policies = append(p.draft.Policies, pol)
			}
		}
	}
}

func (p *parser) loadPolicy(name, at string, names []string) (Policy, bool) {
	missing := func(text string) {
		opts := []fault.Option{fault.At(at)}
		if near := Nearest(name, names); near != "" {
			opts = append(opts, fault.Hint("did you mean %q?", near))
		}
		p.fail(fault.Because(v1beta1.ReasonReferenceMissing, fmt.Errorf("the Application has no policy %q%s", name, text), opts...))
	}
	if p.refs == nil {
		missing("")
		return Policy{}, false
	}
	obj, err := p.refs.Policy(p.ctx, p.draft.App.Namespace, name)
	switch {
	case apierrors.IsNotFound(err):
		missing(", and there is no Policy " + p.key(name))
		return Policy{}, false
	case err != nil:
		p.fail(fmt.Errorf("read Policy %s: %w", p.key(name), err))
		return Policy{}, false
	}
	p.draft.ReferencedPolicies = append(p.draft.ReferencedPolicies, *obj.DeepCopy())
	return p.external(obj), true
}

func (p *parser) external(obj *v1alpha1.Policy) Policy {
	o := Origin{Object: "Policy " + p.key(obj.Name)}
	return Policy{Name: obj.Name, Type: obj.Type, Properties: p.properties(obj.Properties, o), External: true, Origin: o}
}

// InlinePolicies returns the policies that a deploy step carries itself, under
// inlinePolicies.
func InlinePolicies(s Step) []Policy {
	list, _ := s.Properties["inlinePolicies"].([]any)
	var out []Policy
	for i, v := range list {
		m, ok := v.(map[string]any)
		if !ok {
			continue
		}
		pol := Policy{Origin: Origin{Object: s.Origin.Object, Path: fmt.Sprintf("%s.properties.inlinePolicies[%d]", s.Origin.Path, i)}}
		pol.Name, _ = m["name"].(string)
		pol.Type, _ = m["type"].(string)
		pol.Properties, _ = m["properties"].(map[string]any)
		if pol.Name == "" {
			pol.Name = fmt.Sprintf("inline-%s-policy-%d", pol.Type, i)
		}
		out = append(out, pol)
	}
	return out
}

// filledLater reports whether an input fills the property, or a part of it,
// when the step or component runs.
func filledLater(in []Input, property string) bool {
	return slices.ContainsFunc(in, func(i Input) bool {
		key, _ := next(i.ParameterKey)
		return key == property
	})
}

func base(typ string) string {
	name, _, _ := strings.Cut(typ, "@")
	return name
}

// checkDependsOn finds names that nothing has, and circles, which would both
// wait for ever.
func (p *parser) checkDependsOn() {
	added := p.addedByOverrides()
	g := graph{what: "component", names: map[string]node{}}
	for _, c := range p.draft.Components {
		g.add(c.Name, c.Origin.String(), c.DependsOn)
	}
	for _, name := range added {
		g.add(name, "", nil)
	}
	g.check(p)
	if p.draft.Workflow.Generated {
		return // its dependencies are those of the components
	}
	g = graph{what: "step", names: map[string]node{}}
	for _, s := range p.draft.Workflow.AllSteps() {
		g.add(s.Name, s.Origin.String(), s.DependsOn)
	}
	g.check(p)
}

// addedByOverrides returns the names that override policies may bring in.
func (p *parser) addedByOverrides() []string {
	var out []string
	for _, o := range overrides(p.draft) {
		for _, c := range o.components {
			out = append(out, c.name)
		}
	}
	return out
}

// A graph is who depends on whom.
type graph struct {
	what  string
	names map[string]node
	order []string
}

type node struct {
	at        string
	dependsOn []string
}

func (g *graph) add(name, at string, dependsOn []string) {
	if _, dup := g.names[name]; dup {
		return
	}
	g.names[name] = node{at, dependsOn}
	g.order = append(g.order, name)
}

func (g *graph) check(p *parser) {
	known := slices.Sorted(maps.Keys(g.names))
	for _, name := range g.order {
		n := g.names[name]
		for i, dep := range n.dependsOn {
			if _, ok := g.names[dep]; ok {
				continue
			}
			opts := []fault.Option{fault.At(fmt.Sprintf("%s.dependsOn[%d]", n.at, i))}
			if near := Nearest(dep, known); near != "" {
				opts = append(opts, fault.Hint("did you mean %q?", near))
			}
			p.fail(fault.Invalid(v1beta1.ReasonInvalidWorkflow,
				fmt.Errorf("%s %q depends on %q, which does not exist", g.what, name, dep), opts...))
		}
	}
	if circle := g.circle(); len(circle) > 0 {
		p.invalid(v1beta1.ReasonInvalidWorkflow, g.names[circle[0]].at+".dependsOn",
			"%ss depend on each other in a circle: %s", g.what, strings.Join(append(circle, circle[0]), " -> "))
	}
}

// circle returns the first circle of dependencies, nil when there is none.
func (g *graph) circle() []string {
	done := map[string]bool{}
	var path []string
	var visit func(name string) []string
	visit = func(name string) []string {
		if i := slices.Index(path, name); i >= 0 {
			return slices.Clone(path[i:])
		}
		if done[name] {
			return nil
		}
		path = append(path, name)
		for _, dep := range g.names[name].dependsOn {
			if c := visit(dep); c != nil {
				return c
			}
		}
		path = path[:len(path)-1]
		done[name] = true
		return nil
	}
	for _, name := range g.order {
		if c := visit(name); c != nil {
			return c
		}
	}
	return nil
}
