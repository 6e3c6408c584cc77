package workflow

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// value looks an input up: the output of that name, a field inside an output
// ("a.b"), or a field of the context ("context.name").
func (r *run) value(n *node, from string) (any, bool) {
	if v, ok := r.p.Vars.Values[from]; ok {
		return v, true
	}
	path, err := parsePath(from)
	if err != nil || len(path) < 2 {
		return nil, false
	}
	if path[0].name == "context" {
		return lookup(r.context(n), path[1:])
	}
	return lookup(r.p.Vars.Values, path)
}

func firstPart(from string) string {
	path, err := parsePath(from)
	if err != nil || len(path) == 0 {
		return from
	}
	return path[0].name
}

// inputs are the values of the inputs of a step by name. An output that was
// never put out is null.
func (r *run) inputs(n *node) map[string]any {
	if len(n.Inputs) == 0 {
		return nil
	}
	out := make(map[string]any, len(n.Inputs))
	for _, in := range n.Inputs {
		out[in.From], _ = r.value(n, in.From)
	}
	return out
}

// arguments are the properties with the inputs set, and the inputs.
func (r *run) arguments(n *node) (properties, inputs map[string]any, err error) {
	inputs = r.inputs(n)
	properties = n.Properties
	for _, in := range n.Inputs {
		if in.ParameterKey == "" {
			continue
		}
		if properties, err = SetPath(properties, in.ParameterKey, inputs[in.From]); err != nil {
			return nil, nil, err
		}
	}
	return properties, inputs, nil
}

// context is what the step sees as `context`.
func (r *run) context(n *node) map[string]any {
	out := make(map[string]any, len(r.env.Context)+4)
	maps.Copy(out, r.env.Context)
	out["stepName"], out["stepSessionID"] = n.Name, n.state.ID
	out["stepGroupName"], out["spanID"] = groupName(n.group), n.state.ID
	return out
}

// condition evaluates the `if` of a step.
func (r *run) condition(n *node) (bool, error) {
	scope, err := r.scope(n)
	if err != nil {
		return false, err
	}
	return r.env.Engine.Bool(n.If, scope)
}

// scope are the names that expressions of a step can use.
func (r *run) scope(n *node) (map[string]any, error) {
	properties, inputs, err := r.arguments(n)
	if err != nil {
		return nil, err
	}
	status := make(map[string]any, len(r.all))
	for _, s := range slices.Backward(r.all) { // the first of a name wins
		status[s.Name] = s.state.facts()
	}
	if properties == nil {
		properties = map[string]any{}
	}
	if inputs == nil {
		inputs = map[string]any{}
	}
	return map[string]any{"status": status, "inputs": inputs, "parameter": properties, "context": r.context(n)}, nil
}

// facts are the fields of status.<step> in an `if`.
func (s *StepProgress) facts() map[string]any {
	return map[string]any{
		"phase": string(s.Phase), "message": s.Message, "reason": string(s.Reason),
		"failed":             s.Phase == Failed,
		"succeeded":          s.Phase == Succeeded,
		"skipped":            s.Phase == Skipped,
		"timeout":            s.Reason == reasonTimeout,
		"failedAfterRetries": s.Reason == reasonFailedAfterRetries,
		"terminate":          s.Reason == reasonTerminate,
	}
}

// outputs evaluates the outputs of a step that has succeeded.
func (r *run) outputs(n *node, value Value) (map[string]any, error) {
	if len(n.Outputs) == 0 {
		return nil, nil
	}
	if value == nil {
		scope, err := r.scope(n)
		if err != nil {
			return nil, err
		}
		value = fields{r.env.Engine, scope}
	}
	out := make(map[string]any, len(n.Outputs))
	for _, o := range n.Outputs {
		v, err := value.Expr(o.ValueFrom)
		if err != nil {
			if v, err2 := value.Expr("$returns." + o.ValueFrom); err2 == nil {
				out[o.Name] = v
				continue
			}
			return nil, fmt.Errorf("output %q: %w", o.Name, err)
		}
		out[o.Name] = v
	}
	return out, nil
}

// fields is the Value of a step without one of its own.
type fields struct {
	engine Engine
	scope  map[string]any
}

func (f fields) Expr(expr string) (any, error) { return f.engine.Expr(expr, f.scope) }

// nullOutputs gives the outputs of a skipped step the value null, so that steps
// that run in spite of it do not wait for them.
func (r *run) nullOutputs(n *node) {
	values := map[string]any{}
	for _, o := range n.Outputs {
		if _, ok := r.p.Vars.Values[o.Name]; !ok {
			values[o.Name] = nil
		}
	}
	r.p.Vars = r.p.Vars.set(values)
}

// SetPath returns properties with the value at a path as inputs write it
// ("a.b", "a[0].b", `a["x-y"]`). What is on the way is copied, created where it
// is missing; a list grows by one element at most. properties is not modified.
func SetPath(properties map[string]any, path string, value any) (map[string]any, error) {
	parts, err := parsePath(path)
	if err != nil {
		return nil, fmt.Errorf("parameterKey %q: %w", path, err)
	}
	set, err := assign(properties, parts, value)
	if err != nil {
		return nil, fmt.Errorf("parameterKey %q: %w", path, err)
	}
	out, ok := set.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("parameterKey %q: properties are an object, not a list", path)
	}
	return out, nil
}

// Lookup returns the value at a path of SetPath.
func Lookup(values map[string]any, path string) (any, bool) {
	parts, err := parsePath(path)
	if err != nil {
		return nil, false
	}
	return lookup(values, parts)
}

// A part is one step of a path: a field, or an index of a list.
type part struct {
	name  string
	index int // -1 for a field
}

// parsePath reads "a.b", "a[0].b" and `a["x.y"]`.
func parsePath(s string) ([]part, error) {
	var out []part
	for rest := s; rest != ""; {
		if rest[0] != '[' {
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			if end == 0 {
				return nil, fmt.Errorf("expected a name at %q", rest)
			}
			out = append(out, part{rest[:end], -1})
			rest = rest[end:]
		} else {
			p, tail, err := bracket(rest)
			if err != nil {
				return nil, err
			}
			out, rest = append(out, p), tail
		}
		if strings.HasPrefix(rest, ".") {
			if rest = rest[1:]; rest == "" {
				return nil, fmt.Errorf("ends with a dot")
			}
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("is empty")
	}
	return out, nil
}

// bracket reads the [0] or ["x"] that s begins with.
func bracket(s string) (p part, tail string, err error) {
	if quoted, err := strconv.QuotedPrefix(s[1:]); err == nil {
		name, _ := strconv.Unquote(quoted)
		tail, ok := strings.CutPrefix(s[1+len(quoted):], "]")
		if !ok {
			return part{}, "", fmt.Errorf("expected ] after %s", quoted)
		}
		return part{name, -1}, tail, nil
	}
	end := strings.IndexByte(s, ']')
	if end < 0 {
		return part{}, "", fmt.Errorf("expected ] after %q", s)
	}
	i, err := strconv.Atoi(s[1:end])
	if err != nil || i < 0 {
		return part{}, "", fmt.Errorf("expected an index or a quoted name in %q", s[:end+1])
	}
	return part{"", i}, s[end+1:], nil
}

func lookup(v any, path []part) (any, bool) {
	for _, p := range path {
		switch c := v.(type) {
		case map[string]any:
			e, ok := c[p.name]
			if !ok || p.index >= 0 {
				return nil, false
			}
			v = e
		case []any:
			if p.index < 0 || p.index >= len(c) {
				return nil, false
			}
			v = c[p.index]
		default:
			return nil, false
		}
	}
	return v, true
}

// assign returns v with the value at path replaced.
func assign(v any, path []part, value any) (any, error) {
	if len(path) == 0 {
		return value, nil
	}
	p := path[0]
	if p.index >= 0 {
		list, ok := v.([]any)
		if !ok && v != nil {
			return nil, fmt.Errorf("[%d] of a value that is not a list", p.index)
		}
		if p.index > len(list) {
			return nil, fmt.Errorf("[%d] of a list with %d elements", p.index, len(list))
		}
		out := slices.Clone(list)
		if p.index == len(list) {
			out = append(out, nil)
		}
		e, err := assign(out[p.index], path[1:], value)
		out[p.index] = e
		return out, err
	}
	object, ok := v.(map[string]any)
	if !ok && v != nil {
		return nil, fmt.Errorf("field %q of a value that is not an object", p.name)
	}
	out := maps.Clone(object)
	if out == nil {
		out = map[string]any{}
	}
	e, err := assign(out[p.name], path[1:], value)
	out[p.name] = e
	return out, err
}
