package render

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// assemble names and labels the objects and says where they go.
func (j *job) assemble() ([]manifest.Manifest, error) {
	c := j.req.Component
	workload, err := j.manifest(j.workload, j.component, stamp{
		name: c.Name, cluster: j.req.place(), namespace: j.req.Namespace, path: "output",
		labels: map[string]string{oam.LabelResourceType: oam.ResourceTypeWorkload, oam.LabelWorkloadType: base(c.Type)},
	})
	if err != nil {
		return nil, err
	}
	out := []manifest.Manifest{workload}
	for _, o := range j.objects {
		m, err := j.manifest(o.fields, unit{what: o.what, def: o.def, origin: j.component.origin}, j.stampOf(o))
		if err != nil {
			return nil, err
		}
		m.Output, m.Trait = o.name, base(o.trait)
		if o.trait != "" {
			m.Stage = manifest.Stage(o.def.Stage)
		}
		out = append(out, m)
	}
	return out, nil
}

// place is the cluster that the objects are for.
func (req Request) place() string { return cmp.Or(req.Cluster, manifest.Local) }

// A stamp is what an object gets beside what its template says.
type stamp struct {
	name, cluster, namespace string
	hubOnly                  bool
	path                     string // in the template, for messages
	labels                   map[string]string
}

func (j *job) stampOf(o *object) stamp {
	typ := cmp.Or(base(o.trait), oam.AuxiliaryWorkload)
	s := stamp{
		name:    j.generatedName(typ, o.name),
		cluster: j.req.place(), namespace: j.req.Namespace, path: "outputs." + o.name,
		labels: map[string]string{
			oam.LabelResourceType: oam.ResourceTypeTrait, oam.LabelTraitType: typ, oam.LabelTraitResource: o.name,
		},
	}
	if o.def.ControlPlaneOnly {
		s.cluster, s.namespace, s.hubOnly = manifest.Local, j.req.Blueprint.App.Namespace, true
	}
	return s
}

// generatedName names an object whose template does not. It depends on what the
// object is and not on what it says, so that a change updates it in place.
func (j *job) generatedName(typ, output string) string {
	c := j.req.Component
	hash := manifest.Digest([]string{c.Name, c.ReplicaKey, typ, output})[:10]
	return fmt.Sprintf("%s-%s-%s", c.Name, strings.ToLower(typ), hash)
}

func base(typ string) string {
	name, _, _ := strings.Cut(typ, "@")
	return name
}

func (j *job) manifest(fields map[string]any, u unit, s stamp) (manifest.Manifest, error) {
	obj := &unstructured.Unstructured{Object: deepCopyMeta(fields)}
	if obj.GetAPIVersion() == "" || obj.GetKind() == "" {
		return manifest.Manifest{}, fault.Invalid(v1beta1.ReasonRenderFailed,
			fmt.Errorf("%s: %s definition %q: %s has no apiVersion or kind", u.what, u.def.Kind, u.def.Name, s.path),
			fault.At(u.origin.String()))
	}
	if obj.GetName() == "" && obj.GetGenerateName() == "" {
		obj.SetName(s.name)
	}
	switch {
	case !j.namespaced(obj.GroupVersionKind()):
		obj.SetNamespace("")
	case s.hubOnly || obj.GetNamespace() == "":
		obj.SetNamespace(s.namespace)
	}
	j.label(obj, s)
	m := manifest.New(cmp.Or(obj.GetLabels()[oam.LabelCluster], s.cluster), obj)
	m.Component, m.ComponentType, m.ReplicaKey = j.req.Component.Name, base(j.req.Component.Type), j.req.Component.ReplicaKey
	return m, nil
}

// label adds labels and annotations to those of the template: first those of the
// Application, then those that say who owns the object. Later ones count, as in
// KubeVela.
func (j *job) label(obj *unstructured.Unstructured, s stamp) {
	app := j.req.Blueprint.App
	labels := obj.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, inherited(app.Labels, app, oam.AnnotationFilterLabelKeys))
	maps.Copy(labels, s.labels)
	labels[oam.LabelAppName], labels[oam.LabelAppNamespace] = app.Name, app.Namespace
	labels[oam.LabelComponent] = j.req.Component.Name
	if key := j.req.Component.ReplicaKey; key != "" {
		labels[oam.LabelReplicaKey] = key
	}
	obj.SetLabels(labels)
	if more := inherited(app.Annotations, app, oam.AnnotationFilterAnnotationKeys); len(more) > 0 {
		annotations := obj.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		maps.Copy(annotations, more)
		obj.SetAnnotations(annotations)
	}
}

// inherited returns the labels or annotations of an Application that its objects
// get too: all but those that the filter annotation names and those that only
// steer the Application itself.
func inherited(all map[string]string, app blueprint.App, filter string) map[string]string {
	out := maps.Clone(all)
	if out == nil {
		out = map[string]string{}
	}
	for _, key := range []string{
		oam.AnnotationInplaceUpgrade, oam.AnnotationFilterAnnotationKeys, oam.AnnotationFilterLabelKeys,
		oam.AnnotationVersion, oam.AnnotationRestartWorkflow, oam.AnnotationReconcileInterval,
	} {
		delete(out, key)
	}
	for key := range strings.SplitSeq(app.Annotations[filter], ",") {
		delete(out, strings.TrimSpace(key))
	}
	return out
}

// deepCopyMeta copies an object as far as stamping changes it.
func deepCopyMeta(fields map[string]any) map[string]any {
	out := maps.Clone(fields)
	meta, ok := out["metadata"].(map[string]any)
	if !ok {
		out["metadata"] = map[string]any{}
		return out
	}
	meta = maps.Clone(meta)
	for _, k := range slices.Sorted(maps.Keys(meta)) {
		if m, ok := meta[k].(map[string]any); ok {
			meta[k] = maps.Clone(m)
		}
	}
	out["metadata"] = meta
	return out
}
