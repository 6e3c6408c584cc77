package cue

import (
	"context"
	"sort"
	"strconv"
	"strings"

	cuelang "cuelang.org/go/cue"

	"github.com/seed-c5f95f19/vela/pkg/cue/mistake"
)

// An UnknownField is a property that the schema of a definition does not
// declare. KubeVela accepts such properties and ignores them; we warn.
type UnknownField struct {
	Path       string // inside parameter, such as "ports[0].prot"
	Suggestion string // the property that was probably meant, may be empty
}

// Unknown lists the given properties that the template does not declare, by
// path. Objects that are open on purpose (`{...}`, `[string]: string`) declare
// everything.
func (t *Template) Unknown(parameter any) []UnknownField {
	args, err := t.arguments(Input{Parameter: parameter})
	if err != nil || !t.facts.Parameter {
		return nil
	}
	remote, err := t.outside(args)
	if err != nil {
		return nil
	}
	if remote != nil {
		var out []UnknownField
		_ = t.judge(args.identity(), func() (err error) { out, err = remote.Unknown(args.parameter); return err })
		return out
	}
	c, err := t.compiled()
	if err != nil {
		return nil
	}
	var out []UnknownField
	err = t.guard(context.Background(), func() {
		schema := c.value.LookupPath(pathParameter)
		out = undeclared(schema, schema.FillPath(cuelang.Path{}, args.parameter), args.parameter, "", nil)
	})
	if err != nil {
		return nil
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Path < out[j].Path })
	return out
}

// undeclared looks through val. whole is the schema with everything that was
// given, here: what an if further out decides shows only there.
func undeclared(schema, whole cuelang.Value, val any, path string, out []UnknownField) []UnknownField {
	schema = form(schema)
	if op, branches := schema.Expr(); op == cuelang.OrOp {
		return undeclaredIn(branches, val, path, out)
	}
	switch v := val.(type) {
	case map[string]any:
		if !isStruct(schema) || schema.LookupPath(cuelang.MakePath(cuelang.AnyString)).IncompleteKind() == cuelang.TopKind {
			return out
		}
		declared := fieldNames(schema)
		if path != "" && len(declared) == 0 && schema.Allows(cuelang.AnyString) { // {} within parameters: any object
			return out
		}
		filled := schema.FillPath(cuelang.Path{}, v)
		for _, name := range sortedKeys(v) {
			sub := mistake.Prefixed(path, mistake.Segment(name))
			field := fieldSchema(schema, cuelang.Value{}, name)
			switch {
			case field.Exists():
				out = undeclared(field, whole.LookupPath(cuelang.MakePath(cuelang.Str(name))), v[name], sub, out)
			case !addedByIf(filled, name) && !addedByIf(whole, name):
				out = append(out, UnknownField{Path: sub, Suggestion: nearest(name, declared)})
			}
		}
	case []any:
		rest := schema.LookupPath(cuelang.MakePath(cuelang.AnyIndex))
		for i, e := range v {
			elem := schema.LookupPath(cuelang.MakePath(cuelang.Index(i)))
			if !elem.Exists() {
				elem = rest
			}
			if elem.Exists() {
				out = undeclared(elem, whole.LookupPath(cuelang.MakePath(cuelang.Index(i))), e, mistake.Prefixed(path, "["+strconv.Itoa(i)+"]"), out)
			}
		}
	}
	return out
}

// undeclaredIn takes the form of a disjunction that declares the most.
func undeclaredIn(branches []cuelang.Value, val any, path string, out []UnknownField) []UnknownField {
	var best []UnknownField
	found := false
	for _, b := range branches {
		if !sameShape(form(b), val) {
			continue
		}
		u := undeclared(b, b.FillPath(cuelang.Path{}, val), val, path, nil)
		if !found || len(u) < len(best) {
			best, found = u, true
		}
	}
	return append(out, best...)
}

// addedByIf says that the schema declares a field only under a condition that
// the given values fulfil: such a field has a place in the text, while what was
// only filled in has none.
func addedByIf(filled cuelang.Value, name string) bool {
	f := filled.LookupPath(cuelang.MakePath(cuelang.Str(name)))
	_, parts := f.Expr()
	for _, p := range append(parts, f) {
		if p.Pos().IsValid() {
			return true
		}
	}
	return false
}

// fieldNames lists the declared fields of a struct.
func fieldNames(v cuelang.Value) []string {
	it, err := v.Fields(cuelang.Optional(true))
	if err != nil {
		return nil
	}
	var out []string
	for it.Next() {
		out = append(out, it.Selector().Unquoted())
	}
	return out
}

func sortedKeys(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// nearest finds the known name that is a likely misspelling of name.
func nearest(name string, known []string) string {
	best, bestDist := "", 1+len(name)/3
	for _, k := range known {
		if d := distance(name, k, bestDist+1); d <= bestDist && (best == "" || d < bestDist) {
			best, bestDist = k, d
		}
	}
	return best
}

// distance counts insertions, deletions, replacements and swaps of neighbours
// between a and b without regard to case, up to limit.
func distance(a, b string, limit int) int {
	x, y := []rune(strings.ToLower(a)), []rune(strings.ToLower(b))
	if len(x)-len(y) >= limit || len(y)-len(x) >= limit {
		return limit
	}
	rows := [3][]int{make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(x); i++ {
		before, prev, cur := rows[0], rows[1], rows[2]
		cur[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		rows[0], rows[1], rows[2] = prev, cur, before
	}
	return rows[1][len(y)]
}
