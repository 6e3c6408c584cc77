// Package v1alpha1 holds the external Policy and Workflow, the WorkflowRun, and
// the payloads of the built-in policies, which travel in the properties of a
// policy. Steps and their status are those of v1beta1.
//
// +kubebuilder:object:generate=true
// +groupName=core.oam.dev
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
)

// Version is the API version of every kind in this package.
const Version = "v1alpha1"

// Kinds of this version.
const (
	PolicyKind      = "Policy"
	WorkflowKind    = "Workflow"
	WorkflowRunKind = "WorkflowRun"
)

// GroupVersion is core.oam.dev/v1alpha1.
var GroupVersion = schema.GroupVersion{Group: v1beta1.Group, Version: Version}

// AddToScheme registers every kind of this version.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&Policy{}, &PolicyList{},
		&Workflow{}, &WorkflowList{},
		&WorkflowRun{}, &WorkflowRunList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
