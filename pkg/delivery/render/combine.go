package render

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// Combine makes one manifest of those that are one object in the cluster, as a
// plan needs it. A component and its traits often give the same Service, each
// with the ports that it cares for: the later ones are merged into the first.
// Different components cannot have one object, unless they agree on it.
func Combine(manifests []manifest.Manifest) ([]manifest.Manifest, error) {
	at := make(map[manifest.Key]int, len(manifests))
	out := make([]manifest.Manifest, 0, len(manifests))
	for _, m := range manifests {
		i, again := at[m.Key]
		if !again {
			at[m.Key] = len(out)
			out = append(out, m)
			continue
		}
		first := out[i]
		if first.Component != m.Component || first.ReplicaKey != m.ReplicaKey {
			if unowned(first) != unowned(m) {
				return nil, fault.Invalid(v1beta1.ReasonDuplicateOutput,
					fmt.Errorf("component %q and component %q both give %s, with different content", first.Component, m.Component, m.Key))
			}
			continue
		}
		out[i] = merged(first, m)
	}
	return out, nil
}

// unowned is the digest of an object without the labels that name its component.
func unowned(m manifest.Manifest) string {
	o := &unstructured.Unstructured{Object: deepCopyMeta(m.Object.Object)}
	labels := o.GetLabels()
	for _, key := range []string{
		oam.LabelComponent, oam.LabelReplicaKey, oam.LabelResourceType, oam.LabelWorkloadType, oam.LabelTraitType, oam.LabelTraitResource,
	} {
		delete(labels, key)
	}
	o.SetLabels(labels)
	return manifest.Digest(o.Object)
}

// merged returns first with what only later has. The labels stay those of first:
// it owns the object.
func merged(first, later manifest.Manifest) manifest.Manifest {
	object := mergeMaps(first.Object.Object, later.Object.Object)
	o := &unstructured.Unstructured{Object: deepCopyMeta(object)}
	labels := o.GetLabels()
	maps.Copy(labels, first.Object.GetLabels())
	for _, key := range []string{oam.LabelTraitType, oam.LabelTraitResource} {
		if _, ok := first.Object.GetLabels()[key]; !ok {
			delete(labels, key)
		}
	}
	o.SetLabels(labels)
	m := manifest.New(first.Key.Cluster, o)
	m.Component, m.ComponentType, m.ReplicaKey = first.Component, first.ComponentType, first.ReplicaKey
	m.Trait, m.Output, m.Stage = first.Trait, first.Output, first.Stage
	return m
}

// mergeMaps merges later into base; where both have a value that cannot be
// merged the later one counts.
func mergeMaps(base, later map[string]any) map[string]any {
	out := maps.Clone(base)
	for k, v := range later {
		out[k] = mergeValues(out[k], v)
	}
	return out
}

func mergeValues(base, later any) any {
	switch l := later.(type) {
	case map[string]any:
		if b, ok := base.(map[string]any); ok {
			return mergeMaps(b, l)
		}
	case []any:
		if b, ok := base.([]any); ok {
			return mergeLists(b, l)
		}
	}
	return later
}

// mergeLists merges elements of one name, or of one port, and appends the rest.
// Lists of anything else are replaced.
func mergeLists(base, later []any) []any {
	key := ""
	for _, k := range []string{"name", "port"} {
		if keyed(base, k) && keyed(later, k) {
			key = k
			break
		}
	}
	if key == "" {
		return later
	}
	out := slices.Clone(base)
	for _, l := range later {
		e := l.(map[string]any)
		i := slices.IndexFunc(out, func(b any) bool { return b.(map[string]any)[key] == e[key] })
		if i < 0 {
			out = append(out, e)
			continue
		}
		out[i] = mergeMaps(out[i].(map[string]any), e)
	}
	return out
}

// keyed reports whether all elements are objects told apart by a field.
func keyed(list []any, field string) bool {
	seen := map[any]bool{}
	for _, v := range list {
		m, _ := v.(map[string]any)
		switch id := m[field].(type) {
		case string, int64:
			if seen[id] {
				return false
			}
			seen[id] = true
		default:
			return false
		}
	}
	return true
}
