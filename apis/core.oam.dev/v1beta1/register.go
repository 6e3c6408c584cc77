package v1beta1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Group is the API group of every kind in this package.
const Group = "core.oam.dev"

// Version is the API version of every kind in this package.
const Version = "v1beta1"

// Kinds of this version.
const (
	ApplicationKind            = "Application"
	ApplicationRevisionKind    = "ApplicationRevision"
	ResourceTrackerKind        = "ResourceTracker"
	ComponentDefinitionKind    = "ComponentDefinition"
	TraitDefinitionKind        = "TraitDefinition"
	PolicyDefinitionKind       = "PolicyDefinition"
	WorkflowStepDefinitionKind = "WorkflowStepDefinition"
	WorkloadDefinitionKind     = "WorkloadDefinition"
	DefinitionRevisionKind     = "DefinitionRevision"
)

// GroupVersion is core.oam.dev/v1beta1.
var GroupVersion = schema.GroupVersion{Group: Group, Version: Version}

// AddToScheme registers every kind of this version.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&Application{}, &ApplicationList{},
		&ApplicationRevision{}, &ApplicationRevisionList{},
		&ResourceTracker{}, &ResourceTrackerList{},
		&ComponentDefinition{}, &ComponentDefinitionList{},
		&TraitDefinition{}, &TraitDefinitionList{},
		&PolicyDefinition{}, &PolicyDefinitionList{},
		&WorkflowStepDefinition{}, &WorkflowStepDefinitionList{},
		&WorkloadDefinition{}, &WorkloadDefinitionList{},
		&DefinitionRevision{}, &DefinitionRevisionList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
