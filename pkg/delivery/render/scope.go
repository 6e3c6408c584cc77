package render

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
)

// namespaced reports whether objects of the kind live in namespaces. What nobody
// knows is taken as namespaced, as most kinds are.
func (r *Renderer) namespaced(gvk schema.GroupVersionKind) bool {
	if r.scope != nil {
		if namespaced, known := r.scope(gvk); known {
			return namespaced
		}
	}
	return !clusterScoped(gvk.GroupKind())
}

// scoped reports whether manifests that were kept still have the right scope: a
// kind may have been installed since.
func (r *Renderer) scoped(kept []manifest.Manifest) bool {
	if r.scope == nil {
		return true
	}
	for _, m := range kept {
		if r.namespaced(m.Object.GroupVersionKind()) != (m.Key.Namespace != "") {
			return false
		}
	}
	return true
}

// clusterScoped knows the kinds outside of namespaces that come with Kubernetes
// and with this control plane, for rendering without a cluster.
func clusterScoped(gk schema.GroupKind) bool {
	switch gk.Group {
	case "":
		switch gk.Kind {
		case "Namespace", "Node", "PersistentVolume", "ComponentStatus":
			return true
		}
	case "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io",
		"authentication.k8s.io", "flowcontrol.apiserver.k8s.io", "node.k8s.io", "scheduling.k8s.io",
		"storagemigration.k8s.io", "internal.apiserver.k8s.io":
		return true
	case "authorization.k8s.io":
		return gk.Kind != "LocalSubjectAccessReview"
	case "rbac.authorization.k8s.io":
		return gk.Kind == "ClusterRole" || gk.Kind == "ClusterRoleBinding"
	case "certificates.k8s.io":
		return gk.Kind == "CertificateSigningRequest" || gk.Kind == "ClusterTrustBundle"
	case "networking.k8s.io":
		switch gk.Kind {
		case "IngressClass", "IPAddress", "ServiceCIDR":
			return true
		}
	case "policy":
		return gk.Kind == "PodSecurityPolicy"
	case "resource.k8s.io":
		switch gk.Kind {
		case "DeviceClass", "ResourceSlice", "DeviceTaintRule":
			return true
		}
	case "storage.k8s.io":
		return gk.Kind != "CSIStorageCapacity"
	case "core.oam.dev":
		return gk.Kind == "ResourceTracker"
	}
	return false
}
