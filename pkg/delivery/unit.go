package delivery

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy"
	"github.com/seed-c5f95f19/vela/pkg/delivery/render"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
)

// A Target is what one step wants delivered: which components, where, changed
// by which policies.
type Target struct {
	Policies   []string           `json:"policies,omitempty"`   // by name, of the Application
	Inline     []blueprint.Policy `json:"inline,omitempty"`     // further ones, after those
	Components []string           `json:"components,omitempty"` // nil: all
	// Place sends everything to one place instead of where policies say.
	Place *policy.Placement `json:"place,omitempty"`
	// Changed replaces components of the Blueprint by name: a step may send a
	// component that it made itself.
	Changed []blueprint.Component `json:"changed,omitempty"`
	// Patch is merged into the rendered workload.
	Patch map[string]any `json:"patch,omitempty"`
	// SkipTerraform leaves cloud resources to other steps.
	SkipTerraform bool `json:"skipTerraform,omitempty"`
	// Env is the environment of an env-binding policy that it belongs to.
	Env string `json:"env,omitempty"`
	// NoWait counts what was sent as done, healthy or not.
	NoWait bool `json:"noWait,omitempty"`
}

// A unit is one component in one place: what is rendered, planned and observed
// together.
type unit struct {
	component blueprint.Component
	place     policy.Placement
	missing   []string       // inputs that nothing has put out yet
	patch     map[string]any // of a step, merged into the workload
	version   render.ClusterVersion
	env       string // of an env-binding policy

	manifests []manifest.Manifest
	rendered  bool     // manifests are what is wanted
	pending   []string // traits that wait for the live workload
	late      bool     // traits may give more once the workload is healthy
}

// name tells units of one target apart.
func (u *unit) name() string {
	return strings.Join([]string{u.place.Cluster, u.place.Namespace, u.component.Name, u.component.ReplicaKey}, "/")
}

// String is how messages call the unit.
func (u *unit) String() string {
	s := u.component.Name
	if u.component.ReplicaKey != "" {
		s += " (" + u.component.ReplicaKey + ")"
	}
	if u.place.Cluster != manifest.Local {
		s += " on " + u.place.Cluster
	}
	return s
}

// units returns the components of a target in all their places, in the order
// of the Blueprint, with the inputs that are known set.
func (r *Run) units(ctx context.Context, t Target) ([]*unit, error) {
	named, err := policy.Select(r.Blueprint.Policies, t.Policies)
	if err != nil {
		return nil, err
	}
	policies := append(slices.Clone(named), t.Inline...)
	if r.delivery.Offline {
		policies = slices.DeleteFunc(policies, Copies)
	}
	components, err := policy.Components(r.components(t), policies, policy.Options{Override: r.delivery.Override})
	if err != nil {
		return nil, err
	}
	if components, err = restrict(components, t.Components); err != nil {
		return nil, err
	}
	if t.SkipTerraform {
		components = r.withoutTerraform(components)
	}
	places, err := r.places(ctx, t, policies)
	if err != nil {
		return nil, err
	}
	var out []*unit
	for _, place := range places {
		for _, c := range components {
			u := &unit{component: c, place: place, patch: t.Patch, env: t.Env}
			if err := r.setInputs(u); err != nil {
				return nil, err
			}
			out = append(out, u)
		}
	}
	return out, nil
}

// components returns those of the Blueprint with the changed ones in place.
func (r *Run) components(t Target) []blueprint.Component {
	if len(t.Changed) == 0 {
		return r.Blueprint.Components
	}
	out := slices.Clone(r.Blueprint.Components)
	for _, c := range t.Changed {
		i := slices.IndexFunc(out, func(o blueprint.Component) bool { return o.Name == c.Name })
		if i < 0 {
			out = append(out, c)
			continue
		}
		out[i] = c
	}
	return out
}

// withoutTerraform leaves out cloud resources.
func (r *Run) withoutTerraform(components []blueprint.Component) []blueprint.Component {
	return slices.DeleteFunc(slices.Clone(components), func(c blueprint.Component) bool { return r.terraform(c.Type) })
}

func (r *Run) terraform(componentType string) bool {
	return r.Blueprint.Definitions[definition.Ref{Kind: definition.Component, Name: componentType}].Terraform != nil
}

// LeavesOut reports whether the named component is a cloud resource of the
// Application. A step may leave such a component out; what another step has
// delivered of it is wanted all the same.
func (r *Run) LeavesOut(component string) bool {
	return slices.ContainsFunc(r.Blueprint.Components, func(c blueprint.Component) bool {
		return c.Name == component && r.terraform(c.Type)
	})
}

// restrict keeps the components with the given names; nil keeps all.
func restrict(components []blueprint.Component, names []string) ([]blueprint.Component, error) {
	if names == nil {
		return components, nil
	}
	for _, name := range names {
		if !slices.ContainsFunc(components, func(c blueprint.Component) bool { return c.Name == name }) {
			return nil, fault.Invalid(v1beta1.ReasonReferenceMissing, fmt.Errorf("there is no component %q", name))
		}
	}
	var out []blueprint.Component
	for _, c := range components {
		if slices.Contains(names, c.Name) {
			out = append(out, c)
		}
	}
	return out, nil
}

func (r *Run) places(ctx context.Context, t Target, policies []blueprint.Policy) ([]policy.Placement, error) {
	if r.delivery.Offline {
		return []policy.Placement{{Namespace: r.Blueprint.App.Namespace}}, nil
	}
	if t.Place != nil {
		return []policy.Placement{{
			Cluster:   cmp.Or(t.Place.Cluster, manifest.Local),
			Namespace: cmp.Or(t.Place.Namespace, r.Blueprint.App.Namespace),
		}}, nil
	}
	known, err := r.clusters(ctx)
	if err != nil {
		return nil, err
	}
	return policy.Placements(policies, r.Blueprint.App.Namespace, known)
}

// clusters are those that can be selected, the same ones for the whole run.
func (r *Run) clusters(ctx context.Context) ([]policy.Cluster, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.joined != nil {
		return r.joined, nil
	}
	infos, err := r.delivery.Clusters.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range infos {
		r.joined = append(r.joined, policy.Cluster{Name: c.Name, Labels: c.Labels})
	}
	return r.joined, nil
}

// setInputs puts the values of other steps and components into the properties.
// What a component in the same place has put out goes before what a step has.
func (r *Run) setInputs(u *unit) error {
	for _, in := range u.component.Inputs {
		value, ok := r.value(u, in.From)
		if !ok {
			u.missing = append(u.missing, in.From)
			continue
		}
		if in.ParameterKey == "" {
			continue
		}
		properties, err := workflow.SetPath(u.component.Properties, in.ParameterKey, value)
		if err != nil {
			return fault.Invalid(v1beta1.ReasonInvalidProperties,
				fmt.Errorf("input %q of component %q: %w", in.From, u.component.Name, err))
		}
		u.component.Properties = properties
	}
	return nil
}

// value finds an input: of the same place and replica, of the same place, of a step.
func (r *Run) value(u *unit, name string) (any, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range []string{outputKey(u.place, u.component.ReplicaKey, name), outputKey(u.place, "", name), name} {
		if v, ok := r.Values[key]; ok {
			return v, true
		}
	}
	return nil, false
}

// outputKey is the name under which a component's output is kept.
func outputKey(place policy.Placement, replica, name string) string {
	return strings.Join([]string{place.Cluster, place.Namespace, replica, name}, "/")
}

// ready reports whether everything that u depends on, in its place, is done.
func ready(u *unit, all []*unit, done map[string]bool) bool {
	if len(u.missing) > 0 {
		return false
	}
	for _, dep := range u.component.DependsOn {
		for _, o := range all {
			if o.component.Name == dep && o.place == u.place && !done[o.name()] {
				return false
			}
		}
	}
	return true
}
