package plan

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// Reasons why an object is left alone.
const (
	KeepReadOnly  = "a read-only policy leaves it alone"
	KeepApplyOnce = "an apply-once policy leaves it alone"
)

// FieldsDropped is the path of the Change that stands for fields that were sent
// before and are not wanted any more, when nothing else tells which.
const FieldsDropped = "(fields that are not wanted any more)"

// Compute returns what makes the desired manifests live: creates and changes in
// the order of sending, and what stands in the way. It never deletes; Sweep does.
func Compute(input Input) Plan {
	var p Plan
	in := judge{Input: input, listed: make(map[manifest.Key]bool, input.Owned.Len())}
	for _, e := range input.Owned.Entries {
		in.listed[e.Key] = true
	}
	first := make(map[manifest.Key]manifest.Manifest, len(in.Desired))
	for _, m := range in.Desired {
		if before, twice := first[m.Key]; twice {
			p.refuse(m, Refusal{Code: v1beta1.ReasonDuplicateOutput, Reason: twiceWanted(before, m)})
			continue
		}
		first[m.Key] = m
		in.manifest(&p, m)
	}
	slices.SortStableFunc(p.Applies, func(a, b Apply) int { return a.Wave - b.Wave })
	p.Digest = digest(p)
	return p
}

func twiceWanted(before, again manifest.Manifest) string {
	switch {
	case before.Policy != "" || again.Policy != "":
		return fmt.Sprintf("%s and %s both want it", wanter(before), wanter(again))
	case before.Component == again.Component:
		return fmt.Sprintf("component %q wants it twice", again.Component)
	}
	return fmt.Sprintf("components %q and %q both want it", before.Component, again.Component)
}

func wanter(m manifest.Manifest) string {
	if m.Policy != "" {
		return fmt.Sprintf("policy %q", m.Policy)
	}
	return fmt.Sprintf("component %q", m.Component)
}

// A judge decides about manifests.
type judge struct {
	Input
	listed map[manifest.Key]bool // in the inventory
}

// manifest decides about one.
func (in judge) manifest(p *Plan, m manifest.Manifest) {
	l, gathered := in.Live[m.Key]
	subject := SubjectOf(m)
	readOnly := anySelects(in.Rules.ReadOnly, subject)
	switch {
	case m.Key.Name == "":
		p.refuse(m, Refusal{Code: v1beta1.ReasonRenderFailed, Reason: "it has no name; nobody could own it"})
	case !gathered || !l.Known:
		p.refuse(m, unknown(m, l))
	case l.Object == nil && readOnly:
		p.refuse(m, Refusal{Code: v1beta1.ReasonReferenceMissing, Waiting: true, Reason: "a read-only policy selects it, but it does not exist"})
	case readOnly:
		p.keep(m.Key, KeepReadOnly)
	case l.Refused != "" && l.Object == nil:
		p.refuse(m, byServer(m, l))
	case l.Object == nil:
		in.create(p, m, subject)
	case l.Object.GetDeletionTimestamp() != nil:
		p.refuse(m, Refusal{Code: v1beta1.ReasonRefused, Waiting: true, Reason: "it is being deleted; it is created again when it is gone"})
	default:
		in.existing(p, m, l, subject)
	}
}

func unknownReason(l Live) string {
	if l.Reason != "" {
		return l.Reason
	}
	return "its state in the cluster is not known"
}

func (in judge) create(p *Plan, m manifest.Manifest, subject Subject) {
	if _, all := in.Rules.applyOnce(subject, in.Repair); all && in.Repair && in.listed[m.Key] {
		p.keep(m.Key, KeepApplyOnce)
		return
	}
	p.apply(Apply{Manifest: m, Action: Create})
}

// existing decides about an object that is there, by who owns it.
func (in judge) existing(p *Plan, m manifest.Manifest, l Live, subject Subject) {
	owner, owned := ownerOf(l.Object)
	switch {
	case owner == in.Owner.App(), !owned && in.listed[m.Key]:
		in.update(p, m, l, subject, Update)
	case !owned && anySelects(in.Rules.TakeOver, subject):
		in.update(p, m, l, subject, Adopt)
	case !owned:
		p.refuse(m, Refusal{Code: v1beta1.ReasonOwnedByOther, Reason: "it exists and belongs to no Application; a take-over policy would adopt it"})
	case anySelects(in.Rules.Shared, subject):
		in.share(p, m, l)
	default:
		p.refuse(m, Refusal{Code: v1beta1.ReasonOwnedByOther, Reason: fmt.Sprintf("it belongs to Application %q", owner)})
	}
}

// update compares and decides between nothing, a change and a new object.
func (in judge) update(p *Plan, m manifest.Manifest, l Live, subject Subject, action Action) {
	paths, all := in.Rules.applyOnce(subject, in.Repair)
	if all && action == Update {
		p.keep(m.Key, KeepApplyOnce)
		return
	}
	if l.Refused != "" {
		p.refuse(m, byServer(m, l))
		return
	}
	a := Apply{
		Manifest: m, Action: action, Digest: m.Digest(),
		UID: l.Object.GetUID(), ResourceVersion: l.Object.GetResourceVersion(),
	}
	if len(paths) > 0 {
		a.Manifest = leave(m, l.Object, paths)
	}
	sent := l.Object.GetAnnotations()[AnnotationAppliedDigest] == a.Digest
	var found []difference
	if !l.Converged || !sent {
		found = differences(a.Manifest.Object, l.Object, l.Drifted)
	}
	if !sent && len(found) == 0 { // something did change: zero values perhaps
		found = differences(a.Manifest.Object, l.Object, true)
	}
	if sent && len(found) == 0 && action == Update {
		a.Action = Unchanged
		p.apply(a)
		return
	}
	mask := maskerFor(m.Object)
	for _, d := range found {
		a.Changes = append(a.Changes, mask.change(d))
	}
	if len(found) == 0 && action == Update {
		a.Changes = []Change{{Path: FieldsDropped}}
	}
	in.strategy(&a, found, subject)
	p.apply(a)
}

// strategy applies a resource-update rule.
func (in judge) strategy(a *Apply, found []difference, subject Subject) {
	s := in.Rules.update(subject)
	a.Replace = s.Op == v1alpha1.ResourceUpdateReplace
	for _, d := range found {
		for _, field := range s.RecreateFields {
			if covers(field, d.at) && a.Action == Update {
				a.Action, a.Replace = Recreate, false
			}
		}
	}
}

// share lets the owner know that this Application needs the object too.
func (in judge) share(p *Plan, m manifest.Manifest, l Live) {
	a := Apply{
		Manifest: m, Action: Share,
		UID: l.Object.GetUID(), ResourceVersion: l.Object.GetResourceVersion(),
	}
	sharers := sharersOf(l.Object)
	if slices.Contains(sharers, in.Owner.App()) {
		a.Action = Unchanged
	} else {
		a.Patch = &Metadata{Annotations: map[string]string{
			oam.AnnotationSharedBy: joinSharers(append(sharers, in.Owner.App())),
		}}
	}
	p.apply(a)
}

// leave returns m with the live values at the paths.
func leave(m manifest.Manifest, live *unstructured.Unstructured, paths []string) manifest.Manifest {
	obj := &unstructured.Unstructured{Object: clone(m.Object.Object).(map[string]any)}
	for _, path := range paths {
		at := steps(path)
		if value, ok := lookup(live.Object, at); ok {
			assign(obj.Object, at, clone(value))
		}
	}
	out := manifest.New(m.Key.Cluster, obj)
	out.Component, out.ComponentType, out.Trait, out.Output = m.Component, m.ComponentType, m.Trait, m.Output
	out.ReplicaKey, out.Stage, out.Policy = m.ReplicaKey, m.Stage, m.Policy
	return out
}

func (p *Plan) apply(a Apply) {
	if a.Digest == "" {
		a.Digest = a.Manifest.Digest()
	}
	a.Wave = wave(a.Manifest)
	p.Applies = append(p.Applies, a)
}

func (p *Plan) keep(key manifest.Key, reason string) {
	p.Keeps = append(p.Keeps, Keep{Key: key, Reason: reason})
}

func (p *Plan) refuse(m manifest.Manifest, r Refusal) {
	r.Key, r.Component, r.Trait, r.Policy = m.Key, m.Component, m.Trait, m.Policy
	p.Refusals = append(p.Refusals, r)
}

// unknown is the refusal of an object about which nothing could be learnt.
func unknown(m manifest.Manifest, l Live) Refusal {
	code := v1beta1.ReasonClusterUnreachable
	if l.Detached {
		code = v1beta1.ReasonClusterMissing
	}
	return Refusal{Code: code, Waiting: true, Reason: Redact(m, unknownReason(l))}
}

// byServer is the refusal that the API server has announced.
func byServer(m manifest.Manifest, l Live) Refusal {
	return Refusal{Code: v1beta1.ReasonRefused, Waiting: l.Waiting, Reason: Redact(m, l.Refused)}
}

// ownerOf returns the Application that the labels of an object name.
func ownerOf(obj *unstructured.Unstructured) (types.NamespacedName, bool) {
	labels := obj.GetLabels()
	owner := types.NamespacedName{Namespace: labels[oam.LabelAppNamespace], Name: labels[oam.LabelAppName]}
	return owner, owner.Name != ""
}
