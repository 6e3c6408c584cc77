package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Types of policies that the control plane itself understands, and of the
// component that copies existing objects.
const (
	TopologyPolicyType       = "topology"
	OverridePolicyType       = "override"
	ReplicationPolicyType    = "replication"
	EnvBindingPolicyType     = "env-binding"
	GarbageCollectPolicyType = "garbage-collect"
	ApplyOncePolicyType      = "apply-once"
	SharedResourcePolicyType = "shared-resource"
	TakeOverPolicyType       = "take-over"
	ReadOnlyPolicyType       = "read-only"
	ResourceUpdatePolicyType = "resource-update"
	DebugPolicyType          = "debug"
	RefObjectsComponentType  = "ref-objects"
)

// TopologyPolicySpec says where components go.
type TopologyPolicySpec struct {
	Clusters             []string          `json:"clusters,omitempty"`
	ClusterLabelSelector map[string]string `json:"clusterLabelSelector,omitempty"`

	// DeprecatedClusterSelector is the old name of ClusterLabelSelector.
	DeprecatedClusterSelector map[string]string `json:"clusterSelector,omitempty"`

	// AllowEmpty accepts a selector that selects no cluster.
	AllowEmpty bool   `json:"allowEmpty,omitempty"`
	Namespace  string `json:"namespace,omitempty"`
}

// OverridePolicySpec changes components for the steps that name the policy.
type OverridePolicySpec struct {
	Components []OverrideComponent `json:"components,omitempty"`
	// Selector limits the delivery to these components.
	Selector []string `json:"selector,omitempty"`
}

// OverrideComponent changes the components of a name or type, or adds one.
type OverrideComponent struct {
	Name string `json:"name,omitempty"`
	Type string `json:"type,omitempty"`

	// +kubebuilder:pruning:PreserveUnknownFields
	Properties *runtime.RawExtension `json:"properties,omitempty"`

	Traits           []OverrideTrait `json:"traits,omitempty"`
	ExternalRevision string          `json:"externalRevision,omitempty"`
}

// OverrideTrait changes, adds or removes a trait.
type OverrideTrait struct {
	Type string `json:"type"`

	// +kubebuilder:pruning:PreserveUnknownFields
	Properties *runtime.RawExtension `json:"properties,omitempty"`

	Disable bool `json:"disable,omitempty"`
}

// ReplicationPolicySpec makes one copy of components per key.
type ReplicationPolicySpec struct {
	Keys     []string `json:"keys,omitempty"`
	Selector []string `json:"selector,omitempty"`
}

// ResourceSelector picks resources. Fields that are set must all match; at least
// one must be set.
type ResourceSelector struct {
	ComponentNames []string `json:"componentNames,omitempty"`
	ComponentTypes []string `json:"componentTypes,omitempty"`
	// OAMTypes are WORKLOAD and TRAIT.
	OAMTypes      []string `json:"oamTypes,omitempty"`
	TraitTypes    []string `json:"traitTypes,omitempty"`
	ResourceTypes []string `json:"resourceTypes,omitempty"`
	ResourceNames []string `json:"resourceNames,omitempty"`
}

// SelectorRule applies a policy to the selected resources.
type SelectorRule struct {
	Selector ResourceSelector `json:"selector"`
}

// ReadOnlyPolicySpec keeps resources from being changed.
type ReadOnlyPolicySpec struct {
	Rules []SelectorRule `json:"rules,omitempty"`
}

// TakeOverPolicySpec lets the Application adopt resources that exist.
type TakeOverPolicySpec struct {
	Rules []SelectorRule `json:"rules,omitempty"`
}

// SharedResourcePolicySpec lets several Applications own a resource together.
type SharedResourcePolicySpec struct {
	Rules []SelectorRule `json:"rules,omitempty"`
}

// ApplyOncePolicySpec stops the repair of drift.
type ApplyOncePolicySpec struct {
	Enable bool            `json:"enable,omitempty"`
	Rules  []ApplyOnceRule `json:"rules,omitempty"`
}

// ApplyOnceRule limits apply-once to resources and to fields of them.
type ApplyOnceRule struct {
	Selector ResourceSelector   `json:"selector,omitzero"`
	Strategy *ApplyOnceStrategy `json:"strategy,omitempty"`
}

// ApplyOnceStrategy names the fields and the occasions.
type ApplyOnceStrategy struct {
	Path   []string        `json:"path,omitempty"`
	Affect ApplyOnceAffect `json:"affect,omitempty"`
}

// ApplyOnceAffect is the occasion on which fields are left alone.
type ApplyOnceAffect string

// Occasions of apply-once. An empty value means always.
const (
	ApplyOnceOnUpdate    ApplyOnceAffect = "onUpdate"
	ApplyOnceOnStateKeep ApplyOnceAffect = "onStateKeep"
	ApplyOnceAlways      ApplyOnceAffect = "always"
)

// GarbageCollectPolicySpec says when resources go that are no longer wanted.
type GarbageCollectPolicySpec struct {
	ApplicationRevisionLimit *int `json:"applicationRevisionLimit,omitempty"`

	// KeepLegacyResource keeps the resources of older generations.
	KeepLegacyResource bool                 `json:"keepLegacyResource,omitempty"`
	ContinueOnFailure  bool                 `json:"continueOnFailure,omitempty"`
	Order              GarbageCollectOrder  `json:"order,omitempty"`
	Rules              []GarbageCollectRule `json:"rules,omitempty"`
}

// GarbageCollectOrder is the order of deletion.
type GarbageCollectOrder string

// GarbageCollectDependency deletes dependants before what they depend on.
const GarbageCollectDependency GarbageCollectOrder = "dependency"

// GarbageCollectRule decides for the selected resources.
type GarbageCollectRule struct {
	Selector    ResourceSelector          `json:"selector,omitzero"`
	Strategy    GarbageCollectStrategy    `json:"strategy,omitempty"`
	Propagation GarbageCollectPropagation `json:"propagation,omitempty"`
}

// GarbageCollectStrategy is the moment of deletion.
type GarbageCollectStrategy string

// Moments of deletion.
const (
	GarbageCollectNever       GarbageCollectStrategy = "never"
	GarbageCollectOnAppDelete GarbageCollectStrategy = "onAppDelete"
	GarbageCollectOnAppUpdate GarbageCollectStrategy = "onAppUpdate"
)

// GarbageCollectPropagation says what happens to dependants of the resource.
type GarbageCollectPropagation string

// Propagations of a deletion.
const (
	GarbageCollectOrphan    GarbageCollectPropagation = "orphan"
	GarbageCollectCascading GarbageCollectPropagation = "cascading"
)

// ResourceUpdatePolicySpec says how resources are changed.
type ResourceUpdatePolicySpec struct {
	Rules []ResourceUpdateRule `json:"rules,omitempty"`
}

// ResourceUpdateRule decides for the selected resources.
type ResourceUpdateRule struct {
	Selector ResourceSelector       `json:"selector"`
	Strategy ResourceUpdateStrategy `json:"strategy,omitzero"`
}

// ResourceUpdateStrategy is the way of changing a resource.
type ResourceUpdateStrategy struct {
	Op             ResourceUpdateOp `json:"op,omitempty"`
	RecreateFields []string         `json:"recreateFields,omitempty"`
}

// ResourceUpdateOp is patch or replace.
type ResourceUpdateOp string

// Ways of changing a resource.
const (
	ResourceUpdatePatch   ResourceUpdateOp = "patch"
	ResourceUpdateReplace ResourceUpdateOp = "replace"
)

// RefObjectsComponentSpec are the properties of a ref-objects component.
type RefObjectsComponentSpec struct {
	Objects []ObjectReferrer `json:"objects,omitempty"`
	URLs    []string         `json:"urls,omitempty"`
}

// ObjectReferrer selects existing objects: by resource and group, or, in the old
// form, by apiVersion and kind.
type ObjectReferrer struct {
	metav1.TypeMeta `json:",inline"`

	Resource  string `json:"resource,omitempty"`
	Group     string `json:"group,omitempty"`
	Name      string `json:"name,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Cluster   string `json:"cluster,omitempty"`

	LabelSelector map[string]string `json:"labelSelector,omitempty"`

	// DeprecatedLabelSelector is the old name of LabelSelector.
	DeprecatedLabelSelector map[string]string `json:"selector,omitempty"`
}

// EnvBindingSpec places components in environments. It is deprecated; topology
// and override replace it.
type EnvBindingSpec struct {
	Envs []EnvConfig `json:"envs,omitempty"`
}

// EnvConfig is one environment of an env-binding policy.
type EnvConfig struct {
	Name      string       `json:"name"`
	Placement EnvPlacement `json:"placement,omitzero"`
	Selector  *EnvSelector `json:"selector,omitempty"`
	Patch     EnvPatch     `json:"patch,omitzero"`
}

// EnvPlacement is where an environment is.
type EnvPlacement struct {
	ClusterSelector   *EnvTarget `json:"clusterSelector,omitempty"`
	NamespaceSelector *EnvTarget `json:"namespaceSelector,omitempty"`
}

// EnvTarget picks a cluster or namespace by name or labels.
type EnvTarget struct {
	Name   string            `json:"name,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
}

// EnvSelector limits an environment to components.
type EnvSelector struct {
	Components []string `json:"components,omitempty"`
}

// EnvPatch changes components in an environment.
type EnvPatch struct {
	Components []OverrideComponent `json:"components,omitempty"`
}
