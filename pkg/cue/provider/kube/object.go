package kube

import (
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

// An object is a Kubernetes object as a template writes it.
type object map[string]any

// UnmarshalJSON keeps whole numbers whole.
func (o *object) UnmarshalJSON(b []byte) error {
	v, err := provider.Unmarshal(b)
	if err != nil {
		return err
	}
	m, ok := v.(map[string]any)
	if !ok && v != nil {
		return fmt.Errorf("expected an object, got %T", v)
	}
	*o = m
	return nil
}

// kind returns the object, which must say what it is.
func (o object) kind() (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{Object: o}
	if o == nil {
		u.Object = map[string]any{}
	}
	for _, field := range []string{"apiVersion", "kind"} {
		if s, _ := u.Object[field].(string); s == "" {
			return nil, fmt.Errorf("the object has no %s", field)
		}
	}
	return u, nil
}

// named returns the object with its namespace; it must have a name.
func (o object) named() (*unstructured.Unstructured, error) {
	u, err := o.kind()
	if err != nil {
		return nil, err
	}
	if u.GetName() == "" {
		return nil, fmt.Errorf("the %s has no metadata.name", u.GetKind())
	}
	if u.GetNamespace() == "" {
		u.SetNamespace(defaultNamespace)
	}
	return u, nil
}

func keyOf(u *unstructured.Unstructured) types.NamespacedName {
	ns := u.GetNamespace()
	if ns == "" {
		ns = defaultNamespace
	}
	return types.NamespacedName{Namespace: ns, Name: u.GetName()}
}

// difference is the JSON merge patch that turns one object into another.
func difference(from, to map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range to {
		old, ok := from[k]
		a, isObject := old.(map[string]any)
		b, wantsObject := v.(map[string]any)
		switch {
		case ok && isObject && wantsObject:
			if d := difference(a, b); len(d) > 0 {
				out[k] = d
			}
		case !ok || !reflect.DeepEqual(old, v):
			out[k] = v
		}
	}
	for k := range from {
		if _, ok := to[k]; !ok {
			out[k] = nil
		}
	}
	return out
}
