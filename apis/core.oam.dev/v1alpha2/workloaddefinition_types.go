// Package v1alpha2 holds the one kind that is still served in this version:
// WorkloadDefinition. It is stored as v1beta1 and has the same fields.
//
// +kubebuilder:object:generate=true
// +groupName=core.oam.dev
package v1alpha2

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
)

// GroupVersion is core.oam.dev/v1alpha2.
var GroupVersion = schema.GroupVersion{Group: v1beta1.Group, Version: "v1alpha2"}

// AddToScheme registers every kind of this version.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &WorkloadDefinition{}, &WorkloadDefinitionList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}

// WorkloadDefinition names the kind behind a workload.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Namespaced,shortName=workload,categories={oam}
// +kubebuilder:printcolumn:name="DEFINITION-NAME",type=string,JSONPath=`.spec.definitionRef.name`
type WorkloadDefinition struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   v1beta1.WorkloadDefinitionSpec   `json:"spec,omitempty"`
	Status v1beta1.WorkloadDefinitionStatus `json:"status,omitzero"`
}

// WorkloadDefinitionList is a list of WorkloadDefinitions.
//
// +kubebuilder:object:root=true
type WorkloadDefinitionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []WorkloadDefinition `json:"items"`
}
