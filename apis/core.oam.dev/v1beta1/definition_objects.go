package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ComponentDefinition teaches the platform a component type.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Namespaced,shortName=comp,categories={oam}
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="WORKLOAD-KIND",type=string,JSONPath=`.spec.workload.definition.kind`
// +kubebuilder:printcolumn:name="DESCRIPTION",type=string,JSONPath=`.metadata.annotations.definition\.oam\.dev/description`
type ComponentDefinition struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   ComponentDefinitionSpec `json:"spec,omitempty"`
	Status DefinitionStatus        `json:"status,omitzero"`
}

// ComponentDefinitionList is a list of ComponentDefinitions.
//
// +kubebuilder:object:root=true
type ComponentDefinitionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ComponentDefinition `json:"items"`
}

// TraitDefinition teaches the platform a trait type.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Namespaced,shortName=trait,categories={oam}
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="APPLIES-TO",type=string,JSONPath=`.spec.appliesToWorkloads`
// +kubebuilder:printcolumn:name="DESCRIPTION",type=string,JSONPath=`.metadata.annotations.definition\.oam\.dev/description`
type TraitDefinition struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   TraitDefinitionSpec `json:"spec,omitempty"`
	Status DefinitionStatus    `json:"status,omitzero"`
}

// TraitDefinitionList is a list of TraitDefinitions.
//
// +kubebuilder:object:root=true
type TraitDefinitionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []TraitDefinition `json:"items"`
}

// PolicyDefinition teaches the platform a policy type.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Namespaced,shortName=def-policy,categories={oam}
// +kubebuilder:subresource:status
type PolicyDefinition struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   PolicyDefinitionSpec `json:"spec,omitempty"`
	Status DefinitionStatus     `json:"status,omitzero"`
}

// PolicyDefinitionList is a list of PolicyDefinitions.
//
// +kubebuilder:object:root=true
type PolicyDefinitionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []PolicyDefinition `json:"items"`
}

// WorkflowStepDefinition teaches the platform a step type.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Namespaced,shortName=workflowstep,categories={oam}
// +kubebuilder:subresource:status
type WorkflowStepDefinition struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   WorkflowStepDefinitionSpec `json:"spec,omitempty"`
	Status DefinitionStatus           `json:"status,omitzero"`
}

// WorkflowStepDefinitionList is a list of WorkflowStepDefinitions.
//
// +kubebuilder:object:root=true
type WorkflowStepDefinitionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []WorkflowStepDefinition `json:"items"`
}

// DefinitionType says which definition a DefinitionRevision carries.
//
// +kubebuilder:validation:Enum=Component;Trait;Policy;WorkflowStep
type DefinitionType string

// Types of definitions.
const (
	DefinitionComponent    DefinitionType = "Component"
	DefinitionTrait        DefinitionType = "Trait"
	DefinitionPolicy       DefinitionType = "Policy"
	DefinitionWorkflowStep DefinitionType = "WorkflowStep"
)

// DefinitionRevision is one stored version of a definition; it never changes.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Namespaced,shortName=defrev,categories={oam}
// +kubebuilder:printcolumn:name="REVISION",type=integer,JSONPath=`.spec.revision`
// +kubebuilder:printcolumn:name="HASH",type=string,JSONPath=`.spec.revisionHash`
// +kubebuilder:printcolumn:name="TYPE",type=string,JSONPath=`.spec.definitionType`
type DefinitionRevision struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec DefinitionRevisionSpec `json:"spec,omitempty"`
}

// DefinitionRevisionSpec carries a whole copy of exactly one definition.
type DefinitionRevisionSpec struct {
	Revision       int64          `json:"revision"`
	RevisionHash   string         `json:"revisionHash"`
	DefinitionType DefinitionType `json:"definitionType"`

	ComponentDefinition    ComponentDefinition    `json:"componentDefinition,omitzero"`
	TraitDefinition        TraitDefinition        `json:"traitDefinition,omitzero"`
	PolicyDefinition       PolicyDefinition       `json:"policyDefinition,omitzero"`
	WorkflowStepDefinition WorkflowStepDefinition `json:"workflowStepDefinition,omitzero"`
}

// DefinitionRevisionList is a list of DefinitionRevisions.
//
// +kubebuilder:object:root=true
type DefinitionRevisionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []DefinitionRevision `json:"items"`
}
