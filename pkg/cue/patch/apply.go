package patch

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A Conflict says that a patch and the base want different values for a field.
type Conflict struct {
	Path        string
	Have, Want  any    // values in the base and in the patch
	HaveBy      string // who wrote them, empty when not known
	WantBy      string
	Explanation string // replaces the comparison of values when set
}

func (c *Conflict) Error() string {
	what := c.Explanation
	if what == "" {
		what = Show(c.Have) + named(c.HaveBy) + " cannot become " + Show(c.Want) + named(c.WantBy)
	} else if c.WantBy != "" || c.HaveBy != "" {
		what += " (" + strings.Trim(strings.TrimPrefix(named(c.HaveBy), " of ")+", patched by "+c.WantBy, ", ") + ")"
	}
	return c.Path + ": " + what
}

func named(by string) string {
	if by == "" {
		return ""
	}
	return " of " + by
}

// Show writes a value for a message; contents of objects, lists and long
// strings stay out of it.
func Show(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		if len(v) > 60 {
			return "a long string"
		}
		return strconv.Quote(v)
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	}
	return fmt.Sprint(v)
}

// Apply returns base changed by p. It never modifies base; parts that p does
// not touch are shared between base and the result.
func Apply(base map[string]any, p Patch) (map[string]any, error) {
	if p.root == nil {
		return base, nil
	}
	switch p.Strategy {
	case JSONMergePatch:
		return jsonMerge(base, p)
	case JSONPatch:
		return jsonPatch(base, p)
	}
	m := merger{by: p.by, owners: p.owners}
	out, err := m.unify(base, p.root, "", Markers{})
	if err != nil {
		return nil, err
	}
	obj, ok := out.(map[string]any)
	if !ok {
		return nil, &Conflict{Path: "patch", Have: base, Want: out, WantBy: p.by, HaveBy: p.owners.Of("")}
	}
	return obj, nil
}

type merger struct {
	by     string
	owners *Owners
}

func (m *merger) conflict(path string, have, want any) error {
	return &Conflict{Path: path, Have: have, Want: want, HaveBy: m.owners.Of(path), WantBy: m.by}
}

// unify merges node into base. marks are those in force for a list at this
// place; nested fields inherit the keys.
func (m *merger) unify(base any, n *Node, path string, marks Markers) (any, error) {
	switch n.kind {
	case isObject:
		b, ok := base.(map[string]any)
		if !ok {
			return nil, m.conflict(path, base, map[string]any{})
		}
		return m.object(b, n, path, marks.Keys)
	case isList:
		b, ok := base.([]any)
		if !ok {
			return nil, m.conflict(path, base, []any{})
		}
		return m.list(b, n, path, marks)
	case isConstraint:
		v, err := n.constraint.With(base)
		if err != nil {
			return nil, &Conflict{Path: path, Explanation: err.Error(), HaveBy: m.owners.Of(path), WantBy: m.by}
		}
		return v, nil
	}
	if !equal(base, n.scalar) {
		return nil, m.conflict(path, base, n.scalar)
	}
	return base, nil
}

func equal(a, b any) bool {
	if a == b && !isComposite(a) {
		return true
	}
	fa, oka := asFloat(a)
	fb, okb := asFloat(b)
	return oka && okb && fa == fb
}

func isComposite(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

func asFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func (m *merger) object(base map[string]any, n *Node, path string, keys []string) (any, error) {
	out := make(map[string]any, len(base)+len(n.fields))
	for k, v := range base {
		out[k] = v
	}
	for _, f := range n.fields {
		marks := f.Markers
		if marks.Keys == nil {
			marks.Keys = keys
		}
		sub := join(path, f.Name)
		v, err := m.field(out, f, sub, marks)
		if err != nil {
			return nil, err
		}
		out[f.Name] = v
	}
	return out, nil
}

func (m *merger) field(base map[string]any, f Field, path string, marks Markers) (any, error) {
	old, exists := base[f.Name]
	replaces := marks.Strategy == replace || (marks.Strategy == retainKeys && f.Value.kind != isList)
	if !exists || replaces {
		v, err := m.create(f.Value, path)
		if err == nil {
			m.owners.wrote(path, m.by)
		}
		return v, err
	}
	v, err := m.unify(old, f.Value, path, marks)
	if err == nil && f.Value.kind == isConstraint {
		m.owners.wrote(path, m.by)
	}
	return v, err
}

// create is the value of a patch where the base has none.
func (m *merger) create(n *Node, path string) (any, error) {
	switch n.kind {
	case isObject:
		out := make(map[string]any, len(n.fields))
		for _, f := range n.fields {
			v, err := m.create(f.Value, join(path, f.Name))
			if err != nil {
				return nil, err
			}
			out[f.Name] = v
		}
		return out, nil
	case isList:
		out := make([]any, len(n.elems))
		for i, e := range n.elems {
			v, err := m.create(e, index(path, i))
			if err != nil {
				return nil, err
			}
			out[i] = v
		}
		return out, nil
	case isConstraint:
		v, err := n.constraint.Default()
		if err != nil {
			return nil, &Conflict{Path: path, Explanation: err.Error(), WantBy: m.by}
		}
		return v, nil
	}
	return n.scalar, nil
}

func (m *merger) list(base []any, n *Node, path string, marks Markers) (any, error) {
	if len(marks.Keys) > 0 {
		if match, ok := pair(base, n, marks.Keys); ok {
			return m.keyed(base, match, path, marks)
		}
	}
	if len(n.elems) < len(base) && !n.open {
		return nil, &Conflict{Path: path, HaveBy: m.owners.Of(path), WantBy: m.by, Explanation: fmt.Sprintf(
			"a list of %d cannot become a list of %d; merge it with +patchKey or end the patch with \"...\"", len(base), len(n.elems))}
	}
	out := make([]any, 0, max(len(base), len(n.elems)))
	for i, b := range base {
		e := n.rest
		if i < len(n.elems) {
			e = n.elems[i]
		}
		if e == nil {
			out = append(out, b)
			continue
		}
		v, err := m.unify(b, e, index(path, i), Markers{Keys: marks.Keys})
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	for i := len(base); i < len(n.elems); i++ {
		v, err := m.create(n.elems[i], index(path, i))
		if err != nil {
			return nil, err
		}
		m.owners.wrote(index(path, i), m.by)
		out = append(out, v)
	}
	return out, nil
}

// A pairing says which element of a patch goes to which element of the base,
// and which ones are new.
type pairing struct {
	byBase map[int]*Node
	added  []*Node
}

func (m *merger) keyed(base []any, match pairing, path string, marks Markers) (any, error) {
	out := make([]any, 0, len(base)+len(match.added))
	for i, b := range base {
		e, ok := match.byBase[i]
		sub := index(path, i)
		switch {
		case !ok:
			out = append(out, b)
			continue
		case marks.Strategy == retainKeys:
			v, err := m.create(e, sub)
			if err != nil {
				return nil, err
			}
			m.owners.wrote(sub, m.by)
			out = append(out, v)
		default:
			v, err := m.unify(exclusive(b, e, path), e, sub, Markers{Keys: marks.Keys})
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
	}
	for _, e := range match.added {
		sub := index(path, len(out))
		v, err := m.create(e, sub)
		if err != nil {
			return nil, err
		}
		m.owners.wrote(sub, m.by)
		out = append(out, v)
	}
	return out, nil
}

// exclusive returns the variable b of an env list without the value that the
// patch gives it from elsewhere: a server refuses one with both.
func exclusive(b any, e *Node, path string) any {
	old, ok := b.(map[string]any)
	if !ok || path != "env" && !strings.HasSuffix(path, ".env") {
		return b
	}
	for given, other := range map[string]string{"value": "valueFrom", "valueFrom": "value"} {
		if _, has := old[other]; has && e.has(given) && !e.has(other) {
			out := maps.Clone(old)
			delete(out, other)
			return out
		}
	}
	return b
}

// has reports whether a patch sets a field.
func (n *Node) has(name string) bool {
	return slices.ContainsFunc(n.fields, func(f Field) bool { return f.Name == name })
}

// pair matches by the keys in turn. ok is false when the list is not to be
// merged by key: its elements have none of the keys, or a key is not a plain
// value. An element that lacks the key while others have it is dropped only
// when no key fits it at all; of several elements with one key the last counts.
func pair(base []any, n *Node, keys []string) (pairing, bool) {
	p := pairer{base: base, pairing: pairing{byBase: map[int]*Node{}}, taken: map[*Node]bool{}, keep: map[*Node]bool{}}
	elems := n.elems
	for _, key := range keys {
		if key == betweenLines { // what an earlier line is left with
			elems = slices.DeleteFunc(slices.Clone(elems), func(e *Node) bool { return p.keep[e] })
			continue
		}
		found, plain := p.match(elems, strings.Split(strings.TrimSpace(key), "."))
		if !plain || !found && len(keys) == 1 && (len(n.elems) > 0 || n.open) {
			return p.pairing, false
		}
	}
	if len(p.keep) == 0 && len(n.elems)+len(p.byBase) > 0 {
		return p.pairing, false
	}
	for _, e := range n.elems {
		if p.keep[e] && !p.taken[e] {
			p.added = append(p.added, e)
		}
	}
	return p.pairing, true
}

// A pairer makes a pairing, key by key.
type pairer struct {
	pairing
	base  []any
	taken map[*Node]bool // that have their element of the base
	keep  map[*Node]bool // that a key fits
}

// match pairs elements by one key. found is false when none has the key, plain
// when the key of one is not a plain value.
func (p *pairer) match(elems []*Node, path []string) (found, plain bool) {
	wanted := map[any]*Node{}
	for _, e := range elems {
		v, exists, plain := e.keyValue(path)
		if !exists {
			continue
		}
		if !plain {
			return true, false
		}
		found = true
		wanted[v] = e
	}
	for i, b := range p.base {
		v, exists := baseKey(b, path)
		if !exists {
			continue
		}
		e, ok := wanted[v]
		if _, busy := p.byBase[i]; !ok || busy || p.taken[e] {
			continue
		}
		p.byBase[i] = e
		p.taken[e] = true
	}
	for _, e := range wanted {
		p.keep[e] = true
	}
	return found, true
}

// keyValue returns the value of a key inside an element of a patch.
func (n *Node) keyValue(path []string) (v any, exists, plain bool) {
	for _, name := range path {
		if n.kind != isObject {
			return nil, false, false
		}
		var next *Node
		for _, f := range n.fields {
			if f.Name == name {
				next = f.Value
			}
		}
		if next == nil {
			return nil, false, false
		}
		n = next
	}
	if n.kind == isConstraint { // name: *"workdir" | string
		v, err := n.constraint.Default()
		return v, true, err == nil && !isComposite(v)
	}
	return n.scalar, true, n.kind == isScalar
}

func baseKey(v any, path []string) (any, bool) {
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		if v, ok = m[name]; !ok {
			return nil, false
		}
	}
	if isComposite(v) {
		return nil, false
	}
	return v, true
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	if strings.ContainsAny(name, ".[ /") {
		return path + "[" + strconv.Quote(name) + "]"
	}
	return path + "." + name
}

func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }
