package plan

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// OtherOwner returns the Application that has what is live for m, when it is
// another one that does not share it. m says by its labels whose it is.
func OtherOwner(m manifest.Manifest, live *unstructured.Unstructured) (types.NamespacedName, bool) {
	if live == nil {
		return types.NamespacedName{}, false
	}
	owner, owned := ownerOf(live)
	own, ours := ownerOf(m.Object)
	other := owned && ours && owner != own && !slices.Contains(sharersOf(live), own)
	return owner, other
}

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
