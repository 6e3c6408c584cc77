package v1beta1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// WorkloadTypeDescriptor names the workload of a component definition: a
// WorkloadDefinition by Type, or a kind by Definition.
type WorkloadTypeDescriptor struct {
	Type       string      `json:"type,omitempty"`
	Definition WorkloadGVK `json:"definition,omitzero"`
}

// AutoDetectWorkload in WorkloadTypeDescriptor.Type takes the kind from what the
// template renders.
const AutoDetectWorkload = "autodetects.core.oam.dev"

// DefinitionReference names the CustomResourceDefinition behind a definition.
type DefinitionReference struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

// ChildResourceKind names a kind that a workload creates on its own.
type ChildResourceKind struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Selector   map[string]string `json:"selector,omitempty"`
}

// Schematic is the template of a definition. Helm and Kube are of KubeVela before
// 1.9.
type Schematic struct {
	CUE       *CUE       `json:"cue,omitempty"`
	Helm      *Helm      `json:"helm,omitempty"`
	Kube      *Kube      `json:"kube,omitempty"`
	Terraform *Terraform `json:"terraform,omitempty"`
}

// CUE is a template in CUE.
type CUE struct {
	Template string `json:"template"`
}

// TerraformType says how Terraform.Configuration is to be read.
//
// +kubebuilder:validation:Enum=hcl;json;remote
type TerraformType string

// Ways to write a Terraform configuration.
const (
	TerraformHCL    TerraformType = "hcl"
	TerraformJSON   TerraformType = "json"
	TerraformRemote TerraformType = "remote"
)

// Terraform is a template in Terraform's language, or the address of a module.
type Terraform struct {
	Configuration string `json:"configuration"`

	// +kubebuilder:default=hcl
	Type TerraformType `json:"type,omitempty"`

	// Path is the folder inside a remote module.
	Path string `json:"path,omitempty"`

	ProviderReference *TerraformProviderReference `json:"providerRef,omitempty"`

	// DeleteResource says whether the cloud resources go when the Application
	// does.
	// +kubebuilder:default=true
	DeleteResource *bool  `json:"deleteResource,omitempty"`
	Region         string `json:"customRegion,omitempty"`

	WriteConnectionSecretToReference *TerraformSecretReference `json:"writeConnectionSecretToRef,omitempty"`
	GitCredentialsSecretReference    *corev1.SecretReference   `json:"gitCredentialsSecretReference,omitempty"`
}

// TerraformProviderReference names a Terraform Provider object.
type TerraformProviderReference struct {
	Name string `json:"name"`
	// +kubebuilder:default=default
	Namespace string `json:"namespace,omitempty"`
}

// TerraformSecretReference names the Secret that receives the outputs.
type TerraformSecretReference struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace,omitempty"`
}

// StatusRules are the CUE fragments that read live objects.
type StatusRules struct {
	CustomStatus string `json:"customStatus,omitempty"`
	HealthPolicy string `json:"healthPolicy,omitempty"`
	Details      string `json:"details,omitempty"`
}

// DefinitionStatus is what the controller knows about a definition.
type DefinitionStatus struct {
	Conditions []Condition `json:"conditions,omitempty"`

	// ConfigMapRef names the ConfigMap with the OpenAPI schema of the parameters.
	ConfigMapRef   string    `json:"configMapRef,omitempty"`
	LatestRevision *Revision `json:"latestRevision,omitempty"`
}

// ComponentDefinitionSpec describes a component type.
type ComponentDefinitionSpec struct {
	// Workload is optional: without it the kind is that of what output gives.
	// +kubebuilder:default={}
	Workload WorkloadTypeDescriptor `json:"workload"`

	ChildResourceKinds []ChildResourceKind `json:"childResourceKinds,omitempty"`
	RevisionLabel      string              `json:"revisionLabel,omitempty"`
	PodSpecPath        string              `json:"podSpecPath,omitempty"`

	Status    *StatusRules `json:"status,omitempty"`
	Schematic *Schematic   `json:"schematic,omitempty"`

	// +kubebuilder:pruning:PreserveUnknownFields
	Extension *runtime.RawExtension `json:"extension,omitempty"`

	// Version is the semantic version of this definition, x.y.z.
	Version string `json:"version,omitempty"`
}

// TraitStage is when the resources of a trait are applied.
type TraitStage string

// Stages of a trait.
const (
	TraitPreDispatch     TraitStage = "PreDispatch"
	TraitDefaultDispatch TraitStage = "DefaultDispatch"
	TraitPostDispatch    TraitStage = "PostDispatch"
)

// TraitDefinitionSpec describes a trait type.
type TraitDefinitionSpec struct {
	Reference DefinitionReference `json:"definitionRef,omitzero"`

	RevisionEnabled    bool     `json:"revisionEnabled,omitempty"`
	WorkloadRefPath    string   `json:"workloadRefPath,omitempty"`
	PodDisruptive      bool     `json:"podDisruptive,omitempty"`
	AppliesToWorkloads []string `json:"appliesToWorkloads,omitempty"`
	ConflictsWith      []string `json:"conflictsWith,omitempty"`
	ManageWorkload     bool     `json:"manageWorkload,omitempty"`
	ControlPlaneOnly   bool     `json:"controlPlaneOnly,omitempty"`

	Stage     TraitStage   `json:"stage,omitempty"`
	Status    *StatusRules `json:"status,omitempty"`
	Schematic *Schematic   `json:"schematic,omitempty"`

	// +kubebuilder:pruning:PreserveUnknownFields
	Extension *runtime.RawExtension `json:"extension,omitempty"`

	// Version is the semantic version of this definition, x.y.z.
	Version string `json:"version,omitempty"`
}

// PolicyScope says what a policy of this type works on.
type PolicyScope string

// PolicyScopeApplication is for policies that transform the Application itself.
const PolicyScopeApplication PolicyScope = "Application"

// PolicyDefinitionSpec describes a policy type.
type PolicyDefinitionSpec struct {
	Reference DefinitionReference `json:"definitionRef,omitzero"`
	Schematic *Schematic          `json:"schematic,omitempty"`

	ManageHealthCheck bool `json:"manageHealthCheck,omitempty"`

	// Status says when the objects of the policy are healthy and what to show of
	// them. KubeVela has no such field.
	Status *StatusRules `json:"status,omitempty"`

	Scope    PolicyScope `json:"scope,omitempty"`
	Global   bool        `json:"global,omitempty"`
	Priority int32       `json:"priority,omitempty"`

	// Version is the semantic version of this definition, x.y.z.
	Version string `json:"version,omitempty"`
}

// WorkflowStepDefinitionSpec describes a step type.
type WorkflowStepDefinitionSpec struct {
	Reference DefinitionReference `json:"definitionRef,omitzero"`
	Schematic *Schematic          `json:"schematic,omitempty"`

	// Version is the semantic version of this definition, x.y.z.
	Version string `json:"version,omitempty"`
}
