// Package referred finds the objects that components of the type ref-objects
// refer to, while an Application is resolved: by name or labels in a cluster, by
// URL, or, for commands, among files. What it returns is frozen with the
// Blueprint, so that a delivery, a restart and a rollback copy the same content
// whatever has become of the objects since. Nothing here renders or writes.
package referred

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// A Selector means one object by Name, or all with certain Labels. Resource is
// how the kind is called (deployment, deployments, deploy), in the group if
// there is one; Version and Kind are set instead in the old form.
type Selector struct {
	Cluster                        string
	Group, Resource, Version, Kind string
	Namespace                      string
	Name                           string
	Labels                         map[string]string
}

// String is how messages call what is selected.
func (s Selector) String() string {
	kind := cmp.Or(s.Kind, s.Resource)
	if s.Group != "" {
		kind += "." + s.Group
	}
	out := fmt.Sprintf("%s %q", kind, s.Name)
	if s.Name == "" {
		out = fmt.Sprintf("%s with the labels %s", kind, labelText(s.Labels))
	}
	out += fmt.Sprintf(" in namespace %q", s.Namespace)
	if s.Cluster != oam.LocalCluster {
		out += fmt.Sprintf(" of cluster %q", s.Cluster)
	}
	return out
}

func labelText(labels map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, k+"="+labels[k])
	}
	return strings.Join(parts, ",")
}

// A Scope says which objects an Application may refer to.
type Scope string

// The scopes: objects in the namespace of the Application, in its cluster, or
// anywhere. The zero value is InNamespace.
const (
	InNamespace Scope = "namespace"
	InCluster   Scope = "cluster"
	Anywhere    Scope = "global"
)

// A Source returns the objects that a selector means; none is no error.
type Source interface {
	Select(ctx context.Context, s Selector) ([]unstructured.Unstructured, error)
}

// A Finder is a blueprint.Objects. It is safe for concurrent use.
type Finder struct {
	// Sources are asked in turn, until one has something.
	Sources []Source
	// Fetch reads a URL; nil: URLs are not allowed.
	Fetch func(ctx context.Context, url string) ([]byte, error)
	// Frozen holds what URLs gave when they were read, by the annotation on it;
	// they are not read again.
	Frozen Files
	Scope  Scope
}

// Find implements blueprint.Objects.
func (f *Finder) Find(ctx context.Context, namespace string, c blueprint.Component) ([]map[string]any, error) {
	var spec v1alpha1.RefObjectsComponentSpec
	if err := provider.Decode(c.Properties, &spec); err != nil {
		return nil, fault.Invalid(v1beta1.ReasonInvalidProperties, fmt.Errorf("component %q: %w", c.Name, err), fault.At(c.Origin.Property("")))
	}
	var out []map[string]any
	for i, ref := range spec.Objects {
		at := fault.At(c.Origin.Property(fmt.Sprintf("objects[%d]", i)))
		found, err := f.refer(ctx, namespace, c.Name, ref)
		if err != nil {
			return nil, fault.With(err, at)
		}
		out = append(out, found...)
	}
	for i, url := range spec.URLs {
		found, err := f.fetch(ctx, url)
		if err != nil {
			err, at := fmt.Errorf("component %q: %w", c.Name, err), fault.At(c.Origin.Property(fmt.Sprintf("urls[%d]", i)))
			if fault.Reason(err) != "" {
				return nil, fault.With(err, at)
			}
			return nil, fault.Because(v1beta1.ReasonReferenceMissing, err, at)
		}
		out = append(out, found...)
	}
	if len(out) == 0 {
		return nil, fault.Invalid(v1beta1.ReasonInvalidProperties, fmt.Errorf("component %q refers to nothing", c.Name),
			fault.At(c.Origin.Property("")), fault.Hint("name objects under objects, or files under urls"))
	}
	return out, nil
}

// refer returns copies of what one entry of objects means.
func (f *Finder) refer(ctx context.Context, namespace, component string, ref v1alpha1.ObjectReferrer) ([]map[string]any, error) {
	s, err := selector(namespace, component, ref)
	if err != nil {
		return nil, err
	}
	if err := f.Scope.allows(s, namespace, component); err != nil {
		return nil, err
	}
	for _, source := range f.Sources {
		found, err := source.Select(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("component %q: %w", component, err)
		}
		if len(found) > 0 {
			return copies(found), nil
		}
	}
	return nil, fault.Because(v1beta1.ReasonReferenceMissing,
		fmt.Errorf("component %q refers to %s, which does not exist", component, s))
}

// allows says why a selector goes too far.
func (sc Scope) allows(s Selector, namespace, component string) error {
	what := ""
	switch {
	case sc == Anywhere:
	case sc == InCluster && s.Cluster != oam.LocalCluster:
		what = "on the hub"
	case sc != InCluster && s.Namespace != namespace:
		what = fmt.Sprintf("in the namespace %q of the Application", namespace)
	}
	if what == "" {
		return nil
	}
	return fault.Invalid(v1beta1.ReasonForbidden,
		fmt.Errorf("component %q refers to %s: only objects %s can be referred to", component, s, what),
		fault.Hint("copy the object, or have the controller started with --ref-objects-available-scope global"))
}

// selector reads one entry of objects in either form. Without a name and labels
// the object has the name of the component.
func selector(namespace, component string, ref v1alpha1.ObjectReferrer) (Selector, error) {
	invalid := func(text string) error {
		return fault.Invalid(v1beta1.ReasonInvalidProperties, fmt.Errorf("component %q: %s", component, text))
	}
	s := Selector{
		Cluster: cmp.Or(ref.Cluster, oam.LocalCluster), Namespace: cmp.Or(ref.Namespace, namespace),
		Group: ref.Group, Resource: ref.Resource, Name: ref.Name, Labels: ref.LabelSelector,
	}
	if len(s.Labels) == 0 {
		s.Labels = ref.DeprecatedLabelSelector
	}
	switch {
	case ref.Resource != "" && ref.Kind != "":
		return s, invalid("an object is meant by resource, or in the old form by apiVersion and kind, not by both")
	case ref.Kind != "":
		gvk := ref.GroupVersionKind()
		s.Group, s.Version, s.Kind = cmp.Or(ref.Group, gvk.Group), gvk.Version, gvk.Kind
	case ref.Resource == "":
		return s, invalid(`an object needs a resource, such as "deployment"`)
	}
	if s.Name != "" && len(s.Labels) > 0 {
		return s, invalid("an object is meant by name or by labelSelector, not by both")
	}
	if s.Name == "" && len(s.Labels) == 0 {
		s.Name = component
	}
	return s, nil
}
