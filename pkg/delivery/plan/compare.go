package plan

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
)

// A place is where in an object a value is. Places of one walk share memory: who
// keeps one clones it.
type place struct {
	steps []step
	item  string // name of the innermost list element that has one
}

// A step leads from a value to a part of it.
type step struct {
	name    string
	element bool // of a list; else a field
}

func (p place) field(name string) place {
	return place{steps: append(p.steps, step{name: name}), item: p.item}
}

func (p place) element(name string, named bool) place {
	out := place{steps: append(p.steps, step{name: name, element: true}), item: p.item}
	if named {
		out.item = name
	}
	return out
}

func (p place) clone() place { return place{steps: slices.Clone(p.steps), item: p.item} }

// path names the place for people.
func (p place) path() string {
	var b strings.Builder
	for n, s := range p.steps {
		switch {
		case s.element || strings.ContainsAny(s.name, "./[]"):
			b.WriteString("[" + s.name + "]")
		case n == 0:
			b.WriteString(s.name)
		default:
			b.WriteString("." + s.name)
		}
	}
	return b.String()
}

// leaf returns the innermost field.
func (p place) leaf() string {
	for _, s := range slices.Backward(p.steps) {
		if !s.element {
			return s.name
		}
	}
	return ""
}

// within reports whether the outermost field is of that name, and the place
// inside of it.
func (p place) within(name string) bool { return len(p.steps) > 1 && p.steps[0].name == name }

// passes reports whether a field of that name is on the way.
func (p place) passes(name string) bool {
	return slices.Contains(p.steps, step{name: name})
}

// A difference is one field whose live value is not the wanted one.
type difference struct {
	at         place
	live, want any
}

// A comparer finds the fields of a wanted object that the live one has with
// another value. What only the live object has does not count: others own it.
type comparer struct {
	builtin bool // lists of this kind merge by the keys of Kubernetes
	strict  bool // zero values that the live object lacks count
	found   []difference
}

// differences compares what m wants with live. They are sorted by path.
func differences(want, live *unstructured.Unstructured, strict bool) []difference {
	c := comparer{builtin: builtin(want.GroupVersionKind().Group), strict: strict}
	w, l := comparable(want), comparable(live)
	for key, value := range w {
		has, present := l[key]
		c.compare(place{}.field(key), value, has, present)
	}
	slices.SortFunc(c.found, func(a, b difference) int { return strings.Compare(a.at.path(), b.at.path()) })
	return c.found
}

func (c *comparer) differ(d difference) {
	d.at = d.at.clone()
	c.found = append(c.found, d)
}

// Projection is the digest of the part of live that want talks about: while it
// stays the same, what the server made of want has not changed.
func Projection(want, live *unstructured.Unstructured) string {
	c := comparer{builtin: builtin(want.GroupVersionKind().Group)}
	return manifest.Digest(c.project(place{}, comparable(want), comparable(live)))
}

// comparable returns the fields of an object that can be wanted.
func comparable(obj *unstructured.Unstructured) map[string]any {
	out := maps.Clone(obj.Object)
	for _, key := range []string{"apiVersion", "kind", "status"} {
		delete(out, key)
	}
	meta, _ := out["metadata"].(map[string]any)
	kept := map[string]any{}
	for _, key := range []string{"labels", "annotations", "finalizers", "ownerReferences"} {
		if v, ok := meta[key]; ok {
			kept[key] = v
		}
	}
	out["metadata"] = kept
	if isSecret(obj) {
		mergeStringData(out)
	}
	return out
}

func isSecret(obj *unstructured.Unstructured) bool {
	gvk := obj.GroupVersionKind()
	return gvk.Group == "" && gvk.Kind == "Secret"
}

// mergeStringData writes stringData into data, as the server does.
func mergeStringData(content map[string]any) {
	plain, _ := content["stringData"].(map[string]any)
	if plain == nil {
		return
	}
	data, _ := content["data"].(map[string]any)
	merged := map[string]any{}
	maps.Copy(merged, data)
	for key, value := range plain {
		merged[key] = base64.StdEncoding.EncodeToString([]byte(fmt.Sprint(value)))
	}
	content["data"] = merged
	delete(content, "stringData")
}

// builtin reports whether the group is of Kubernetes itself.
func builtin(group string) bool {
	return !strings.Contains(group, ".") || strings.HasSuffix(group, ".k8s.io")
}

func (c *comparer) compare(at place, want, live any, present bool) {
	if want == nil || (!present || live == nil) && c.absent(at, want) {
		return
	}
	switch w := want.(type) {
	case map[string]any:
		if l, ok := live.(map[string]any); ok {
			for key, value := range w {
				has, present := l[key]
				c.compare(at.field(key), value, has, present)
			}
			return
		}
	case []any:
		if l, ok := live.([]any); ok {
			c.lists(at, w, l)
			return
		}
	default:
		if present && equalScalars(at, want, live) {
			return
		}
	}
	c.differ(difference{at: at, live: live, want: want})
}

// absent reports whether a field without a live value is as wanted.
func (c *comparer) absent(at place, want any) bool {
	switch w := want.(type) {
	case nil:
		return true
	case map[string]any:
		for _, value := range w {
			if !c.absent(at, value) {
				return false
			}
		}
		return true
	case []any:
		return len(w) == 0
	case string:
		return w == "" && !c.strict && !verbatim(at)
	case bool:
		return !w && !c.strict
	}
	n, ok := number(want)
	return ok && n == 0 && !c.strict
}

// verbatim reports whether servers store every value at that place, empty ones
// too.
func verbatim(at place) bool {
	return at.within("data") || at.passes("metadata") || at.passes("matchLabels")
}

func (c *comparer) lists(at place, want, live []any) {
	if names, ok := c.keyed(at, want, live); ok {
		for n, element := range want {
			e := at.element(names.want[n], true)
			if found, ok := names.live[names.want[n]]; ok {
				c.compare(e, element, live[found], true)
				continue
			}
			c.differ(difference{at: e, want: element})
		}
		return
	}
	if c.builtin && at.leaf() == "finalizers" && subset(want, live) {
		return
	}
	if len(want) != len(live) || scalars(want) {
		if len(want) != len(live) || !equalLists(at, want, live) {
			c.differ(difference{at: at, live: live, want: want})
		}
		return
	}
	for n := range want {
		c.compare(at.element(strconv.Itoa(n), false), want[n], live[n], true)
	}
}

func equalLists(at place, want, live []any) bool {
	for n := range want {
		if !equalScalars(at, want[n], live[n]) {
			return false
		}
	}
	return true
}

func scalars(list []any) bool {
	return !slices.ContainsFunc(list, func(v any) bool {
		switch v.(type) {
		case map[string]any, []any:
			return true
		}
		return false
	})
}

func subset(want, live []any) bool {
	return !slices.ContainsFunc(want, func(w any) bool {
		return !slices.ContainsFunc(live, func(l any) bool { return equalScalars(place{}, w, l) })
	})
}

// project returns the part of live that want talks about.
func (c *comparer) project(at place, want, live any) any {
	switch w := want.(type) {
	case map[string]any:
		l, ok := live.(map[string]any)
		if !ok {
			return live
		}
		out := make(map[string]any, len(w))
		for key, value := range w {
			if found, ok := l[key]; ok {
				out[key] = c.project(at.field(key), value, found)
			}
		}
		return out
	case []any:
		l, ok := live.([]any)
		if !ok {
			return live
		}
		names, keyed := c.keyed(at, w, l)
		if !keyed {
			return live
		}
		out := make(map[string]any, len(w))
		for n, name := range names.want {
			if found, ok := names.live[name]; ok {
				out[name] = c.project(at.element(name, true), w[n], l[found])
			}
		}
		return out
	}
	return live
}
