package cue

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

// Input is what one evaluation gets.
type Input struct {
	// Parameter is a JSON-like value; nil and an empty map mean `parameter: {}`.
	Parameter any
	// Context holds the fields of `context`.
	Context map[string]any
	// Actions are the provider actions of this run; nil allows none.
	Actions provider.Table
	// ReadOnly refuses write actions: set it while rendering.
	ReadOnly bool
}

// arguments is a checked and normalised input.
type arguments struct {
	parameter any
	context   map[string]any
}

// arguments checks the caps and turns every number into int64 or float64. It
// copies only what it has to change.
func (t *Template) arguments(in Input) (arguments, error) {
	n := normalizer{limits: t.engine.limits}
	var out arguments
	p, err := n.value(in.Parameter, "parameter", 0)
	if err != nil {
		return out, err
	}
	if p == nil {
		p = map[string]any{}
	}
	c, err := n.value(in.Context, "context", 0)
	if err != nil {
		return out, err
	}
	out.parameter = p
	out.context, _ = c.(map[string]any)
	if out.context == nil {
		out.context = map[string]any{}
	}
	return out, nil
}

// Normalize turns a Go value into the form that templates and patches work on:
// nil, bool, int64, float64, string, []any and map[string]any. Whole floats
// become int64, as JSON text would read. Parts that have the form already are
// shared with the result.
func Normalize(v any) (any, error) {
	n := normalizer{limits: Limits{}.withDefaults()}
	return n.value(v, "", 0)
}

type normalizer struct {
	limits Limits
	keys   int
	bytes  int
}

func (n *normalizer) value(v any, path string, depth int) (any, error) {
	if depth > n.limits.InputDepth {
		return nil, limitError(path, "nested more than %d levels deep", n.limits.InputDepth)
	}
	switch v := v.(type) {
	case nil, bool, int64:
		return v, nil
	case string:
		return v, n.grow(len(v), path)
	case float64:
		return float(v), nil
	case int:
		return int64(v), nil
	case int32:
		return int64(v), nil
	case map[string]any:
		return n.object(v, path, depth)
	case []any:
		return n.array(v, path, depth)
	case json.Number:
		return number(v), nil
	}
	return n.reflected(v, path, depth)
}

func (n *normalizer) grow(bytes int, path string) error {
	n.keys++
	n.bytes += bytes
	if n.bytes > n.limits.InputBytes {
		return limitError(strings.SplitN(path, ".", 2)[0], "is larger than %d bytes", n.limits.InputBytes)
	}
	if n.keys > n.limits.InputKeys {
		return limitError(strings.SplitN(path, ".", 2)[0], "has more than %d fields", n.limits.InputKeys)
	}
	return nil
}

func (n *normalizer) object(m map[string]any, path string, depth int) (any, error) {
	var out map[string]any
	for k, e := range m {
		if len(k) > n.limits.KeyBytes {
			return nil, limitError(path, "has a key of %d bytes, at most %d are allowed", len(k), n.limits.KeyBytes)
		}
		if err := n.grow(len(k), path); err != nil {
			return nil, err
		}
		w, err := n.value(e, path, depth+1)
		if err != nil {
			return nil, err
		}
		if out == nil && !same(e, w) {
			out = make(map[string]any, len(m))
			for k, e := range m {
				out[k] = e
			}
		}
		if out != nil {
			out[k] = w
		}
	}
	if out != nil {
		return out, nil
	}
	return m, nil
}

func (n *normalizer) array(a []any, path string, depth int) (any, error) {
	if a == nil {
		return []any{}, nil
	}
	var out []any
	for i, e := range a {
		if err := n.grow(1, path); err != nil {
			return nil, err
		}
		w, err := n.value(e, path, depth+1)
		if err != nil {
			return nil, err
		}
		if out == nil && !same(e, w) {
			out = append([]any(nil), a...)
		}
		if out != nil {
			out[i] = w
		}
	}
	if out != nil {
		return out, nil
	}
	return a, nil
}

// same says that normalising e gave e itself, without comparing contents.
func same(e, w any) bool {
	switch e := e.(type) {
	case map[string]any:
		w, ok := w.(map[string]any)
		return ok && reflect.ValueOf(e).Pointer() == reflect.ValueOf(w).Pointer()
	case []any:
		w, ok := w.([]any)
		return ok && e != nil && len(e) == len(w) && (len(e) == 0 || &e[0] == &w[0])
	case float64:
		_, ok := w.(float64)
		return ok
	case nil, bool, int64, string:
		return true
	}
	return false
}

// reflected handles the typed Go values that people put into maps: other
// integers, map[string]string, []string, structs with JSON tags.
func (n *normalizer) reflected(v any, path string, depth int) (any, error) {
	switch v := v.(type) {
	case map[string]string:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = e
		}
		return n.object(out, path, depth)
	case []string:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = e
		}
		return n.array(out, path, depth)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, &Error{Kind: WrongType, Path: path, Message: "is not a value that can be written as JSON"}
	}
	w, err := provider.Unmarshal(b)
	if err != nil {
		return nil, &Error{Kind: WrongType, Path: path, Message: "is not a value that can be written as JSON"}
	}
	return n.value(w, path, depth)
}

func float(f float64) any {
	if f == math.Trunc(f) && math.Abs(f) < 1<<63 {
		return int64(f)
	}
	return f
}

func number(v json.Number) any {
	if i, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
		return i
	}
	f, err := v.Float64()
	if err != nil {
		return v.String()
	}
	return float(f)
}
