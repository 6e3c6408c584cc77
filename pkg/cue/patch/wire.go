package patch

import "errors"

// Flatten returns a patch as a JSON-like value that another process can read
// with Restore. hold keeps a constraint and returns its number.
func (p Patch) Flatten(hold func(Constraint) int64) any {
	if p.root == nil {
		return nil
	}
	return map[string]any{"strategy": string(p.Strategy), "root": p.root.flatten(hold)}
}

func (n *Node) flatten(hold func(Constraint) int64) any {
	if n == nil {
		return nil
	}
	out := map[string]any{"kind": int64(n.kind)}
	switch n.kind {
	case isScalar:
		out["scalar"] = n.scalar
	case isConstraint:
		out["constraint"] = hold(n.constraint)
	case isObject:
		fields := make([]any, len(n.fields))
		for i, f := range n.fields {
			keys := make([]any, len(f.Keys))
			for i, k := range f.Keys {
				keys[i] = k
			}
			fields[i] = []any{f.Name, f.Value.flatten(hold), f.Strategy, keys, f.Keys != nil}
		}
		out["fields"] = fields
	case isList:
		elems := make([]any, len(n.elems))
		for i, e := range n.elems {
			elems[i] = e.flatten(hold)
		}
		out["elems"], out["rest"], out["open"] = elems, n.rest.flatten(hold), n.open
	}
	return out
}

// Restore reads what Flatten made. constraint returns the one with a number.
func Restore(v any, constraint func(int64) Constraint) (Patch, error) {
	if v == nil {
		return Patch{}, nil
	}
	m, ok := v.(map[string]any)
	s, ok2 := m["strategy"].(string)
	if !ok || !ok2 {
		return Patch{}, errFlat
	}
	root, err := restore(m["root"], constraint)
	return New(root, Strategy(s)), err
}

var errFlat = errors.New("the value is not a patch")

func restore(v any, constraint func(int64) Constraint) (*Node, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, errFlat
	}
	k, _ := m["kind"].(int64)
	switch kind(k) {
	case isScalar:
		return Scalar(m["scalar"]), nil
	case isConstraint:
		id, _ := m["constraint"].(int64)
		return Constrained(constraint(id)), nil
	case isObject:
		return restoreObject(m, constraint)
	case isList:
		return restoreList(m, constraint)
	}
	return nil, errFlat
}

func restoreObject(m map[string]any, constraint func(int64) Constraint) (*Node, error) {
	list, _ := m["fields"].([]any)
	fields := make([]Field, 0, len(list))
	for _, e := range list {
		parts, ok := e.([]any)
		if !ok || len(parts) != 5 {
			return nil, errFlat
		}
		n, err := restore(parts[1], constraint)
		if err != nil {
			return nil, err
		}
		f := Field{Value: n}
		f.Name, _ = parts[0].(string)
		f.Strategy, _ = parts[2].(string)
		keys, _ := parts[3].([]any)
		if given, _ := parts[4].(bool); given {
			f.Keys = make([]string, len(keys))
			for i, k := range keys {
				f.Keys[i], _ = k.(string)
			}
		}
		fields = append(fields, f)
	}
	return Object(fields...), nil
}

func restoreList(m map[string]any, constraint func(int64) Constraint) (*Node, error) {
	list, _ := m["elems"].([]any)
	elems := make([]*Node, len(list))
	var err error
	for i, e := range list {
		if elems[i], err = restore(e, constraint); err != nil {
			return nil, err
		}
	}
	open, _ := m["open"].(bool)
	var rest *Node
	if m["rest"] != nil {
		if rest, err = restore(m["rest"], constraint); err != nil {
			return nil, err
		}
	}
	return List(elems, open, rest), nil
}
