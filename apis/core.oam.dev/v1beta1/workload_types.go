package v1beta1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// WorkloadDefinition names the kind behind a workload. It is older than
// ComponentDefinition and kept because existing definitions refer to it.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Namespaced,shortName=workload,categories={oam}
// +kubebuilder:storageversion
// +kubebuilder:printcolumn:name="DEFINITION-NAME",type=string,JSONPath=`.spec.definitionRef.name`
// +kubebuilder:printcolumn:name="DESCRIPTION",type=string,JSONPath=`.metadata.annotations.definition\.oam\.dev/description`
type WorkloadDefinition struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   WorkloadDefinitionSpec   `json:"spec,omitempty"`
	Status WorkloadDefinitionStatus `json:"status,omitzero"`
}

// WorkloadDefinitionList is a list of WorkloadDefinitions.
//
// +kubebuilder:object:root=true
type WorkloadDefinitionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []WorkloadDefinition `json:"items"`
}

// WorkloadDefinitionSpec describes the workload.
type WorkloadDefinitionSpec struct {
	Reference DefinitionReference `json:"definitionRef"`

	ChildResourceKinds []ChildResourceKind `json:"childResourceKinds,omitempty"`
	RevisionLabel      string              `json:"revisionLabel,omitempty"`
	PodSpecPath        string              `json:"podSpecPath,omitempty"`

	Status    *WorkloadStatusRules `json:"status,omitempty"`
	Schematic *WorkloadSchematic   `json:"schematic,omitempty"`

	// +kubebuilder:pruning:PreserveUnknownFields
	Extension *runtime.RawExtension `json:"extension,omitempty"`
}

// WorkloadStatusRules are the CUE fragments that read the live workload.
type WorkloadStatusRules struct {
	CustomStatus string `json:"customStatus,omitempty"`
	HealthPolicy string `json:"healthPolicy,omitempty"`
}

// WorkloadSchematic is the template of a workload.
type WorkloadSchematic struct {
	CUE       *CUE       `json:"cue,omitempty"`
	Helm      *Helm      `json:"helm,omitempty"`
	Kube      *Kube      `json:"kube,omitempty"`
	Terraform *Terraform `json:"terraform,omitempty"`
}

// Helm is a workload from a Helm chart: the specs of a HelmRelease and a
// HelmRepository of Flux.
type Helm struct {
	// +kubebuilder:pruning:PreserveUnknownFields
	Release runtime.RawExtension `json:"release"`
	// +kubebuilder:pruning:PreserveUnknownFields
	Repository runtime.RawExtension `json:"repository"`
}

// Kube is a workload from a plain object with parameters.
type Kube struct {
	// +kubebuilder:pruning:PreserveUnknownFields
	Template   runtime.RawExtension `json:"template"`
	Parameters []KubeParameter      `json:"parameters,omitempty"`
}

// KubeParameterType is the type of a KubeParameter.
//
// +kubebuilder:validation:Enum=string;number;boolean
type KubeParameterType string

// KubeParameter puts one value into paths of the template.
type KubeParameter struct {
	Name       string            `json:"name"`
	ValueType  KubeParameterType `json:"type"`
	FieldPaths []string          `json:"fieldPaths"`
	// +kubebuilder:default=false
	Required    *bool  `json:"required,omitempty"`
	Description string `json:"description,omitempty"`
}

// WorkloadDefinitionStatus is what is known about a WorkloadDefinition.
type WorkloadDefinitionStatus struct {
	Conditions []Condition `json:"conditions,omitempty"`
}
