package cue

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

// A packageSet is what a template can import. It is never modified.
type packageSet struct {
	schemas []provider.Schema
	texts   map[string]string // by import path
	digest  string            // part of the digest of every template
}

func newPackageSet(schemas []provider.Schema) *packageSet {
	s := &packageSet{schemas: schemas, texts: make(map[string]string, len(schemas))}
	h := sha256.New()
	for _, p := range schemas {
		s.texts[p.Path] = p.Text
		h.Write([]byte(p.Path + "\x00" + p.Text + "\x00"))
	}
	s.digest = hex.EncodeToString(h.Sum(nil))
	return s
}

// imports knows the packages of an engine: those that it was made with, which
// all templates can import, and further ones that come and go. A template depends
// only on those of the latter that it names, so that others may change without
// anything being compiled or rendered again.
type imports struct {
	base *packageSet

	mu    sync.Mutex
	extra []provider.Schema
	sets  map[string]*packageSet // by the paths of the further packages in it
}

// of returns what a text can import.
func (i *imports) of(text string) *packageSet {
	i.mu.Lock()
	defer i.mu.Unlock()
	used := named(text, i.extra)
	if len(used) == 0 {
		return i.base
	}
	paths := make([]string, len(used))
	for n, p := range used {
		paths[n] = p.Path
	}
	key := strings.Join(paths, "\n")
	if i.sets[key] == nil {
		i.sets[key] = newPackageSet(append(slices.Clone(i.base.schemas), used...))
	}
	return i.sets[key]
}

// named returns the packages whose paths stand in a text, or in the text of one
// that does. It may return too many; a comment is enough.
func named(text string, all []provider.Schema) []provider.Schema {
	used := make([]bool, len(all))
	texts := []string{text}
	for len(texts) > 0 {
		text, texts = texts[0], texts[1:]
		for i, p := range all {
			if !used[i] && strings.Contains(text, `"`+p.Path) {
				used[i] = true
				texts = append(texts, p.Text)
			}
		}
	}
	var out []provider.Schema
	for i, p := range all {
		if used[i] {
			out = append(out, p)
		}
	}
	return out
}

// SetPackages replaces the packages that templates can import besides those that
// the engine was made with, which cannot be replaced. Templates that import a
// package that has changed are compiled again when they are next asked for;
// others stay as they are.
func (e *Engine) SetPackages(extra []provider.Schema) {
	extra = slices.DeleteFunc(slices.Clone(extra), func(p provider.Schema) bool {
		_, ours := e.imports.base.texts[p.Path]
		return ours
	})
	e.imports.mu.Lock()
	e.imports.extra, e.imports.sets = extra, map[string]*packageSet{}
	e.imports.mu.Unlock()
	e.cells.drop(func(t *Template) bool { return e.imports.of(t.src.Text).digest != t.packages.digest })
}
