package inventory_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
)

func entry(name, component string) inventory.Entry {
	return inventory.Entry{
		Key:     manifest.Key{Cluster: "local", Kind: "ConfigMap", Namespace: "shop", Name: name},
		Version: "v1", Component: component, Creator: "workflow",
	}
}

func key(name string) manifest.Key { return entry(name, "").Key }

func names(i inventory.Inventory) []string {
	var out []string
	for _, e := range i.Entries {
		out = append(out, e.Key.Name+":"+e.Component)
	}
	return out
}

func TestSetAlgebra(t *testing.T) {
	ab := inventory.Of(entry("a", "1"), entry("b", "1"))
	cases := map[string]struct {
		got  inventory.Inventory
		want []string
	}{
		"of several with one key the last counts, at the first place": {
			inventory.Of(entry("a", "1"), entry("b", "1"), entry("a", "2")), []string{"a:2", "b:1"},
		},
		"upsert keeps the order of what is known":      {ab.Upsert(entry("c", "1"), entry("a", "2")), []string{"a:2", "b:1", "c:1"}},
		"union believes the first about what both own": {ab.Union(inventory.Of(entry("b", "2"), entry("c", "2"))), []string{"a:1", "b:1", "c:2"}},
		"without removes keys, known or not":           {ab.Without(key("a"), key("x")), []string{"b:1"}},
		"nothing is the zero value":                    {inventory.Inventory{}.Without(key("a")), nil},
		"what a method returns shares nothing":         {ab, []string{"a:1", "b:1"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, names(tc.got), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("inventory (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReversedAndFind(t *testing.T) {
	ab := inventory.Of(entry("a", "1"), entry("b", "1"))
	if diff := cmp.Diff([]inventory.Entry{entry("b", "1"), entry("a", "1")}, ab.Reversed()); diff != "" {
		t.Errorf("Reversed() (-want +got):\n%s", diff)
	}
	if e, ok := ab.Find(key("b")); !ok || e != entry("b", "1") {
		t.Errorf("Find(b) = %v, %v", e, ok)
	}
	if _, ok := ab.Find(key("c")); ok {
		t.Errorf("Find(c) found something")
	}
}
