package direct

import (
	"slices"
	"strconv"
	"strings"
)

// function is one of CUE's library. Arguments are concrete; a function that
// gets something unusual is Unsure.
type function func(r *Run, args []any) (any, error)

// functions are the ones that definitions use most.
var functions = map[string]function{
	"len":                length,
	"strconv.FormatInt":  formatInt,
	"strconv.Atoi":       atoi,
	"strings.ToLower":    asciiOnly(strings.ToLower),
	"strings.ToUpper":    asciiOnly(strings.ToUpper),
	"strings.TrimSpace":  asciiOnly(strings.TrimSpace),
	"strings.HasPrefix":  ofTwo(func(a, b string) any { return strings.HasPrefix(a, b) }),
	"strings.HasSuffix":  ofTwo(func(a, b string) any { return strings.HasSuffix(a, b) }),
	"strings.Contains":   ofTwo(func(a, b string) any { return strings.Contains(a, b) }),
	"strings.TrimPrefix": ofTwo(func(a, b string) any { return strings.TrimPrefix(a, b) }),
	"strings.TrimSuffix": ofTwo(func(a, b string) any { return strings.TrimSuffix(a, b) }),
	"strings.Split":      splitText,
	"strings.Replace":    replaceText,
	"strings.Join":       joinText,
	"list.Concat":        concat,
	"list.Contains":      listContains,
	"list.Slice":         slice,
}

// costs is the work that a function has done.
func costs(result any, args []any) int {
	n := 0
	for _, v := range append(args, result) {
		n += size(v)
		if l, ok := elements(v); ok {
			n += 16 * len(l)
		}
	}
	return n
}

func length(r *Run, args []any) (any, error) {
	if len(args) != 1 {
		return nil, Unsure
	}
	switch v := args[0].(type) {
	case string:
		return int64(len(v)), nil
	case *node:
		if v.kind == isList {
			return int64(len(v.elems)), nil
		}
		count := int64(0)
		for _, a := range v.arcs {
			if regular(a.name) {
				count++
			}
		}
		return count, nil
	}
	return nil, Unsure
}

func formatInt(_ *Run, args []any) (any, error) {
	if len(args) != 2 {
		return nil, Unsure
	}
	i, ok1 := args[0].(int64)
	base, ok2 := args[1].(int64)
	if !ok1 || !ok2 || base < 2 || base > 36 {
		return nil, Unsure
	}
	return strconv.FormatInt(i, int(base)), nil
}

func atoi(_ *Run, args []any) (any, error) {
	if len(args) != 1 {
		return nil, Unsure
	}
	s, ok := args[0].(string)
	if !ok {
		return nil, Unsure
	}
	i, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return nil, Unsure
	}
	return i, nil
}

// asciiOnly leaves letters beyond ASCII to CUE.
func asciiOnly(f func(string) string) function {
	return func(_ *Run, args []any) (any, error) {
		if len(args) != 1 {
			return nil, Unsure
		}
		s, ok := args[0].(string)
		if !ok || strings.ContainsFunc(s, func(c rune) bool { return c > 127 }) {
			return nil, Unsure
		}
		return f(s), nil
	}
}

func ofTwo(f func(a, b string) any) function {
	return func(_ *Run, args []any) (any, error) {
		if len(args) != 2 {
			return nil, Unsure
		}
		a, ok1 := args[0].(string)
		b, ok2 := args[1].(string)
		if !ok1 || !ok2 {
			return nil, Unsure
		}
		return f(a, b), nil
	}
}

// splitText leaves what would have very many parts to CUE.
func splitText(_ *Run, args []any) (any, error) {
	if len(args) != 2 {
		return nil, Unsure
	}
	a, ok1 := args[0].(string)
	b, ok2 := args[1].(string)
	if !ok1 || !ok2 || strings.Count(a, b) > maxParts {
		return nil, Unsure
	}
	return stringList(strings.Split(a, b)), nil
}

const maxParts = 10_000

func stringList(parts []string) *node {
	elems := make([]*node, len(parts))
	for i, p := range parts {
		elems[i] = scalarNode(p)
	}
	return listNode(elems)
}

func replaceText(_ *Run, args []any) (any, error) {
	if len(args) != 4 {
		return nil, Unsure
	}
	s, ok1 := args[0].(string)
	from, ok2 := args[1].(string)
	to, ok3 := args[2].(string)
	n, ok4 := args[3].(int64)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return nil, Unsure
	}
	found := strings.Count(s, from)
	if n >= 0 {
		found = min(found, int(n))
	}
	if len(s)+found*len(to) > maxText {
		return nil, Unsure
	}
	return strings.Replace(s, from, to, int(n)), nil
}

func joinText(r *Run, args []any) (any, error) {
	if len(args) != 2 {
		return nil, Unsure
	}
	elems, ok1 := elements(args[0])
	sep, ok2 := args[1].(string)
	if !ok1 || !ok2 {
		return nil, Unsure
	}
	parts := make([]string, len(elems))
	total := len(sep) * len(elems)
	for i, e := range elems {
		v, err := r.value(e)
		if err != nil {
			return nil, err
		}
		s, ok := v.scalar.(string)
		if !ok {
			return nil, Unsure
		}
		if total += len(s); total > maxText {
			return nil, Unsure
		}
		parts[i] = s
	}
	return strings.Join(parts, sep), nil
}

// elements returns the elements of an argument that is a list.
func elements(v any) ([]*node, bool) {
	n, ok := v.(*node)
	if !ok || n.kind != isList {
		return nil, false
	}
	return n.elems, true
}

func concat(r *Run, args []any) (any, error) {
	if len(args) != 1 {
		return nil, Unsure
	}
	lists, ok := elements(args[0])
	if !ok {
		return nil, Unsure
	}
	var out []*node
	for _, l := range lists {
		v, err := r.value(l)
		if err != nil {
			return nil, err
		}
		if v.kind != isList {
			return nil, Unsure
		}
		if err := r.charge(16 * len(v.elems)); err != nil {
			return nil, err
		}
		out = append(out, v.elems...)
	}
	return listNode(out), nil
}

func listContains(r *Run, args []any) (any, error) {
	if len(args) != 2 {
		return nil, Unsure
	}
	elems, ok := elements(args[0])
	if _, composite := args[1].(*node); !ok || composite {
		return nil, Unsure
	}
	for _, e := range elems {
		v, err := r.value(e)
		if err != nil {
			return nil, err
		}
		if v.kind != isScalar || kindOf(v.scalar) != kindOf(args[1]) {
			return nil, Unsure
		}
		if v.scalar == args[1] {
			return true, nil
		}
	}
	return false, nil
}

func slice(_ *Run, args []any) (any, error) {
	if len(args) != 3 {
		return nil, Unsure
	}
	elems, ok := elements(args[0])
	from, ok1 := args[1].(int64)
	to, ok2 := args[2].(int64)
	if !ok || !ok1 || !ok2 || from < 0 || from > to || to > int64(len(elems)) {
		return nil, Unsure
	}
	return listNode(slices.Clone(elems[from:to])), nil
}
