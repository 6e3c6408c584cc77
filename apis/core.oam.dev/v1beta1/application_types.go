package v1beta1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Application is one deliverable unit: components with traits, policies that
// say where and how they go, and the workflow that brings them there.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Namespaced,shortName={app,velaapp},categories={oam}
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="COMPONENT",type=string,JSONPath=`.spec.components[*].name`
// +kubebuilder:printcolumn:name="TYPE",type=string,JSONPath=`.spec.components[*].type`
// +kubebuilder:printcolumn:name="PHASE",type=string,JSONPath=`.status.status`
// +kubebuilder:printcolumn:name="HEALTHY",type=boolean,JSONPath=`.status.services[*].healthy`
// +kubebuilder:printcolumn:name="STATUS",type=string,JSONPath=`.status.services[*].message`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
type Application struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   ApplicationSpec   `json:"spec,omitempty"`
	Status ApplicationStatus `json:"status,omitzero"`
}

// ApplicationList is a list of Applications.
//
// +kubebuilder:object:root=true
type ApplicationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Application `json:"items"`
}

// ApplicationSpec is what the user wants delivered.
type ApplicationSpec struct {
	Components []ApplicationComponent `json:"components"`

	// Policies configure the delivery: placement, overrides, retention and so on.
	Policies []AppPolicy `json:"policies,omitempty"`

	// Workflow orders the delivery. Without one, every component is deployed in
	// the order of its dependencies.
	Workflow *Workflow `json:"workflow,omitempty"`
}

// ApplicationComponent is one workload or group of resources of an Application.
type ApplicationComponent struct {
	Name string `json:"name"`
	Type string `json:"type"`

	// ExternalRevision is kept for compatibility; nothing reads it.
	ExternalRevision string `json:"externalRevision,omitempty"`

	// +kubebuilder:pruning:PreserveUnknownFields
	Properties *runtime.RawExtension `json:"properties,omitempty"`

	DependsOn []string     `json:"dependsOn,omitempty"`
	Inputs    []StepInput  `json:"inputs,omitempty"`
	Outputs   []StepOutput `json:"outputs,omitempty"`

	Traits []ApplicationTrait `json:"traits,omitempty"`

	// Scopes is kept for compatibility; nothing reads it.
	Scopes map[string]string `json:"scopes,omitempty"`

	// ReplicaKey tells the copies of one component apart that a replication
	// policy made. It never travels on the wire.
	ReplicaKey string `json:"-"`
}

// ApplicationTrait adds an operational behaviour to a component.
type ApplicationTrait struct {
	Type string `json:"type"`

	// +kubebuilder:pruning:PreserveUnknownFields
	Properties *runtime.RawExtension `json:"properties,omitempty"`
}

// AppPolicy configures the delivery of an Application.
type AppPolicy struct {
	// Name may be left out: the policy is then called <type>-auto-gen-<index>.
	Name string `json:"name,omitempty"`
	Type string `json:"type"`

	// +kubebuilder:pruning:PreserveUnknownFields
	Properties *runtime.RawExtension `json:"properties,omitempty"`
}

// ApplicationPhase is the one-word summary in status.status.
type ApplicationPhase string

// Phases of an Application, in the order it meets them.
const (
	ApplicationStarting           ApplicationPhase = "starting"
	ApplicationRendering          ApplicationPhase = "rendering"
	ApplicationGeneratingPolicy   ApplicationPhase = "generatingPolicy"
	ApplicationRunningWorkflow    ApplicationPhase = "runningWorkflow"
	ApplicationWorkflowSuspending ApplicationPhase = "workflowSuspending"
	ApplicationWorkflowTerminated ApplicationPhase = "workflowTerminated"
	ApplicationWorkflowFailed     ApplicationPhase = "workflowFailed"
	ApplicationRunning            ApplicationPhase = "running"
	ApplicationUnhealthy          ApplicationPhase = "unhealthy"
	ApplicationDeleting           ApplicationPhase = "deleting"
)

// ApplicationStatus is what is known about the delivery.
type ApplicationStatus struct {
	Conditions         []Condition `json:"conditions,omitempty"`
	ObservedGeneration int64       `json:"observedGeneration,omitempty"`

	Phase ApplicationPhase `json:"status,omitempty"`

	// Components is kept for compatibility; nothing writes it.
	Components []corev1.ObjectReference `json:"components,omitempty"`

	Services         []ApplicationComponentStatus `json:"services,omitempty"`
	Workflow         *WorkflowStatus              `json:"workflow,omitempty"`
	LatestRevision   *Revision                    `json:"latestRevision,omitempty"`
	AppliedResources []ClusterObjectReference     `json:"appliedResources,omitempty"`
	PolicyStatus     []PolicyStatus               `json:"policy,omitempty"`

	// ApplicationPoliciesConfigMap names the ConfigMap that records what
	// Application-scoped policies changed.
	ApplicationPoliciesConfigMap string                     `json:"applicationPoliciesConfigMap,omitempty"`
	AppliedApplicationPolicies   []AppliedApplicationPolicy `json:"appliedApplicationPolicies,omitempty"`

	// WorkflowRestartScheduledAt is when the workflow is to start again.
	WorkflowRestartScheduledAt *metav1.Time `json:"workflowRestartScheduledAt,omitempty"`
}

// ApplicationComponentStatus is the health of one component in one place.
type ApplicationComponentStatus struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace,omitempty"`
	Cluster   string `json:"cluster,omitempty"`
	Env       string `json:"env,omitempty"`

	WorkloadDefinition WorkloadGVK `json:"workloadDefinition,omitzero"`

	// Healthy is true when the workload and every trait are.
	Healthy         bool              `json:"healthy"`
	WorkloadHealthy bool              `json:"workloadHealthy,omitempty"`
	Details         map[string]string `json:"details,omitempty"`
	Message         string            `json:"message,omitempty"`

	Traits []ApplicationTraitStatus `json:"traits,omitempty"`

	// Scopes is kept for compatibility; nothing writes it.
	Scopes []corev1.ObjectReference `json:"scopes,omitempty"`
}

// ApplicationTraitStatus is the health of one trait.
type ApplicationTraitStatus struct {
	Type    string            `json:"type"`
	Healthy bool              `json:"healthy"`
	Pending bool              `json:"pending,omitempty"`
	Details map[string]string `json:"details,omitempty"`
	Message string            `json:"message,omitempty"`
}

// WorkloadGVK names the kind of a workload.
type WorkloadGVK struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
}

// Revision points at the newest stored revision of an object.
type Revision struct {
	Name         string `json:"name"`
	Revision     int64  `json:"revision"`
	RevisionHash string `json:"revisionHash,omitempty"`
}

// ClusterObjectReference names an object in one of the clusters. Cluster is
// empty for the hub itself.
type ClusterObjectReference struct {
	Cluster string `json:"cluster,omitempty"`
	Creator string `json:"creator,omitempty"`

	corev1.ObjectReference `json:",inline"`
}

// PolicyStatus is what a policy wants remembered.
type PolicyStatus struct {
	Name string `json:"name"`
	Type string `json:"type"`

	// +kubebuilder:pruning:PreserveUnknownFields
	Status *runtime.RawExtension `json:"status,omitempty"`
}

// AppliedApplicationPolicy records one Application-scoped policy and what it
// changed.
type AppliedApplicationPolicy struct {
	Name      string `json:"name"`
	Type      string `json:"type,omitempty"`
	Namespace string `json:"namespace"`
	Source    string `json:"source,omitempty"`

	Applied bool   `json:"applied"`
	Error   bool   `json:"error,omitempty"`
	Message string `json:"message,omitempty"`

	DefinitionRevisionName string `json:"definitionRevisionName,omitempty"`
	Revision               int64  `json:"revision,omitempty"`
	RevisionHash           string `json:"revisionHash,omitempty"`

	SpecModified     bool `json:"specModified,omitempty"`
	LabelsCount      int  `json:"labelsCount,omitempty"`
	AnnotationsCount int  `json:"annotationsCount,omitempty"`
	HasContext       bool `json:"hasContext,omitempty"`
}
