package v1beta1

import (
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/apis/compression"
)

// ResourceTracker lists the objects that an Application owns in all clusters.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,shortName=rt,categories={oam}
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="TYPE",type=string,JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="APP",type=string,JSONPath=`.metadata.labels['app\.oam\.dev\/name']`
// +kubebuilder:printcolumn:name="APP-NS",type=string,JSONPath=`.metadata.labels['app\.oam\.dev\/namespace']`
// +kubebuilder:printcolumn:name="APP-GEN",type=number,JSONPath=`.spec.applicationGeneration`
type ResourceTracker struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec ResourceTrackerSpec `json:"spec,omitempty"`
}

// ResourceTrackerList is a list of ResourceTrackers.
//
// +kubebuilder:object:root=true
type ResourceTrackerList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ResourceTracker `json:"items"`
}

// ResourceTrackerType says how long the listed objects live.
type ResourceTrackerType string

// Types of trackers.
const (
	// ResourceTrackerRoot is for objects that live as long as the Application.
	ResourceTrackerRoot ResourceTrackerType = "root"
	// ResourceTrackerVersioned is for objects of one generation.
	ResourceTrackerVersioned ResourceTrackerType = "versioned"
	// ResourceTrackerComponentRevision is for stored revisions of components.
	ResourceTrackerComponentRevision ResourceTrackerType = "component-revision"
)

// ResourceTrackerSpec is the list. With a compression type set it is written
// packed; read, it is always unpacked and keeps the type.
type ResourceTrackerSpec struct {
	Type                  ResourceTrackerType `json:"type,omitempty"`
	ApplicationGeneration int64               `json:"applicationGeneration"`
	ManagedResources      []ManagedResource   `json:"managedResources,omitempty"`
	Compression           compression.Text    `json:"compression,omitzero"`
}

// ManagedResource is one owned object.
type ManagedResource struct {
	ClusterObjectReference `json:",inline"`

	Component string `json:"component,omitempty"`
	Trait     string `json:"trait,omitempty"`

	// Data is the manifest as it was applied.
	// +kubebuilder:pruning:PreserveUnknownFields
	Data *runtime.RawExtension `json:"raw,omitempty"`

	// Deleted marks an object that is on its way out.
	Deleted bool `json:"deleted,omitempty"`
	// SkipGC keeps the object when the Application forgets it.
	SkipGC bool `json:"skipGC,omitempty"`

	// Digest identifies the applied manifest by its content. KubeVela has no such
	// field; its tools ignore it.
	Digest string `json:"digest,omitempty"`
}

// MarshalJSON packs the list when a compression type is set.
func (s ResourceTrackerSpec) MarshalJSON() ([]byte, error) {
	type plain ResourceTrackerSpec // without this method
	out := plain(s)
	if s.Compression.Type == "" {
		return json.Marshal(out)
	}
	text, err := compression.Pack(s.Compression.Type, s.ManagedResources)
	if err != nil {
		return nil, fmt.Errorf("pack resource tracker: %w", err)
	}
	out.ManagedResources = nil
	out.Compression = text
	return json.Marshal(out)
}

// UnmarshalJSON unpacks the list when it is packed.
func (s *ResourceTrackerSpec) UnmarshalJSON(data []byte) error {
	type plain ResourceTrackerSpec
	var in plain
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	if in.Compression.Data != "" {
		in.ManagedResources = nil
		if err := compression.Unpack(in.Compression, &in.ManagedResources); err != nil {
			return fmt.Errorf("unpack resource tracker: %w", err)
		}
		in.Compression.Data = ""
	}
	*s = ResourceTrackerSpec(in)
	return nil
}
