package plan

import (
	"slices"
	"strconv"
	"strings"
)

// steps takes a path of a policy apart: "spec.containers[0].image" and
// "metadata.annotations[\"a.b/c\"]". Numbers in brackets are list elements.
func steps(path string) []string {
	var out []string
	for path != "" {
		switch {
		case path[0] == '.':
			path = path[1:]
		case path[0] == '[':
			inner, rest, ok := strings.Cut(path[1:], "]")
			if !ok {
				return append(out, path)
			}
			out = append(out, strings.Trim(inner, `"'`))
			path = rest
		default:
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			out = append(out, path[:end])
			path = path[end:]
		}
	}
	return out
}

// lookup returns the value at a path.
func lookup(v any, path []string) (any, bool) {
	for _, step := range path {
		switch node := v.(type) {
		case map[string]any:
			next, ok := node[step]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			n, err := strconv.Atoi(step)
			if err != nil || n < 0 || n >= len(node) {
				return nil, false
			}
			v = node[n]
		default:
			return nil, false
		}
	}
	return v, true
}

// assign puts a value at a path; maps on the way are made, lists are not.
func assign(v any, path []string, value any) {
	for n, step := range path {
		last := n == len(path)-1
		switch node := v.(type) {
		case map[string]any:
			if last {
				node[step] = value
				return
			}
			if _, ok := node[step]; !ok {
				node[step] = map[string]any{}
			}
			v = node[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(node) {
				return
			}
			if last {
				node[i] = value
				return
			}
			v = node[i]
		default:
			return
		}
	}
}

// covers reports whether the field of a policy is a place, contains it, or is
// inside of it.
func covers(field string, at place) bool {
	want := steps(field)
	n := min(len(want), len(at.steps))
	return n > 0 && slices.EqualFunc(want[:n], at.steps[:n], func(field string, s step) bool {
		if s.element { // by number: the policy does not know the names
			_, err := strconv.Atoi(field)
			return err == nil || field == "*" || field == s.name
		}
		return field == s.name
	})
}

// clone copies a JSON value. Numbers may have any Go type.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[key] = clone(value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for n, value := range v {
			out[n] = clone(value)
		}
		return out
	}
	return v
}
