package revision

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/seed-c5f95f19/vela/apis/compression"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// Encode returns the Blueprint as an ApplicationRevision of that name. The same
// Blueprint gives the same bytes.
func Encode(b blueprint.Blueprint, name string) (*v1beta1.ApplicationRevision, error) {
	rev := &v1beta1.ApplicationRevision{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1beta1.GroupVersion.String(), Kind: v1beta1.ApplicationRevisionKind},
		ObjectMeta: metadata(b, name),
	}
	rev.Spec.Compression.Type = compression.Zstd
	rev.Spec.Application = v1beta1.Application{
		TypeMeta: metav1.TypeMeta{APIVersion: v1beta1.GroupVersion.String(), Kind: v1beta1.ApplicationKind},
		ObjectMeta: metav1.ObjectMeta{
			Name: b.App.Name, Namespace: b.App.Namespace,
			Labels: maps.Clone(b.App.Labels), Annotations: maps.Clone(b.App.Annotations),
		},
		Spec: *b.Spec.DeepCopy(),
	}
	if err := putProduced(rev, b.Produced); err != nil {
		return nil, err
	}
	for _, p := range b.ReferencedPolicies {
		if rev.Spec.Policies == nil {
			rev.Spec.Policies = map[string]v1beta1.RevisionPolicy{}
		}
		rev.Spec.Policies[p.Name] = v1beta1.RevisionPolicy{
			APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.PolicyKind, ObjectMeta: named(p.ObjectMeta), Type: p.Type, Properties: p.Properties,
		}
	}
	if w := b.ReferencedWorkflow; w != nil {
		rev.Spec.Workflow = &v1beta1.RevisionWorkflow{
			APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.WorkflowKind, ObjectMeta: named(w.ObjectMeta), Mode: w.Mode, Steps: w.Steps,
		}
	}
	if err := putReferred(rev, b); err != nil {
		return nil, err
	}
	for _, ref := range sortedRefs(b.Definitions) {
		if err := put(&rev.Spec.ApplicationRevisionContent, ref, b.Definitions[ref]); err != nil {
			return nil, err
		}
	}
	return rev, nil
}

func metadata(b blueprint.Blueprint, name string) metav1.ObjectMeta {
	meta := metav1.ObjectMeta{
		Name: name, Namespace: b.App.Namespace,
		Labels: map[string]string{
			oam.LabelAppName: b.App.Name, oam.LabelAppNamespace: b.App.Namespace, oam.LabelAppRevisionHash: Hash(b),
		},
	}
	if shard := b.App.Labels[oam.LabelScheduled]; shard != "" {
		meta.Labels[oam.LabelScheduled] = shard
	}
	if v := b.App.PublishVersion; v != "" {
		meta.Annotations = map[string]string{oam.AnnotationPublishVersion: v}
	}
	if b.App.UID != "" {
		yes := true
		meta.Labels[oam.LabelAppUID] = string(b.App.UID)
		meta.OwnerReferences = []metav1.OwnerReference{{
			APIVersion: v1beta1.GroupVersion.String(), Kind: v1beta1.ApplicationKind,
			Name: b.App.Name, UID: b.App.UID, Controller: &yes,
		}}
	}
	return meta
}

func typeMeta(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: kind}
}

func named(m metav1.ObjectMeta) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: m.Name, Namespace: m.Namespace}
}

// put stores a definition under the type that uses it.
func put(c *v1beta1.ApplicationRevisionContent, ref definition.Ref, d definition.Definition) error {
	switch o := d.Object.(type) {
	case *v1beta1.ComponentDefinition:
		set(&c.ComponentDefinitions, ref.Name, *o)
	case *v1beta1.WorkloadDefinition:
		set(&c.WorkloadDefinitions, ref.Name, *o)
	case *v1beta1.TraitDefinition:
		set(&c.TraitDefinitions, ref.Name, *o)
	case *v1beta1.PolicyDefinition:
		set(&c.PolicyDefinitions, ref.Name, *o)
	case *v1beta1.WorkflowStepDefinition:
		set(&c.WorkflowStepDefinitions, ref.Name, *o)
	default:
		return fmt.Errorf("%s has no object to store, but %T", ref, d.Object)
	}
	return nil
}

func set[T any](m *map[string]T, name string, v T) {
	if *m == nil {
		*m = map[string]T{}
	}
	(*m)[name] = v
}

// Decode returns the Blueprint that a revision froze, whoever wrote it.
func Decode(ctx context.Context, rev *v1beta1.ApplicationRevision) (blueprint.Blueprint, error) {
	d, err := parse(ctx, rev)
	if err != nil {
		return blueprint.Blueprint{}, err
	}
	b := blueprint.Blueprint{Draft: d, Definitions: map[definition.Ref]definition.Definition{}}
	c := rev.Spec.ApplicationRevisionContent
	err = errors.Join(
		restore(&b, definition.Component, c.WorkloadDefinitions, func(o *v1beta1.WorkloadDefinition) runtime.Object { return o }),
		restore(&b, definition.Component, c.ComponentDefinitions, func(o *v1beta1.ComponentDefinition) runtime.Object { return o }),
		restore(&b, definition.Trait, c.TraitDefinitions, func(o *v1beta1.TraitDefinition) runtime.Object { return o }),
		restore(&b, definition.Policy, c.PolicyDefinitions, func(o *v1beta1.PolicyDefinition) runtime.Object { return o }),
		restore(&b, definition.WorkflowStep, c.WorkflowStepDefinitions, func(o *v1beta1.WorkflowStepDefinition) runtime.Object { return o }),
	)
	if err != nil {
		return blueprint.Blueprint{}, fmt.Errorf("read revision %q: %w", rev.Name, err)
	}
	versioned(&b)
	return b, takeReferred(ctx, rev, &b)
}

// restore reads the definitions of one kind.
func restore[T any](b *blueprint.Blueprint, kind definition.Kind, objs map[string]T, object func(*T) runtime.Object) error {
	for _, name := range slices.Sorted(maps.Keys(objs)) {
		o := objs[name]
		def, err := definition.FromObject(object(&o))
		if err != nil {
			return fmt.Errorf("%s definition %q: %w", kind, name, err)
		}
		b.Definitions[definition.Ref{Kind: kind, Name: name}] = def
	}
	return nil
}

// versioned finds the definitions of types with a version, which KubeVela stores
// under the name alone.
func versioned(b *blueprint.Blueprint) {
	for _, ref := range b.Uses() {
		if _, ok := b.Definitions[ref]; ok || ref.Version() == "" {
			continue
		}
		if d, ok := b.Definitions[definition.Ref{Kind: ref.Kind, Name: ref.Base()}]; ok {
			b.Definitions[ref] = d
		}
	}
}

// parse reads the Application of a revision with what it referred to then.
func parse(ctx context.Context, rev *v1beta1.ApplicationRevision) (blueprint.Draft, error) {
	app, produced, err := takeProduced(rev)
	if err != nil {
		return blueprint.Draft{}, err
	}
	d, err := blueprint.Parse(ctx, app, frozen{rev})
	if err != nil {
		return d, fmt.Errorf("read revision %q: %w", rev.Name, err)
	}
	d.Produced = produced
	return d, nil
}

// frozen gives the objects that a revision keeps.
type frozen struct{ rev *v1beta1.ApplicationRevision }

// Policy implements blueprint.References.
func (f frozen) Policy(_ context.Context, namespace, name string) (*v1alpha1.Policy, error) {
	p, ok := f.rev.Spec.Policies[name]
	if !ok {
		return nil, missing("policies", name)
	}
	meta := p.ObjectMeta
	meta.Name, meta.Namespace = name, namespace
	return &v1alpha1.Policy{TypeMeta: typeMeta(v1alpha1.PolicyKind), ObjectMeta: meta, Type: p.Type, Properties: p.Properties}, nil
}

// Workflow implements blueprint.References.
func (f frozen) Workflow(_ context.Context, namespace, name string) (*v1alpha1.Workflow, error) {
	w := f.rev.Spec.Workflow
	if w == nil {
		return nil, missing("workflows", name)
	}
	meta := w.ObjectMeta
	meta.Name, meta.Namespace = name, namespace
	return &v1alpha1.Workflow{TypeMeta: typeMeta(v1alpha1.WorkflowKind), ObjectMeta: meta, Mode: w.Mode, Steps: w.Steps}, nil
}

func missing(resource, name string) error {
	return apierrors.NewNotFound(schema.GroupResource{Group: v1alpha1.GroupVersion.Group, Resource: resource}, name)
}
