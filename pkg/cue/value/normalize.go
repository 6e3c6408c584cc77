package value

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

// A Normalizer turns Go values into the form that templates and patches work
// on: nil, bool, int64, float64, string, []any and map[string]any. Whole floats
// become int64, as JSON text would read. Parts that have the form already are
// shared with the result. It counts all its values against one set of caps.
type Normalizer struct {
	caps  Caps
	keys  int
	bytes int
}

// NewNormalizer returns a normalizer with caps.
func NewNormalizer(caps Caps) *Normalizer { return &Normalizer{caps: caps} }

// Value normalises one value, which messages call name. The error is a *Problem.
func (n *Normalizer) Value(v any, name string) (any, error) { return n.value(v, name, 0) }

// Size is how many bytes and how many fields and elements were counted so far.
func (n *Normalizer) Size() (bytes, keys int) { return n.bytes, n.keys }

// Caps bound a value.
type Caps struct {
	Bytes    int // of all strings and keys
	Depth    int
	Keys     int // fields and elements
	KeyBytes int
}

// A Problem says why a value is refused.
type Problem struct {
	Path    string
	Message string
	Limit   bool // a cap is exceeded; otherwise it is not a JSON-like value
}

func (p *Problem) Error() string { return p.Path + ": " + p.Message }

func limit(path, format string, args ...any) error {
	return &Problem{Path: path, Message: fmt.Sprintf(format, args...), Limit: true}
}

func (n *Normalizer) value(v any, path string, depth int) (any, error) {
	if depth > n.caps.Depth {
		return nil, limit(path, "nested more than %d levels deep", n.caps.Depth)
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

func (n *Normalizer) grow(bytes int, path string) error {
	n.keys++
	n.bytes += bytes
	if n.bytes > n.caps.Bytes {
		return limit(strings.SplitN(path, ".", 2)[0], "is larger than %d bytes", n.caps.Bytes)
	}
	if n.keys > n.caps.Keys {
		return limit(strings.SplitN(path, ".", 2)[0], "has more than %d fields", n.caps.Keys)
	}
	return nil
}

func (n *Normalizer) object(m map[string]any, path string, depth int) (any, error) {
	var out map[string]any
	for k, e := range m {
		if len(k) > n.caps.KeyBytes {
			return nil, limit(path, "has a key of %d bytes, at most %d are allowed", len(k), n.caps.KeyBytes)
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

func (n *Normalizer) array(a []any, path string, depth int) (any, error) {
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
func (n *Normalizer) reflected(v any, path string, depth int) (any, error) {
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
		return nil, &Problem{Path: path, Message: "is not a value that can be written as JSON"}
	}
	w, err := provider.Unmarshal(b)
	if err != nil {
		return nil, &Problem{Path: path, Message: "is not a value that can be written as JSON"}
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
