// Package policy is the visible list of the policies that the control plane
// itself understands, and what they decide together. Each lives in its own
// folder and is pure:
//
//	topology        where components go: clusters and namespace
//	override        changes components for one delivery
//	replication     copies components by key
//	garbagecollect  when objects go that are no longer wanted
//	applyonce       whose drift is left alone
//	takeover        which objects without owner are adopted
//	readonly        which objects are only read
//	sharedresource  which objects several Applications may own
//	resourceupdate  how objects are changed: by patch, replacement or anew
//	envbinding      environments of the deprecated deploy2env steps
//
// All other types are definitions that render objects. The policies that a
// deploy step names decide Placements and Components; Rules come from all
// policies of the Application.
package policy

import (
	"errors"
	"fmt"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/applyonce"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/garbagecollect"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/override"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/readonly"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/replication"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/resourceupdate"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/sharedresource"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/takeover"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/topology"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// A Cluster is one that a topology can select.
type Cluster = topology.Cluster

// A Placement is one place that gets components.
type Placement = topology.Placement

// Options change how policies are read.
type Options struct {
	Override override.Options
}

// Placements returns where the policies place an Application of namespace, each
// place once. clusters are those that have been joined.
func Placements(policies []blueprint.Policy, namespace string, clusters []Cluster) ([]Placement, error) {
	return topology.Placements(policies, namespace, clusters)
}

// Components returns what the policies make of the components: overrides in
// their order, then replications.
func Components(components []blueprint.Component, policies []blueprint.Policy, o Options) ([]blueprint.Component, error) {
	var err error
	for _, p := range policies {
		if p.Type != override.Type {
			continue
		}
		if components, err = override.Apply(components, p, o.Override); err != nil {
			return nil, err
		}
	}
	for _, p := range policies {
		if p.Type != replication.Type {
			continue
		}
		if components, err = replication.Apply(components, p); err != nil {
			return nil, err
		}
	}
	return components, nil
}

// resource lists the policies that become rules.
func resource(typ string) func(*plan.Rules, blueprint.Policy) error {
	switch typ {
	case garbagecollect.Type:
		return garbagecollect.Apply
	case applyonce.Type:
		return applyonce.Apply
	case takeover.Type:
		return takeover.Apply
	case readonly.Type:
		return readonly.Apply
	case sharedresource.Type:
		return sharedresource.Apply
	case resourceupdate.Type:
		return resourceupdate.Apply
	}
	return nil
}

// Rules returns what all resource policies say together: rules one after the
// other, switches on when any policy switches them on.
func Rules(policies []blueprint.Policy) (plan.Rules, error) {
	var rules plan.Rules
	var errs []error
	for _, p := range policies {
		if apply := resource(p.Type); apply != nil {
			errs = append(errs, apply(&rules, p))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return plan.Rules{}, err
	}
	return rules, nil
}

// RevisionLimit returns how many revisions garbage-collect policies want to be
// kept, or otherwise.
func RevisionLimit(policies []blueprint.Policy, otherwise int) (int, error) {
	for _, p := range policies {
		if p.Type != garbagecollect.Type {
			continue
		}
		limit, ok, err := garbagecollect.RevisionLimit(p)
		if ok || err != nil {
			return limit, err
		}
	}
	return otherwise, nil
}

// Select returns the policies of these names, in their order: what a deploy step
// names.
func Select(policies []blueprint.Policy, names []string) ([]blueprint.Policy, error) {
	byName := make(map[string]blueprint.Policy, len(policies))
	known := make([]string, 0, len(policies))
	for _, p := range policies {
		byName[p.Name] = p
		known = append(known, p.Name)
	}
	var out []blueprint.Policy
	for _, name := range names {
		p, ok := byName[name]
		if !ok {
			var opts []fault.Option
			if near := blueprint.Nearest(name, known); near != "" {
				opts = append(opts, fault.Hint("did you mean %q?", near))
			}
			return nil, fault.Because(v1beta1.ReasonReferenceMissing, fmt.Errorf("there is no policy %q", name), opts...)
		}
		out = append(out, p)
	}
	return out, nil
}
