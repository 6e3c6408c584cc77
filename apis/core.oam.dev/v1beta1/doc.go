// Package v1beta1 holds the wire types of core.oam.dev/v1beta1: Application,
// ApplicationRevision, ResourceTracker and the definitions.
//
// The types read and write what a cluster that runs KubeVela already stores,
// field by field. They carry no behaviour except their encoding: a revision or
// tracker whose payload is compressed is unpacked while it is read and packed
// while it is written. Labels and annotations are in pkg/oam, policy payloads
// and the external Policy and Workflow in v1alpha1.
//
// +kubebuilder:object:generate=true
// +groupName=core.oam.dev
package v1beta1
