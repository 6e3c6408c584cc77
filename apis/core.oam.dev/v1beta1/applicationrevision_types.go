package v1beta1

import (
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/apis/compression"
)

// ApplicationRevision freezes an Application with everything it was rendered
// from: a rollback needs nothing else.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Namespaced,shortName=apprev,categories={oam}
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="PUBLISH_VERSION",type=string,JSONPath=`.metadata.annotations['app\.oam\.dev\/publishVersion']`
// +kubebuilder:printcolumn:name="SUCCEEDED",type=string,JSONPath=`.status.succeeded`
type ApplicationRevision struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   ApplicationRevisionSpec   `json:"spec,omitempty"`
	Status ApplicationRevisionStatus `json:"status,omitzero"`
}

// ApplicationRevisionList is a list of ApplicationRevisions.
//
// +kubebuilder:object:root=true
type ApplicationRevisionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ApplicationRevision `json:"items"`
}

// ApplicationRevisionSpec is the frozen content. With a compression type set it
// is written packed; read, it is always unpacked and keeps the type.
type ApplicationRevisionSpec struct {
	ApplicationRevisionContent `json:",inline"`

	Compression compression.Text `json:"compression,omitzero"`
}

// ApplicationRevisionContent is the part of a revision that can be packed.
type ApplicationRevisionContent struct {
	Application Application `json:"application"`

	ComponentDefinitions    map[string]ComponentDefinition    `json:"componentDefinitions,omitempty"`
	WorkloadDefinitions     map[string]WorkloadDefinition     `json:"workloadDefinitions,omitempty"`
	TraitDefinitions        map[string]TraitDefinition        `json:"traitDefinitions,omitempty"`
	PolicyDefinitions       map[string]PolicyDefinition       `json:"policyDefinitions,omitempty"`
	WorkflowStepDefinitions map[string]WorkflowStepDefinition `json:"workflowStepDefinitions,omitempty"`

	// Policies are the external Policy objects that were referred to.
	Policies map[string]RevisionPolicy `json:"policies,omitempty"`

	// PolicyVersions pins the definition revision of each Application-scoped policy.
	PolicyVersions map[string]PolicyVersion `json:"policyVersions,omitempty"`

	// Workflow is the external Workflow object that was referred to.
	Workflow *RevisionWorkflow `json:"workflow,omitempty"`

	// ReferredObjects are the live objects that ref-objects components copied.
	ReferredObjects []ReferredObject `json:"referredObjects,omitempty"`
}

// ReferredObject is one object, whole.
//
// +kubebuilder:pruning:PreserveUnknownFields
type ReferredObject struct {
	runtime.RawExtension `json:",inline"`
}

// RevisionPolicy is a v1alpha1.Policy inside a revision.
type RevisionPolicy struct {
	APIVersion        string `json:"apiVersion,omitempty"`
	Kind              string `json:"kind,omitempty"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Type string `json:"type"`
	// +kubebuilder:pruning:PreserveUnknownFields
	Properties *runtime.RawExtension `json:"properties,omitempty"`
}

// RevisionWorkflow is a v1alpha1.Workflow inside a revision.
type RevisionWorkflow struct {
	APIVersion        string `json:"apiVersion,omitempty"`
	Kind              string `json:"kind,omitempty"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Mode  *WorkflowExecuteMode `json:"mode,omitempty"`
	Steps []WorkflowStep       `json:"steps,omitempty"`
}

// PolicyVersion pins a policy definition.
type PolicyVersion struct {
	DefinitionRevisionName string `json:"definitionRevisionName,omitempty"`
	Revision               int64  `json:"revision,omitempty"`
	RevisionHash           string `json:"revisionHash,omitempty"`
}

// ApplicationRevisionStatus says how the delivery of this revision went.
type ApplicationRevisionStatus struct {
	Succeeded bool            `json:"succeeded"`
	Workflow  *WorkflowStatus `json:"workflow,omitempty"`

	// WorkflowContext holds the values of the finished workflow.
	WorkflowContext map[string]string `json:"workflowContext,omitempty"`
}

// revisionShell is what stays readable of a packed revision.
type revisionShell struct {
	Application Application      `json:"application"`
	Compression compression.Text `json:"compression,omitzero"`
}

// MarshalJSON packs the content when a compression type is set.
func (s ApplicationRevisionSpec) MarshalJSON() ([]byte, error) {
	type plain ApplicationRevisionSpec // without this method
	if s.Compression.Type == "" {
		out := plain(s)
		if out.Application.Spec.Components == nil { // the schema requires a list
			out.Application.Spec.Components = []ApplicationComponent{}
		}
		return json.Marshal(out)
	}
	text, err := compression.Pack(s.Compression.Type, s.ApplicationRevisionContent)
	if err != nil {
		return nil, fmt.Errorf("pack application revision: %w", err)
	}
	shell := revisionShell{Compression: text}
	shell.Application.Spec.Components = []ApplicationComponent{}
	return json.Marshal(shell)
}

// UnmarshalJSON unpacks the content when it is packed.
func (s *ApplicationRevisionSpec) UnmarshalJSON(data []byte) error {
	type plain ApplicationRevisionSpec
	var in plain
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	if in.Compression.Data != "" {
		in.ApplicationRevisionContent = ApplicationRevisionContent{}
		if err := compression.Unpack(in.Compression, &in.ApplicationRevisionContent); err != nil {
			return fmt.Errorf("unpack application revision: %w", err)
		}
		in.Compression.Data = ""
	}
	*s = ApplicationRevisionSpec(in)
	return nil
}
