package status

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/observe"
)

// Services folds the health of workloads and traits into one entry for each
// component and placement, in the order in which they were observed.
func Services(health []observe.Health) []v1beta1.ApplicationComponentStatus {
	type place struct{ component, cluster, namespace, replica string }
	index := map[place]int{}
	var out []v1beta1.ApplicationComponentStatus
	for _, h := range health {
		at := place{h.Component, h.Cluster, h.Namespace, h.Replica}
		i, seen := index[at]
		if !seen {
			i = len(out)
			index[at] = i
			out = append(out, v1beta1.ApplicationComponentStatus{
				Name: h.Component, Cluster: h.Cluster, Namespace: h.Namespace, Env: h.Env, Healthy: true,
			})
		}
		s := &out[i]
		healthy := h.Healthy && h.Known
		if h.Trait != "" {
			s.Traits = append(s.Traits, v1beta1.ApplicationTraitStatus{
				Type: h.Trait, Healthy: healthy, Pending: h.Pending, Message: h.Message, Details: h.Details,
			})
			s.Healthy = s.Healthy && (healthy || h.Pending)
			continue
		}
		s.WorkloadDefinition = v1beta1.WorkloadGVK{APIVersion: h.WorkloadAPIVersion, Kind: h.WorkloadKind}
		s.WorkloadHealthy, s.Message, s.Details = healthy, h.Message, h.Details
		s.Healthy = s.Healthy && healthy
	}
	return out
}

// Applied lists what is owned, as status.appliedResources shows it.
func Applied(owned inventory.Inventory) []v1beta1.ClusterObjectReference {
	var out []v1beta1.ClusterObjectReference
	for _, e := range owned.Entries {
		if e.Deleted {
			continue
		}
		ref := v1beta1.ClusterObjectReference{
			Creator: e.Creator,
			ObjectReference: corev1.ObjectReference{
				APIVersion: schema.GroupVersion{Group: e.Key.Group, Version: e.Version}.String(),
				Kind:       e.Key.Kind, Namespace: e.Key.Namespace, Name: e.Key.Name,
			},
		}
		if e.Key.Cluster != manifest.Local {
			ref.Cluster = e.Key.Cluster
		}
		out = append(out, ref)
	}
	return out
}
