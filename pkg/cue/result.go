package cue

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"

	cuelang "cuelang.org/go/cue"

	"github.com/seed-c5f95f19/vela/pkg/cue/direct"
	"github.com/seed-c5f95f19/vela/pkg/cue/mistake"
	"github.com/seed-c5f95f19/vela/pkg/cue/order"
	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
)

// A Result is one evaluated template. Values that it returns belong to the
// caller. It is safe for concurrent use.
type Result struct {
	template *Template
	args     arguments
	actions  Input
	run      *direct.Run // answers what it can; nil when it cannot answer anything

	once    sync.Once // guards the evaluation by the CUE library
	failed  error
	reading Reading // when a sandbox evaluated it, otherwise the next two
	cell    *cell
	value   cuelang.Value
}

// A Named object is one entry of `outputs`.
type Named struct {
	Name   string
	Object map[string]any
}

// Exists says that the template has a field at path ("outputs.ingress",
// "output.spec.ports[0]"), concrete or not.
func (r *Result) Exists(path string) bool {
	if names := simplePath(path); names != nil && r.run != nil {
		if ok, err := r.run.Exists(names); err == nil {
			return ok
		}
	}
	if r.evaluate(context.Background()) == nil && r.reading != nil {
		_, ok, _ := r.reading.Lookup(path)
		return ok
	}
	_, ok := r.lookup(path)
	return ok
}

func (r *Result) decode(v cuelang.Value, path string) (any, error) {
	return decode(v, path, r.template.engine.limits.OutputBytes)
}

// simplePath splits a path of plain names; others are nil.
func simplePath(path string) []string {
	if strings.ContainsAny(path, "[]\"`'()#?! \t\n") || path == "" {
		return nil
	}
	names := strings.Split(path, ".")
	for _, n := range names {
		if n == "" || n[0] == '_' || n[0] >= '0' && n[0] <= '9' {
			return nil
		}
	}
	return names
}

func (r *Result) lookup(path string) (cuelang.Value, bool) {
	if r.evaluate(context.Background()) != nil {
		return cuelang.Value{}, false
	}
	p := cuelang.ParsePath(path)
	if p.Err() != nil {
		return cuelang.Value{}, false
	}
	v := r.value
	for _, sel := range p.Selectors() {
		next := v.LookupPath(cuelang.MakePath(sel))
		if d, ok := v.Default(); !next.Exists() && ok { // a default is what counts
			next = d.LookupPath(cuelang.MakePath(sel))
		}
		v = next
	}
	return v, v.Exists()
}

// Lookup returns the JSON-like value at path. ok is false when there is no
// such field; the error says what is not known or in conflict.
func (r *Result) Lookup(path string) (v any, ok bool, err error) {
	if names := simplePath(path); names != nil && r.run != nil {
		v, ok, err := r.run.Value(names)
		if err == nil && weight(v) <= r.template.engine.limits.OutputBytes {
			if ok {
				r.template.behaves()
			}
			return v, ok, nil
		}
	}
	if err := r.evaluate(context.Background()); r.reading != nil {
		return r.reading.Lookup(path)
	} else if err != nil {
		return nil, false, err
	}
	val, ok := r.lookup(path)
	if !ok {
		if e := r.brokenParent(path); e != nil {
			return nil, false, e
		}
		return nil, false, nil
	}
	v, err = r.decode(val, path)
	if err != nil {
		return nil, true, r.explain(err)
	}
	return v, true, nil
}

// brokenParent finds the error that hides a field: `output` in conflict as a
// whole has no readable fields.
func (r *Result) brokenParent(path string) error {
	p := cuelang.ParsePath(path)
	if p.Err() != nil {
		return &Error{Kind: TemplateK, Path: path, Message: "is not a path"}
	}
	sels := p.Selectors()
	if f := r.template.facts; len(sels) == 0 || !f.AnyName && !f.Names[order.Name(sels[0])] {
		return nil // the text cannot give it, whatever is wrong elsewhere
	}
	for i := range sels {
		v := r.value.LookupPath(cuelang.MakePath(sels[:i]...))
		if !v.Exists() {
			return nil
		}
		if v.LookupPath(cuelang.MakePath(sels[i])).Exists() {
			continue
		}
		if v.Err() == nil || v.IncompleteKind() != cuelang.BottomKind {
			continue
		}
		// What is wrong with other fields of the parent does not hide this one.
		own := slices.DeleteFunc(mistake.OfValue(v), func(e *Error) bool { return e.Path != "" })
		if len(own) > 0 {
			return r.explain(mistake.Located(own, path))
		}
	}
	return nil
}

// Decode reads the value at path into a Go value through JSON. It leaves into
// as it is when there is no such field.
func (r *Result) Decode(path string, into any) error {
	v, ok, err := r.Lookup(path)
	if err != nil || !ok {
		return err
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Output returns `output`, nil when the template has none.
func (r *Result) Output() (map[string]any, error) { return r.object("output") }

func (r *Result) object(path string) (map[string]any, error) {
	v, ok, err := r.Lookup(path)
	if err != nil || !ok || v == nil {
		return nil, err
	}
	m, isMap := v.(map[string]any)
	if !isMap {
		return nil, &Error{Kind: TemplateK, Path: path, Want: "an object", Got: mistake.Describe(v)}
	}
	return m, nil
}

// Outputs returns the entries of `outputs` ordered by name.
func (r *Result) Outputs() ([]Named, error) {
	m, err := r.object("outputs")
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	out := make([]Named, 0, len(m))
	for _, name := range names {
		obj, ok := m[name].(map[string]any)
		if !ok {
			return nil, &Error{Kind: TemplateK, Path: "outputs." + name, Want: "an object", Got: mistake.Describe(m[name])}
		}
		out = append(out, Named{Name: name, Object: obj})
	}
	return out, nil
}

// Errs returns the messages of `errs`: what the definition itself found wrong.
func (r *Result) Errs() ([]string, error) {
	var out []string
	err := r.Decode("errs", &out)
	return out, err
}

// Patch returns `patch`; ok is false when the template has none.
func (r *Result) Patch() (p patch.Patch, ok bool, err error) {
	if r.run != nil {
		if p, ok, err := r.run.Patch([]string{"patch"}); err == nil {
			return p, ok, nil
		}
	}
	if err := r.evaluate(context.Background()); r.reading != nil {
		return r.reading.Patch()
	} else if err != nil {
		return p, false, err
	}
	v, ok := r.lookup("patch")
	if !ok {
		return p, false, r.brokenParent("patch")
	}
	p, err = patch.FromValue(v, "patch", r.decode)
	if err != nil {
		return p, true, r.explain(err)
	}
	return p, true, nil
}

// PatchOutputs returns `patchOutputs` by the name of the auxiliary object.
func (r *Result) PatchOutputs() (map[string]patch.Patch, error) {
	if r.run != nil {
		if out, err := r.directPatchOutputs(); err == nil {
			return out, nil
		}
	}
	if err := r.evaluate(context.Background()); r.reading != nil {
		return r.reading.PatchOutputs()
	} else if err != nil {
		return nil, err
	}
	v, ok := r.lookup("patchOutputs")
	if !ok {
		return nil, r.brokenParent("patchOutputs")
	}
	it, err := v.Fields()
	if err != nil {
		return nil, r.explain(mistake.Located(mistake.OfValue(v), "patchOutputs"))
	}
	out := map[string]patch.Patch{}
	for it.Next() {
		p, err := patch.FromValue(it.Value(), mistake.Prefixed("patchOutputs", mistake.Segment(it.Selector().Unquoted())), r.decode)
		if err != nil {
			return nil, r.explain(err)
		}
		out[it.Selector().Unquoted()] = p.WithoutStrategy()
	}
	return out, nil
}

// Bool returns a field that must be a bool ("isHealth"); ok is false when there
// is none.
func (r *Result) Bool(path string) (value, ok bool, err error) {
	v, ok, err := r.Lookup(path)
	if err != nil || !ok {
		return false, ok, err
	}
	b, isBool := v.(bool)
	if !isBool {
		return false, true, &Error{Kind: TemplateK, Path: path, Want: "a bool", Got: mistake.Describe(v)}
	}
	return b, true, nil
}

// String returns a field that must be a string ("message"); ok is false when
// there is none.
func (r *Result) String(path string) (value string, ok bool, err error) {
	v, ok, err := r.Lookup(path)
	if err != nil || !ok {
		return "", ok, err
	}
	s, isString := v.(string)
	if !isString {
		return "", true, &Error{Kind: TemplateK, Path: path, Want: "a string", Got: mistake.Describe(v)}
	}
	return s, true, nil
}

func (r *Result) directPatchOutputs() (map[string]patch.Patch, error) {
	names, ok, err := r.run.Names([]string{"patchOutputs"})
	if err != nil || !ok {
		return nil, err
	}
	out := make(map[string]patch.Patch, len(names))
	for _, name := range names {
		p, _, err := r.run.Patch([]string{"patchOutputs", name})
		if err != nil {
			return nil, err
		}
		out[name] = p.WithoutStrategy()
	}
	return out, nil
}

// weight estimates the size of a decoded value the way the decoder counts it.
func weight(v any) int {
	n := 0
	switch v := v.(type) {
	case string:
		return len(v)
	case map[string]any:
		for k, e := range v {
			n += len(k) + 1 + weight(e)
		}
	case []any:
		n = len(v)
		for _, e := range v {
			n += weight(e)
		}
	}
	return n
}
