package build

import (
	"context"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
)

func meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: definition.SystemNamespace, Name: name}
}

func cue(template string) *v1beta1.Schematic {
	return &v1beta1.Schematic{CUE: &v1beta1.CUE{Template: template}}
}

// ComponentDefinition returns a definition whose kind is taken from its output.
func ComponentDefinition(name, template string) *v1beta1.ComponentDefinition {
	return &v1beta1.ComponentDefinition{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1beta1.GroupVersion.String(), Kind: v1beta1.ComponentDefinitionKind},
		ObjectMeta: meta(name),
		Spec: v1beta1.ComponentDefinitionSpec{
			Workload: v1beta1.WorkloadTypeDescriptor{Type: v1beta1.AutoDetectWorkload}, Schematic: cue(template),
		},
	}
}

// TraitDefinition returns a definition; changes may set its other fields.
func TraitDefinition(name, template string, changes ...func(*v1beta1.TraitDefinitionSpec)) *v1beta1.TraitDefinition {
	d := &v1beta1.TraitDefinition{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1beta1.GroupVersion.String(), Kind: v1beta1.TraitDefinitionKind},
		ObjectMeta: meta(name),
		Spec:       v1beta1.TraitDefinitionSpec{Schematic: cue(template)},
	}
	for _, change := range changes {
		change(&d.Spec)
	}
	return d
}

// PolicyDefinition returns a definition.
func PolicyDefinition(name, template string) *v1beta1.PolicyDefinition {
	return &v1beta1.PolicyDefinition{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1beta1.GroupVersion.String(), Kind: v1beta1.PolicyDefinitionKind},
		ObjectMeta: meta(name),
		Spec:       v1beta1.PolicyDefinitionSpec{Schematic: cue(template)},
	}
}

// StepDefinition returns a definition.
func StepDefinition(name, template string) *v1beta1.WorkflowStepDefinition {
	return &v1beta1.WorkflowStepDefinition{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1beta1.GroupVersion.String(), Kind: v1beta1.WorkflowStepDefinitionKind},
		ObjectMeta: meta(name),
		Spec:       v1beta1.WorkflowStepDefinitionSpec{Schematic: cue(template)},
	}
}

// Definitions returns a store of definitions.
func Definitions(objs ...runtime.Object) *definition.Static {
	s, err := definition.Of(objs...)
	must(err, "definitions")
	return s
}

// References are Policy and Workflow objects that an Application can refer to.
type References struct {
	Policies  []*v1alpha1.Policy
	Workflows []*v1alpha1.Workflow
}

// Policy implements blueprint.References.
func (r References) Policy(_ context.Context, namespace, name string) (*v1alpha1.Policy, error) {
	for _, p := range r.Policies {
		if p.Namespace == namespace && p.Name == name {
			return p, nil
		}
	}
	return nil, absent("policies", name)
}

// Workflow implements blueprint.References.
func (r References) Workflow(_ context.Context, namespace, name string) (*v1alpha1.Workflow, error) {
	for _, w := range r.Workflows {
		if w.Namespace == namespace && w.Name == name {
			return w, nil
		}
	}
	return nil, absent("workflows", name)
}

// Revisions is a revision.Store in memory.
type Revisions map[string]*v1beta1.ApplicationRevision

// Get implements revision.Store.
func (r Revisions) Get(_ context.Context, namespace, name string) (*v1beta1.ApplicationRevision, error) {
	rev, ok := r[namespace+"/"+name]
	if !ok {
		return nil, absent("applicationrevisions", name)
	}
	return rev.DeepCopy(), nil
}

// Create implements revision.Store.
func (r Revisions) Create(_ context.Context, rev *v1beta1.ApplicationRevision) error {
	key := rev.Namespace + "/" + rev.Name
	if _, ok := r[key]; ok {
		return apierrors.NewAlreadyExists(schema.GroupResource{Group: v1beta1.Group, Resource: "applicationrevisions"}, rev.Name)
	}
	r[key] = rev.DeepCopy()
	return nil
}

// Delete implements revision.Store.
func (r Revisions) Delete(_ context.Context, namespace, name string) error {
	delete(r, namespace+"/"+name)
	return nil
}

// Names implements revision.Store.
func (r Revisions) Names(_ context.Context, namespace, app string) ([]string, error) {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(r)) {
		if rev := r[key]; rev.Namespace == namespace && rev.Spec.Application.Name == app {
			out = append(out, rev.Name)
		}
	}
	return out, nil
}

func absent(resource, name string) error {
	return apierrors.NewNotFound(schema.GroupResource{Group: v1beta1.Group, Resource: resource}, name)
}
