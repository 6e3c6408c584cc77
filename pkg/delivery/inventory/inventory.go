// Package inventory knows what an Application owns: the set of objects, in
// which clusters, from which part of it, as the ResourceTracker records them.
// Sets are values; Tracker makes them durable. An object enters the
// inventory before it can exist and leaves it only when it is gone.
package inventory

import (
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
)

// An Owner says whose inventory it is. The UID tells an Application from an
// older one of the same name.
type Owner struct {
	Namespace string
	Name      string
	UID       types.UID
}

// An Entry is one owned object.
type Entry struct {
	Key       manifest.Key
	Version   string    // API version without group, to address the object
	UID       types.UID // of the live object when known: a hint for humans
	Component string
	Trait     string
	Creator   string // workflow or policy, as KubeVela records it
	Digest    string // of the manifest that was last sent; a hint; "" for Secrets
	SkipGC    bool
	Deleted   bool // a delete was asked for and is not finished
}

// GroupVersionKind returns how to address the object.
func (e Entry) GroupVersionKind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: e.Key.Group, Version: e.Version, Kind: e.Key.Kind}
}

// OfManifest returns the entry that records m.
func OfManifest(m manifest.Manifest) Entry {
	e := Entry{
		Key:       m.Key,
		Version:   m.Object.GroupVersionKind().Version,
		Component: m.Component,
		Trait:     m.Trait,
		Creator:   creatorWorkflow,
	}
	if m.Policy != "" {
		e.Creator = CreatorPolicy
	}
	if m.Key.Group != "" || m.Key.Kind != "Secret" {
		e.Digest = m.Digest() // trackers are read by more people than Secrets are
	}
	return e
}

// CreatorPolicy is the Creator of what a policy gives.
const CreatorPolicy = "policy"

const creatorWorkflow = "workflow"

// same reports whether both say the same about what is owned. Digest and UID
// are hints that ride along with other writes: alone they are not worth one.
func (e Entry) same(o Entry) bool {
	e.UID, e.Digest = o.UID, o.Digest
	return e == o
}

// An Inventory is the ordered set of what one Application owns. Order is the
// order of ownership. Nobody may modify it; the methods return new values.
type Inventory struct {
	Entries []Entry
}

// Of returns the inventory of these entries. Of several with one key the last
// one counts, at the place of the first.
func Of(entries ...Entry) Inventory { return Inventory{}.Upsert(entries...) }

// Len returns the number of owned objects.
func (i Inventory) Len() int { return len(i.Entries) }

// Keys returns what is owned, in order of ownership.
func (i Inventory) Keys() []manifest.Key {
	keys := make([]manifest.Key, len(i.Entries))
	for n, e := range i.Entries {
		keys[n] = e.Key
	}
	return keys
}

// Find returns the entry of key.
func (i Inventory) Find(key manifest.Key) (Entry, bool) {
	n := slices.IndexFunc(i.Entries, func(e Entry) bool { return e.Key == key })
	if n < 0 {
		return Entry{}, false
	}
	return i.Entries[n], true
}

// Upsert returns i with the entries in it. A known key keeps its place.
func (i Inventory) Upsert(entries ...Entry) Inventory {
	out := make([]Entry, 0, len(i.Entries)+len(entries))
	at := make(map[manifest.Key]int, cap(out))
	for _, e := range slices.Concat(i.Entries, entries) {
		if n, known := at[e.Key]; known {
			out[n] = e
			continue
		}
		at[e.Key] = len(out)
		out = append(out, e)
	}
	return Inventory{Entries: out}
}

// Union returns what i or o owns. For what both own, i knows better.
func (i Inventory) Union(o Inventory) Inventory {
	return i.Upsert(o.Without(i.Keys()...).Entries...)
}

// Without returns i without the keys.
func (i Inventory) Without(keys ...manifest.Key) Inventory {
	gone := make(map[manifest.Key]bool, len(keys))
	for _, k := range keys {
		gone[k] = true
	}
	var out []Entry
	for _, e := range i.Entries {
		if !gone[e.Key] {
			out = append(out, e)
		}
	}
	return Inventory{Entries: out}
}

// Reversed returns the entries from the last to the first.
func (i Inventory) Reversed() []Entry {
	out := slices.Clone(i.Entries)
	slices.Reverse(out)
	return out
}

// App returns the name of the Application.
func (o Owner) App() types.NamespacedName {
	return types.NamespacedName{Namespace: o.Namespace, Name: o.Name}
}
