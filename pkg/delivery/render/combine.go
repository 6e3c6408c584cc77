package render

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// Combine makes one manifest of those that are one object in the cluster, as a
// plan needs it. A component and its traits often give the same Service, each
// with the ports that it cares for: the first owns it, later ones add what it
// does not have. Different components cannot have one object, unless they agree
// on it, and no template can contradict itself.
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
		if first.Trait == m.Trait && contradict(first.Object.Object, m.Object.Object) {
			return nil, fault.Invalid(v1beta1.ReasonDuplicateOutput,
				fmt.Errorf("%s gives %s twice, under %s and %s of its template, with different content", giver(m), m.Key, output(first), output(m)),
				fault.Hint("correct its definition: every output is an object of its own"))
		}
		out[i] = merged(first, m)
	}
	return out, nil
}

// giver says what part of the Application a manifest comes from.
func giver(m manifest.Manifest) string {
	if m.Trait == "" {
		return fmt.Sprintf("component %q", m.Component)
	}
	return fmt.Sprintf("trait %q of component %q", m.Trait, m.Component)
}

func output(m manifest.Manifest) string {
	if m.Workload() {
		return "output"
	}
	return "outputs." + m.Output
}

// contradict reports whether two objects have different values for one field.
// Metadata does not count: it is ours. Lists are put together.
func contradict(a, b map[string]any) bool {
	for k, va := range a {
		vb, both := b[k]
		if !both || k == "metadata" {
			continue
		}
		switch va := va.(type) {
		case map[string]any:
			if vb, ok := vb.(map[string]any); ok && contradict(va, vb) {
				return true
			}
		case []any:
		default:
			if !equality.Semantic.DeepEqual(va, vb) {
				return true
			}
		}
	}
	return false
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

// merged returns first with what only later has.
func merged(first, later manifest.Manifest) manifest.Manifest {
	o := &unstructured.Unstructured{Object: deepCopyMeta(added(first.Object.Object, later.Object.Object))}
	labels := o.GetLabels()
	for _, key := range []string{oam.LabelTraitType, oam.LabelTraitResource} {
		if _, ok := first.Object.GetLabels()[key]; !ok {
			delete(labels, key) // it says who gave later
		}
	}
	o.SetLabels(labels)
	m := manifest.New(first.Key.Cluster, o)
	m.Component, m.ComponentType, m.ReplicaKey = first.Component, first.ComponentType, first.ReplicaKey
	m.Trait, m.Output, m.Stage = first.Trait, first.Output, first.Stage
	return m
}

// added returns base with the fields of more that it does not have.
func added(base, more map[string]any) map[string]any {
	out := maps.Clone(base)
	for k, v := range more {
		b, has := out[k]
		if !has {
			out[k] = v
			continue
		}
		switch b := b.(type) {
		case map[string]any:
			if m, ok := v.(map[string]any); ok {
				out[k] = added(b, m)
			}
		case []any:
			if l, ok := v.([]any); ok {
				out[k] = addedElements(b, l)
			}
		}
	}
	return out
}

// addedElements puts lists together whose elements are told apart by a port or
// a name. Any other list stays as it is in base.
func addedElements(base, more []any) []any {
	key := ""
	for _, k := range []string{"port", "name"} {
		if keyed(base, k) && keyed(more, k) {
			key = k
			break
		}
	}
	if key == "" {
		return base
	}
	out := slices.Clone(base)
	for _, v := range more {
		e := v.(map[string]any)
		i := slices.IndexFunc(out, func(b any) bool { return b.(map[string]any)[key] == e[key] })
		if i < 0 {
			out = append(out, e)
			continue
		}
		out[i] = added(out[i].(map[string]any), e)
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
