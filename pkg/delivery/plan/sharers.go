package plan

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// sharersOf returns the Applications that share an object, in the order in which
// they came.
func sharersOf(obj *unstructured.Unstructured) []types.NamespacedName {
	var out []types.NamespacedName
	for _, sharer := range strings.Split(obj.GetAnnotations()[oam.AnnotationSharedBy], ",") {
		if ns, name, ok := strings.Cut(strings.TrimSpace(sharer), "/"); ok {
			out = append(out, types.NamespacedName{Namespace: ns, Name: name})
		}
	}
	return out
}

func joinSharers(apps []types.NamespacedName) string {
	names := make([]string, len(apps))
	for n, app := range apps {
		names[n] = app.Namespace + "/" + app.Name
	}
	return strings.Join(names, ",")
}
