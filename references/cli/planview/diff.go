package planview

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
)

// Between says how two renderings differ, as a step of that name: what is only
// in after is created, what is only in before is deleted.
func Between(name string, before, after []manifest.Manifest) Step {
	step := Step{Name: name}
	old := map[manifest.Key]manifest.Manifest{}
	for _, m := range before {
		old[m.Key] = m
	}
	seen := map[manifest.Key]bool{}
	for _, m := range after {
		if seen[m.Key] {
			continue
		}
		seen[m.Key] = true
		c := step.cluster(m.Key.Cluster)
		was, existed := old[m.Key]
		switch {
		case !existed:
			o := objectOf("create", m.Key)
			o.Component, o.Trait, o.Policy, o.Object = m.Component, m.Trait, m.Policy, plan.Masked(m.Object).Object
			c.Objects = append(c.Objects, o)
		case was.Digest() == m.Digest():
			c.Unchanged++
		default:
			o := objectOf("update", m.Key)
			o.Component, o.Trait, o.Policy, o.Changes = m.Component, m.Trait, m.Policy, changes(was.Object, m.Object)
			c.Objects = append(c.Objects, o)
		}
	}
	for _, m := range before {
		if !seen[m.Key] {
			seen[m.Key] = true
			o := objectOf("delete", m.Key)
			o.Component, o.Trait, o.Policy = m.Component, m.Trait, m.Policy
			c := step.cluster(m.Key.Cluster)
			c.Objects = append(c.Objects, o)
		}
	}
	step.Summary = step.count()
	return step
}

// changes lists the fields in which two objects differ, by path. Sensitive
// values are masked; that they differ is told.
func changes(before, after *unstructured.Unstructured) []Change {
	d := differ{}
	d.compare("", before.Object, after.Object, plan.Masked(before).Object, plan.Masked(after).Object)
	return d.found
}

type differ struct{ found []Change }

func (d *differ) compare(path string, a, b, maskedA, maskedB any) {
	if reflect.DeepEqual(a, b) {
		return
	}
	mapA, okA := a.(map[string]any)
	mapB, okB := b.(map[string]any)
	shownA, shownB := fields(maskedA), fields(maskedB)
	if okA && okB && shownA != nil && shownB != nil {
		all := maps.Clone(mapA)
		maps.Copy(all, mapB)
		for _, key := range slices.Sorted(maps.Keys(all)) {
			d.compare(join(path, key), mapA[key], mapB[key], shownA[key], shownB[key])
		}
		return
	}
	listA, okA := a.([]any)
	listB, okB := b.([]any)
	itemsA, openA := maskedA.([]any)
	itemsB, openB := maskedB.([]any)
	if okA && okB && openA && openB && len(listA) == len(listB) {
		for i := range listA {
			d.compare(fmt.Sprintf("%s[%s]", path, label(listB[i], i)), listA[i], listB[i], itemsA[i], itemsB[i])
		}
		return
	}
	if reflect.DeepEqual(maskedA, maskedB) {
		maskedB = plan.SecretChanged
	}
	d.found = append(d.found, Change{Path: path, From: maskedA, To: maskedB})
}

func fields(v any) map[string]any {
	m, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	return m
}

// label calls an item of a list by its name, when it has one.
func label(item any, index int) string {
	if m, ok := item.(map[string]any); ok {
		if name, ok := m["name"].(string); ok {
			return name
		}
	}
	return fmt.Sprint(index)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
