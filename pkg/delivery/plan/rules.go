package plan

import (
	"slices"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// Rules are what the resource policies of an Application say, merged. Of
// several rules that select an object the first one counts. The zero value
// means: create, update, delete what is not wanted any more.
type Rules struct {
	// KeepLegacy leaves objects that are no longer wanted until the Application is
	// deleted.
	KeepLegacy     bool
	Order          v1alpha1.GarbageCollectOrder
	GarbageCollect []v1alpha1.GarbageCollectRule

	// ApplyOnce leaves every object alone once it was sent, until something new is
	// published.
	ApplyOnce      bool
	ApplyOnceRules []v1alpha1.ApplyOnceRule

	TakeOver []v1alpha1.ResourceSelector
	ReadOnly []v1alpha1.ResourceSelector
	Shared   []v1alpha1.ResourceSelector

	Update []v1alpha1.ResourceUpdateRule
}

// A Subject is what selectors look at.
type Subject struct {
	Component     string
	ComponentType string
	OAMType       string // WORKLOAD or TRAIT
	Trait         string
	Kind          string
	Name          string
}

// SubjectOf returns the subject of a manifest.
func SubjectOf(m manifest.Manifest) Subject {
	s := Subject{
		Component: m.Component, ComponentType: m.ComponentType, OAMType: oam.ResourceTypeTrait,
		Trait: m.Trait, Kind: m.Key.Kind, Name: m.Key.Name,
	}
	switch {
	case m.Policy != "":
		s.OAMType = "" // neither: selectors of components and traits do not find it
	case m.Workload():
		s.OAMType = oam.ResourceTypeWorkload
	case m.Trait == "":
		s.Trait = oam.AuxiliaryWorkload
	}
	return s
}

// Selects reports whether every field of sel that is set names s. A selector
// without any field selects nothing.
func Selects(sel v1alpha1.ResourceSelector, s Subject) bool {
	fields := []struct {
		names []string
		value string
	}{
		{sel.ComponentNames, s.Component},
		{sel.ComponentTypes, s.ComponentType},
		{sel.OAMTypes, s.OAMType},
		{sel.TraitTypes, s.Trait},
		{sel.ResourceTypes, s.Kind},
		{sel.ResourceNames, s.Name},
	}
	set := false
	for _, f := range fields {
		if len(f.names) == 0 {
			continue
		}
		if set = true; !slices.Contains(f.names, f.value) {
			return false
		}
	}
	return set
}

func anySelects(selectors []v1alpha1.ResourceSelector, s Subject) bool {
	return slices.ContainsFunc(selectors, func(sel v1alpha1.ResourceSelector) bool { return Selects(sel, s) })
}

// garbageCollect returns the strategy and propagation for s.
func (r Rules) garbageCollect(s Subject) (v1alpha1.GarbageCollectStrategy, v1alpha1.GarbageCollectPropagation) {
	strategy, propagation := v1alpha1.GarbageCollectOnAppUpdate, v1alpha1.GarbageCollectCascading
	if r.KeepLegacy {
		strategy = v1alpha1.GarbageCollectOnAppDelete
	}
	var haveStrategy, havePropagation bool
	for _, rule := range r.GarbageCollect {
		if !Selects(rule.Selector, s) {
			continue
		}
		if rule.Strategy != "" && !haveStrategy {
			strategy, haveStrategy = rule.Strategy, true
		}
		if rule.Propagation != "" && !havePropagation {
			propagation, havePropagation = rule.Propagation, true
		}
	}
	return strategy, propagation
}

// wholeObject is the apply-once path that means every field.
const wholeObject = "*"

// applyOnce returns the fields of s that belong to the cluster on this occasion;
// all means the object as a whole.
func (r Rules) applyOnce(s Subject, repair bool) (paths []string, all bool) {
	if r.ApplyOnce && len(r.ApplyOnceRules) == 0 {
		return nil, repair
	}
	occasion := v1alpha1.ApplyOnceOnUpdate
	if repair {
		occasion = v1alpha1.ApplyOnceOnStateKeep
	}
	for _, rule := range r.ApplyOnceRules {
		if rule.Strategy == nil || !Selects(rule.Selector, s) {
			continue
		}
		affect := rule.Strategy.Affect
		if affect != "" && affect != v1alpha1.ApplyOnceAlways && affect != occasion {
			return nil, false
		}
		if slices.Contains(rule.Strategy.Path, wholeObject) {
			return nil, true
		}
		return rule.Strategy.Path, false
	}
	return nil, false
}

// update returns how s is changed.
func (r Rules) update(s Subject) v1alpha1.ResourceUpdateStrategy {
	for _, rule := range r.Update {
		if Selects(rule.Selector, s) {
			return rule.Strategy
		}
	}
	return v1alpha1.ResourceUpdateStrategy{}
}
