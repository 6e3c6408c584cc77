package referred

import (
	"context"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// Files is a Source of objects that are at hand: those of files, or those that a
// revision keeps. They stand for any cluster, and those without a namespace for
// any namespace.
type Files []unstructured.Unstructured

// Select implements Source.
func (f Files) Select(_ context.Context, s Selector) ([]unstructured.Unstructured, error) {
	var out []unstructured.Unstructured
	wanted := labels.SelectorFromSet(s.Labels)
	for _, o := range f {
		switch {
		case !s.means(o.GroupVersionKind()):
		case o.GetNamespace() != "" && o.GetNamespace() != s.Namespace:
		case s.Name != "" && o.GetName() != s.Name:
		case s.Name == "" && !wanted.Matches(labels.Set(o.GetLabels())):
		default:
			out = append(out, o)
		}
	}
	return out, nil
}

// means reports whether a selector calls a kind by one of its names.
func (s Selector) means(gvk schema.GroupVersionKind) bool {
	if s.Kind != "" {
		return s.Kind == gvk.Kind && s.Group == gvk.Group && (s.Version == "" || s.Version == gvk.Version)
	}
	if s.Group != "" && s.Group != gvk.Group {
		return false
	}
	plural, singular := meta.UnsafeGuessKindToResource(gvk)
	switch name := strings.ToLower(s.Resource); name {
	case plural.Resource, singular.Resource, strings.ToLower(gvk.Kind):
		return true
	default:
		return name == short(gvk.GroupKind())
	}
}

// short is how kubectl abbreviates a kind of Kubernetes, "" when it does not.
func short(gk schema.GroupKind) string {
	switch gk.String() {
	case "ConfigMap":
		return "cm"
	case "Service":
		return "svc"
	case "ServiceAccount":
		return "sa"
	case "PersistentVolumeClaim":
		return "pvc"
	case "Pod":
		return "po"
	case "Deployment.apps":
		return "deploy"
	case "StatefulSet.apps":
		return "sts"
	case "DaemonSet.apps":
		return "ds"
	case "CronJob.batch":
		return "cj"
	case "Ingress.networking.k8s.io":
		return "ing"
	case "NetworkPolicy.networking.k8s.io":
		return "netpol"
	case "HorizontalPodAutoscaler.autoscaling":
		return "hpa"
	}
	return ""
}

// from returns the objects that a URL gave.
func (f Files) from(url string) []map[string]any {
	var out []map[string]any
	for _, o := range f {
		if o.GetAnnotations()[oam.AnnotationResourceURL] == url {
			out = append(out, o.Object)
		}
	}
	return out
}
