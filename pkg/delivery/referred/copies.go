package referred

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// copies returns what can be created anew of objects, in the order of their
// names. They are in no namespace: copies go where their component goes.
func copies(found []unstructured.Unstructured) []map[string]any {
	found = slices.Clone(found)
	slices.SortFunc(found, func(a, b unstructured.Unstructured) int {
		return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
	})
	out := make([]map[string]any, 0, len(found))
	for _, o := range found {
		out = append(out, copyOf(o.Object))
	}
	return out
}

func copyOf(live map[string]any) map[string]any {
	o := runtime.DeepCopyJSON(live)
	delete(o, "status")
	if meta, ok := o["metadata"].(map[string]any); ok {
		kept := map[string]any{"name": meta["name"]}
		keep(kept, meta, "labels", func(string) bool { return true })
		keep(kept, meta, "annotations", lasting)
		o["metadata"] = kept
	}
	u := &unstructured.Unstructured{Object: o}
	switch gvk := u.GroupVersionKind(); gvk.GroupKind().String() {
	case "Service":
		if ip, _, _ := unstructured.NestedString(o, "spec", "clusterIP"); ip != corev1.ClusterIPNone {
			remove(o, "spec", "clusterIP")
			remove(o, "spec", "clusterIPs")
		}
	case "PersistentVolumeClaim":
		remove(o, "spec", "volumeName")
	case "Pod":
		remove(o, "spec", "nodeName")
	case "Job.batch":
		unselect(o)
	}
	return o
}

func remove(o map[string]any, path ...string) { unstructured.RemoveNestedField(o, path...) }

// unselect drops the selector that a server has made up for a Job.
func unselect(job map[string]any) {
	if manual, _, _ := unstructured.NestedBool(job, "spec", "manualSelector"); manual {
		return
	}
	remove(job, "spec", "selector")
	for _, label := range []string{"controller-uid", "batch.kubernetes.io/controller-uid"} {
		remove(job, "metadata", "labels", label)
		remove(job, "spec", "template", "metadata", "labels", label)
	}
}

// keep copies one map of the metadata as far as wanted says.
func keep(into, from map[string]any, field string, wanted func(key string) bool) {
	m, ok := from[field].(map[string]any)
	if !ok {
		return
	}
	maps.DeleteFunc(m, func(k string, _ any) bool { return !wanted(k) })
	if len(m) > 0 {
		into[field] = m
	}
}

// appliedDigest is what package plan notes on live objects.
const appliedDigest = "app.oam.dev/applied-digest"

// lasting reports whether an annotation is more than what a program noted about
// this one object.
func lasting(key string) bool {
	switch key {
	case corev1.LastAppliedConfigAnnotation, oam.AnnotationLastApplied, oam.AnnotationLastAppliedTime, appliedDigest, oam.AnnotationSharedBy,
		"deployment.kubernetes.io/revision":
		return false
	}
	return !strings.HasPrefix(key, "pv.kubernetes.io/")
}
