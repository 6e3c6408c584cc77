package revision

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/referred"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// putReferred stores the objects that components refer to, each with a note
// which component that is.
func putReferred(rev *v1beta1.ApplicationRevision, b blueprint.Blueprint) error {
	for _, c := range b.Components {
		for _, o := range b.Referred[c.Name] {
			u := &unstructured.Unstructured{Object: runtime.DeepCopyJSON(o)}
			annotations := u.GetAnnotations()
			set(&annotations, oam.AnnotationReferredBy, c.Name)
			u.SetAnnotations(annotations)
			raw, err := json.Marshal(u.Object)
			if err != nil {
				return fmt.Errorf("encode %s %q: %w", u.GetKind(), u.GetName(), err)
			}
			rev.Spec.ReferredObjects = append(rev.Spec.ReferredObjects, v1beta1.ReferredObject{RawExtension: runtime.RawExtension{Raw: raw}})
		}
	}
	return nil
}

// takeReferred gives each component the objects that it referred to. In a
// revision that KubeVela wrote they lie together, and are found again by what
// the component says; a component whose objects are not all found has none.
func takeReferred(ctx context.Context, rev *v1beta1.ApplicationRevision, b *blueprint.Blueprint) error {
	var loose referred.Files
	all := map[string][]map[string]any{}
	for _, stored := range rev.Spec.ReferredObjects {
		v, err := provider.Unmarshal(stored.Raw)
		if err != nil {
			return fmt.Errorf("read revision %q: a referred object: %w", rev.Name, err)
		}
		fields, _ := v.(map[string]any)
		u := unstructured.Unstructured{Object: fields}
		by := u.GetAnnotations()[oam.AnnotationReferredBy]
		if by == "" {
			loose = append(loose, u)
			continue
		}
		unstructured.RemoveNestedField(fields, "metadata", "annotations", oam.AnnotationReferredBy)
		if len(u.GetAnnotations()) == 0 {
			unstructured.RemoveNestedField(fields, "metadata", "annotations")
		}
		all[by] = append(all[by], fields)
	}
	if len(loose) > 0 {
		finder := referred.Finder{Sources: []referred.Source{loose}, Scope: referred.Anywhere, Frozen: loose}
		for _, c := range b.Components {
			if !c.Refers() || all[c.Name] != nil {
				continue
			}
			if found, err := finder.Find(ctx, b.App.Namespace, c); err == nil {
				all[c.Name] = found
			}
		}
	}
	if len(all) > 0 {
		b.Referred = all
	}
	return nil
}

// lacksReferred reports whether a component refers to objects that are not there.
func lacksReferred(b blueprint.Blueprint) bool {
	return slices.ContainsFunc(b.Components, func(c blueprint.Component) bool { return c.Refers() && b.Referred[c.Name] == nil })
}
