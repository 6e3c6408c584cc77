package cluster

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// applications returns the Application that owns obj and those that share it.
func applications(obj *unstructured.Unstructured) []types.NamespacedName {
	labels := obj.GetLabels()
	var out []types.NamespacedName
	if name := labels[oam.LabelAppName]; name != "" {
		out = append(out, types.NamespacedName{Namespace: labels[oam.LabelAppNamespace], Name: name})
	}
	for _, sharer := range strings.Split(obj.GetAnnotations()[oam.AnnotationSharedBy], ",") {
		if ns, name, ok := strings.Cut(strings.TrimSpace(sharer), "/"); ok {
			out = append(out, types.NamespacedName{Namespace: ns, Name: name})
		}
	}
	return out
}
