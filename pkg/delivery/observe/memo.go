package observe

import (
	"sync"

	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
)

// maxMemo bounds how many answers an Observer remembers.
const maxMemo = 16_384

// A memo remembers the last answers, so that an event of one object does not
// evaluate the rules of all the others of its Application.
type memo struct {
	mu     sync.Mutex
	recent map[string][]Health
	older  map[string][]Health // dropped when recent is full
}

func newMemo() *memo { return &memo{recent: map[string][]Health{}} }

func (m *memo) get(key string) ([]Health, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h, ok := m.recent[key]
	if !ok {
		if h, ok = m.older[key]; ok {
			m.recent[key] = h
		}
	}
	return append([]Health(nil), h...), ok
}

func (m *memo) put(key string, h []Health) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.recent) >= maxMemo/2 {
		m.recent, m.older = map[string][]Health{}, m.recent
	}
	m.recent[key] = append([]Health(nil), h...)
}

// memoKey is the content address of everything that Component looks at. The
// content of a live object is named by its UID and resourceVersion; without
// these (an object made by a test or a dry run) nothing is remembered.
func memoKey(bp *blueprint.Blueprint, t Target) (string, bool) {
	objects := make([]any, 0, len(t.Objects))
	for _, o := range t.Objects {
		key := o.Manifest.Key
		entry := []any{key.Cluster, key.Group, key.Kind, key.Namespace, key.Name, o.Manifest.Trait, o.Manifest.Output, o.Known, ""}
		if o.Live != nil {
			uid, version := string(o.Live.GetUID()), o.Live.GetResourceVersion()
			if uid == "" || version == "" {
				return "", false
			}
			entry[len(entry)-1] = uid + "/" + version
		}
		objects = append(objects, entry)
	}
	digests := []string{}
	for _, ref := range refs(t.Component) {
		digests = append(digests, bp.Definitions[ref].Digest)
	}
	return manifest.Digest([]any{
		bp.App.Namespace, bp.App.Name, bp.App.Labels, bp.App.Annotations, bp.App.PublishVersion, t.Component,
		t.Cluster, t.Namespace, t.Pending, t.Context, digests, objects,
	}), true
}

// refs are the definitions that a component and its traits are made by.
func refs(c blueprint.Component) []definition.Ref {
	out := []definition.Ref{{Kind: definition.Component, Name: c.Type}}
	for _, t := range c.Traits {
		out = append(out, definition.Ref{Kind: definition.Trait, Name: t.Type})
	}
	return out
}
