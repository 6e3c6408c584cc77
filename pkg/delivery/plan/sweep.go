package plan

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// Sweep returns the removal of what is owned and not in Desired. Unless Desired
// is complete there is nothing to remove: what a step has not asked for yet may
// still be wanted.
func Sweep(in Input) Plan {
	if !in.Complete {
		return Plan{Digest: digest(Plan{})}
	}
	return in.sweep(false)
}

// Teardown returns the removal of everything that is owned: the Application is
// deleted.
func Teardown(in Input) Plan {
	in.Desired = nil
	return in.sweep(true)
}

func (in Input) sweep(final bool) Plan {
	p := Plan{Final: final}
	s := sweeper{Input: in, plan: &p, wanted: make(map[manifest.Key]bool, len(in.Desired))}
	for _, m := range in.Desired {
		s.wanted[m.Key] = true
	}
	s.remaining = s.componentsLeft()
	for _, e := range in.Owned.Reversed() {
		if !s.wanted[e.Key] {
			s.judge(e)
		}
	}
	slices.SortStableFunc(p.Deletes, func(a, b Delete) int { return a.Wave - b.Wave })
	p.Digest = digest(p)
	return p
}

type sweeper struct {
	Input
	plan      *Plan
	wanted    map[manifest.Key]bool
	remaining map[string]bool // components that still have objects to remove
}

// judge decides about one owned object that is not wanted.
func (s *sweeper) judge(e inventory.Entry) {
	l, gathered := s.Live[e.Key]
	switch {
	case l.Detached:
		s.forget(e, fmt.Sprintf("cluster %q is not joined any more", e.Key.Cluster))
	case !gathered || !l.Known:
		s.wait(e, unknownReason(l))
	case l.Object == nil:
		s.forget(e, "it does not exist any more")
	default:
		s.existing(e, l)
	}
}

func (s *sweeper) existing(e inventory.Entry, l Live) {
	owner, owned := ownerOf(l.Object)
	sharers := sharersOf(l.Object)
	me := s.Owner.App()
	others := slices.DeleteFunc(slices.Clone(sharers), func(a types.NamespacedName) bool { return a == me })
	switch {
	case !owned:
		s.forget(e, "it carries no label of an Application any more")
	case owner != me && len(others) < len(sharers):
		s.release(e, l, Metadata{Annotations: map[string]string{oam.AnnotationSharedBy: joinSharers(others)}})
	case owner != me:
		s.forget(e, fmt.Sprintf("it belongs to Application %q now", owner))
	case l.Object.GetDeletionTimestamp() != nil:
		s.wait(e, "it is being deleted")
	case len(others) > 0:
		s.release(e, l, handOver(others))
	default:
		s.remove(e, l)
	}
}

// remove follows the garbage-collect rules.
func (s *sweeper) remove(e inventory.Entry, l Live) {
	strategy, propagation := s.Rules.garbageCollect(subjectOfEntry(e, l))
	needed := s.neededBy(e.Key)
	switch {
	case strategy == v1alpha1.GarbageCollectNever || e.SkipGC:
		s.release(e, l, disown(l))
	case strategy == v1alpha1.GarbageCollectOnAppDelete && !s.plan.Final:
		s.plan.keep(e.Key, "a garbage-collect policy keeps it until the Application is deleted")
	case needed != "":
		s.plan.keep(e.Key, needed)
	case s.blocked(e) != "":
		s.wait(e, fmt.Sprintf("it waits for component %q, which depends on it", s.blocked(e)))
	default:
		s.plan.Deletes = append(s.plan.Deletes, Delete{
			Entry: e, UID: l.Object.GetUID(), Wave: removalWave(e),
			Orphan: propagation == v1alpha1.GarbageCollectOrphan,
		})
	}
}

// neededBy says why an object that is not wanted itself holds others that are:
// deleting a namespace or a kind deletes everything of it.
func (s *sweeper) neededBy(key manifest.Key) string {
	r, _ := kindRank(key.Group, key.Kind)
	for _, m := range s.Desired {
		if m.Key.Cluster != key.Cluster {
			continue
		}
		switch {
		case key.Kind == "Namespace" && r == rankNamespace && key.Group == "" && m.Key.Namespace == key.Name:
			return fmt.Sprintf("it holds %s, which is wanted", m.Key)
		case key.Kind == "CustomResourceDefinition" && definesKind(key.Name, m.Key.Group):
			return fmt.Sprintf("it may define %s, which is wanted", m.Key)
		}
	}
	return ""
}

// definesKind reports whether a CustomResourceDefinition of that name, which is
// "<plural>.<group>", is of the group.
func definesKind(name, group string) bool {
	n := len(name) - len(group)
	return group != "" && n > 1 && name[n:] == group && name[n-1] == '.'
}

// componentsLeft returns the components of which something has to go.
func (s *sweeper) componentsLeft() map[string]bool {
	left := map[string]bool{}
	for _, e := range s.Owned.Entries {
		l := s.Live[e.Key]
		if !s.wanted[e.Key] && !l.Detached && (!l.Known || l.Object != nil) {
			left[e.Component] = true
		}
	}
	return left
}

// blocked returns a component that depends on the one of e and is not gone, with
// order "dependency".
func (s *sweeper) blocked(e inventory.Entry) string {
	if s.Rules.Order != v1alpha1.GarbageCollectDependency {
		return ""
	}
	var found string
	for component, needs := range s.DependsOn {
		if s.remaining[component] && component != e.Component && slices.Contains(needs, e.Component) {
			if found == "" || component < found {
				found = component
			}
		}
	}
	return found
}

func (s *sweeper) forget(e inventory.Entry, reason string) {
	s.plan.Forgets = append(s.plan.Forgets, Forget{Key: e.Key, Reason: reason})
}

func (s *sweeper) wait(e inventory.Entry, reason string) {
	s.plan.Keeps = append(s.plan.Keeps, Keep{Key: e.Key, Reason: reason, Waiting: true})
}

func (s *sweeper) release(e inventory.Entry, l Live, m Metadata) {
	s.plan.Deletes = append(s.plan.Deletes, Delete{Entry: e, UID: l.Object.GetUID(), Wave: removalWave(e), Release: &m})
}

// handOver gives an object to the first of the others that share it.
func handOver(others []types.NamespacedName) Metadata {
	next := others[0]
	return Metadata{
		Labels:      map[string]string{oam.LabelAppName: next.Name, oam.LabelAppNamespace: next.Namespace},
		Annotations: map[string]string{oam.AnnotationSharedBy: joinSharers(others), AnnotationAppliedDigest: ""},
	}
}

// disown removes what says that an object is ours.
func disown(l Live) Metadata {
	m := Metadata{Labels: map[string]string{}, Annotations: map[string]string{AnnotationAppliedDigest: ""}}
	labels := l.Object.GetLabels()
	for _, key := range []string{oam.LabelAppName, oam.LabelAppNamespace, oam.LabelAppUID} {
		if _, ok := labels[key]; ok {
			m.Labels[key] = ""
		}
	}
	return m
}

// subjectOfEntry fills what the inventory does not know from the live labels.
func subjectOfEntry(e inventory.Entry, l Live) Subject {
	labels := l.Object.GetLabels()
	return Subject{
		Component:     cmp.Or(e.Component, labels[oam.LabelComponent]),
		ComponentType: labels[oam.LabelWorkloadType],
		OAMType:       labels[oam.LabelResourceType],
		Trait:         cmp.Or(e.Trait, labels[oam.LabelTraitType]),
		Kind:          e.Key.Kind,
		Name:          e.Key.Name,
	}
}

// removalWave is the reverse of the order of sending.
func removalWave(e inventory.Entry) int { return ranks - rank(e.Key, e.Trait) }
