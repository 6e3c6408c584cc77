package deftest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/observe"
	"github.com/seed-c5f95f19/vela/pkg/delivery/render"
)

// A health is what one component or trait says about itself.
type health struct {
	Component string            `json:"component"`
	Trait     string            `json:"trait,omitempty"`
	Healthy   bool              `json:"healthy"`
	Pending   bool              `json:"pending,omitempty"`
	Message   string            `json:"message,omitempty"`
	Details   map[string]string `json:"details,omitempty"`
}

// live judges the Application with live objects. rest is the end of the name of
// their file, which those of the outcome get too.
func (d delivery) live(ctx context.Context, text, rest string, out Files) error {
	laid, err := documents(text)
	if err != nil {
		return err
	}
	used := make([]bool, len(laid))
	all := []health{}
	seen := map[string]*render.Live{}
	again := false
	for _, c := range d.blueprint.Components {
		target, live, err := d.target(ctx, c, laid, used)
		if err != nil {
			return err
		}
		seen[c.Name], again = live, again || len(d.waits(c)) > 0
		found, err := d.observer.Component(ctx, d.blueprint, target)
		if err != nil {
			return err
		}
		for _, h := range found {
			all = append(all, health{h.Component, h.Trait, h.Healthy, h.Pending, h.Message, h.Details})
		}
	}
	for i, doc := range laid {
		if !used[i] {
			return fmt.Errorf("document %d: no object of kind %q%s is rendered", i+1, doc["kind"], nameOf(doc))
		}
	}
	if out["want/health"+rest], err = document(all); err != nil || !again {
		return err
	}
	docs, err := d.objects(ctx, seen)
	if err != nil {
		docs = said(err)
	}
	if docs != out["want.yaml"] {
		out["want/objects"+rest] = docs
	}
	return nil
}

// target lays the live documents over the objects of a component.
func (d delivery) target(ctx context.Context, c blueprint.Component, laid []map[string]any, used []bool) (observe.Target, *render.Live, error) {
	sent, err := d.manifests(ctx, c, nil)
	if err != nil {
		return observe.Target{}, nil, err
	}
	live := &render.Live{Outputs: map[string]*unstructured.Unstructured{}}
	for _, m := range sent {
		if o := over(m.Object, laid, nil); m.Workload() {
			live.Output = o
		} else {
			live.Outputs[m.Output] = o
		}
	}
	waiting := d.waits(c)
	if len(waiting) > 0 { // they are sent once the workload is there
		if more, err := d.manifests(ctx, c, live); err == nil {
			sent, waiting = more, nil
		}
	}
	t := observe.Target{
		Component: c, Cluster: d.input.cluster.Name, Namespace: d.blueprint.App.Namespace, Pending: waiting,
		Context: map[string]any{"appRevision": d.blueprint.App.Name + "-v1", "appRevisionNum": int64(1)},
	}
	for _, m := range sent {
		t.Objects = append(t.Objects, observe.Object{Manifest: m, Live: over(m.Object, laid, used), Known: true})
	}
	return t, live, nil
}

// over returns an object with the documents of its kind, and of its name if
// they have one, laid over it.
func over(obj *unstructured.Unstructured, laid []map[string]any, used []bool) *unstructured.Unstructured {
	out := obj.DeepCopy()
	for i, doc := range laid {
		meta, _ := doc["metadata"].(map[string]any)
		if doc["kind"] != obj.GetKind() || meta["name"] != nil && meta["name"] != obj.GetName() {
			continue
		}
		if used != nil {
			used[i] = true
		}
		out.Object = merge(out.Object, doc)
	}
	return out
}

// merge is a JSON merge patch.
func merge(base, patch map[string]any) map[string]any {
	for key, value := range patch {
		inner, isMap := value.(map[string]any)
		old, wasMap := base[key].(map[string]any)
		switch {
		case value == nil:
			delete(base, key)
		case isMap && wasMap:
			base[key] = merge(old, inner)
		default:
			base[key] = value
		}
	}
	return base
}

// documents reads the live objects.
func documents(text string) ([]map[string]any, error) {
	var out []map[string]any
	dec := yaml.NewYAMLOrJSONDecoder(bytes.NewReader([]byte(text)), 4096)
	for {
		var u unstructured.Unstructured
		err := dec.Decode(&u.Object)
		switch {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, err
		case len(u.Object) > 0:
			out = append(out, whole(u.Object).(map[string]any))
		}
	}
}

// whole makes the numbers those that objects from a cluster have.
func whole(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = whole(e)
		}
	case []any:
		for i, e := range v {
			v[i] = whole(e)
		}
	case float64:
		if n := int64(v); float64(n) == v {
			return n
		}
	}
	return v
}

func nameOf(doc map[string]any) string {
	meta, _ := doc["metadata"].(map[string]any)
	if name, ok := meta["name"].(string); ok {
		return fmt.Sprintf(" and name %q", name)
	}
	return ""
}
