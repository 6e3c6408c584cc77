package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
)

// Policy is a policy that several Applications can refer to. It has no spec:
// type and properties are at the top.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Namespaced,categories={oam}
// +kubebuilder:printcolumn:name="TYPE",type=string,JSONPath=`.type`
type Policy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Type string `json:"type"`
	// +kubebuilder:pruning:PreserveUnknownFields
	Properties *runtime.RawExtension `json:"properties,omitempty"`
}

// PolicyList is a list of Policies.
//
// +kubebuilder:object:root=true
type PolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Policy `json:"items"`
}

// Workflow is a workflow that Applications and WorkflowRuns can refer to. It has
// no spec: mode and steps are at the top.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Namespaced,categories={oam}
type Workflow struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Mode  *v1beta1.WorkflowExecuteMode `json:"mode,omitempty"`
	Steps []v1beta1.WorkflowStep       `json:"steps,omitempty"`
}

// WorkflowList is a list of Workflows.
//
// +kubebuilder:object:root=true
type WorkflowList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Workflow `json:"items"`
}

// WorkflowRun runs a workflow once, without an Application.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Namespaced,shortName=wr,categories={oam}
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="PHASE",type=string,JSONPath=`.status.status`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
type WorkflowRun struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   WorkflowRunSpec   `json:"spec,omitempty"`
	Status WorkflowRunStatus `json:"status,omitzero"`
}

// WorkflowRunList is a list of WorkflowRuns.
//
// +kubebuilder:object:root=true
type WorkflowRunList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []WorkflowRun `json:"items"`
}

// WorkflowRunSpec is the workflow to run: inline, or by name.
type WorkflowRunSpec struct {
	Mode         *v1beta1.WorkflowExecuteMode `json:"mode,omitempty"`
	WorkflowSpec *WorkflowSpec                `json:"workflowSpec,omitempty"`
	WorkflowRef  string                       `json:"workflowRef,omitempty"`

	// Context is offered to the steps as context.
	// +kubebuilder:pruning:PreserveUnknownFields
	Context *runtime.RawExtension `json:"context,omitempty"`
}

// WorkflowSpec holds the steps of an inline workflow.
type WorkflowSpec struct {
	Steps []v1beta1.WorkflowStep `json:"steps,omitempty"`
}

// WorkflowRunStatus is the progress of the run.
type WorkflowRunStatus struct {
	Conditions []v1beta1.Condition `json:"conditions,omitempty"`

	Mode    v1beta1.WorkflowExecuteMode `json:"mode"`
	Phase   v1beta1.WorkflowPhase       `json:"status"`
	Message string                      `json:"message,omitempty"`

	Suspend      bool   `json:"suspend"`
	SuspendState string `json:"suspendState,omitempty"`
	Terminated   bool   `json:"terminated"`
	Finished     bool   `json:"finished"`

	ContextBackend *corev1.ObjectReference      `json:"contextBackend,omitempty"`
	Steps          []v1beta1.WorkflowStepStatus `json:"steps,omitempty"`

	StartTime metav1.Time `json:"startTime,omitzero"`
	EndTime   metav1.Time `json:"endTime,omitzero"`
}
