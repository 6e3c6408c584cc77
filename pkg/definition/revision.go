package definition

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// FromRevision returns the definition that a DefinitionRevision keeps.
func FromRevision(rev *v1beta1.DefinitionRevision) (Definition, error) {
	var d Definition
	var err error
	switch rev.Spec.DefinitionType {
	case v1beta1.DefinitionComponent:
		d, err = FromObject(&rev.Spec.ComponentDefinition)
	case v1beta1.DefinitionTrait:
		d, err = FromObject(&rev.Spec.TraitDefinition)
	case v1beta1.DefinitionPolicy:
		d, err = FromObject(&rev.Spec.PolicyDefinition)
	case v1beta1.DefinitionWorkflowStep:
		d, err = FromObject(&rev.Spec.WorkflowStepDefinition)
	default:
		err = fmt.Errorf("DefinitionRevision %q holds a definition of unknown type %q", rev.Name, rev.Spec.DefinitionType)
	}
	d.Revision = rev.Name
	return d, err
}

// Hash is a short form of the digest, as a status shows it.
func (d Definition) Hash() string {
	hash := strings.TrimPrefix(d.Digest, "sha256:")
	return hash[:min(16, len(hash))]
}

// RevisionLabel is the label that leads from a DefinitionRevision to its
// definition.
func (k Kind) RevisionLabel() string {
	switch k {
	case Component:
		return oam.LabelComponentDefinition
	case Trait:
		return oam.LabelTraitDefinition
	case Policy:
		return oam.LabelPolicyDefinition
	}
	return oam.LabelWorkflowStepDefinition
}

// RevisionType is how a DefinitionRevision calls the kind.
func (k Kind) RevisionType() v1beta1.DefinitionType {
	switch k {
	case Component:
		return v1beta1.DefinitionComponent
	case Trait:
		return v1beta1.DefinitionTrait
	case Policy:
		return v1beta1.DefinitionPolicy
	}
	return v1beta1.DefinitionWorkflowStep
}

// SchemaName is the name of the ConfigMap that describes the properties of a
// definition.
func (k Kind) SchemaName(name string) string { return k.short() + "-schema-" + name }

// FormName is the name of the ConfigMap in which a user changes the form of a
// definition.
func (k Kind) FormName(name string) string { return k.short() + "-uischema-" + name }

func (k Kind) short() string { return strings.ReplaceAll(string(k), "-", "") }

// Labels returns the labels of a wire object of a definition.
func (d Definition) Labels() map[string]string {
	if o, ok := d.Object.(metav1.Object); ok {
		return maps.Clone(o.GetLabels())
	}
	return nil
}

// Annotations returns the annotations of a wire object of a definition.
func (d Definition) Annotations() map[string]string {
	if o, ok := d.Object.(metav1.Object); ok {
		return maps.Clone(o.GetAnnotations())
	}
	return nil
}

// Version returns spec.version of a definition.
func (d Definition) Version() string { return versionOf(d.Object) }

// Object returns an empty wire object of the kind.
func (k Kind) Object() client.Object { return emptyOf(k.wireKind()) }

// WireKind is the kind of that wire object.
func (k Kind) WireKind() string { return k.wireKind() }

// RevisionName is the name of the DefinitionRevision of exactly the version that
// r names.
func (r Ref) RevisionName() string { return revisionName(r.Base(), r.Version()) }

// Meant returns the one of names of DefinitionRevisions that r means: that of
// exactly its version, else the newest under it; "" when there is none.
func (r Ref) Meant(names []string) string {
	if exact := r.RevisionName(); slices.Contains(names, exact) {
		return exact
	}
	return newest(r.Base(), r.Version(), names)
}
