package direct

import (
	"regexp"
	"slices"

	"cuelang.org/go/cue/token"
)

// kinds is a set of scalar types.
type kinds uint8

const (
	kNull kinds = 1 << iota
	kBool
	kInt
	kFloat
	kString
)

func (k kinds) String() string {
	switch k {
	case kNull:
		return "null"
	case kBool:
		return "bool"
	case kInt:
		return "int"
	case kFloat:
		return "float"
	case kString:
		return "string"
	}
	return "number"
}

func kindOf(v any) kinds {
	switch v.(type) {
	case nil:
		return kNull
	case bool:
		return kBool
	case int64:
		return kInt
	case float64:
		return kFloat
	case string:
		return kString
	}
	return 0
}

// A bound is `>=1`, `!="x"`.
type bound struct {
	op    token.Token
	v     any
	match *matchX // instead of both
}

func (n *node) addScalar(v any) error {
	if n.hasScalar {
		if n.scalar != v {
			return errConflict
		}
		return nil
	}
	n.scalar, n.hasScalar = v, true
	return nil
}

func (n *node) addType(k kinds) error {
	if n.types == 0 {
		n.types = k
		return nil
	}
	if n.types &= k; n.types == 0 {
		return errConflict
	}
	return nil
}

func (r *Run) addBound(n *node, x boundX, e *env) error {
	v, err := r.concrete(x.x, e)
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case int64:
		if x.op == token.NEQ {
			return Unsure
		}
		if err := n.addType(kInt | kFloat); err != nil {
			return err
		}
	case string:
		if err := n.addType(kString); err != nil {
			return err
		}
	default:
		_ = v
		return Unsure
	}
	n.bounds = append(n.bounds, bound{op: x.op, v: v})
	return nil
}

// satisfied checks a scalar against the types and bounds of n.
func (r *Run) satisfied(n *node, v any) error {
	if n.types != 0 && n.types&kindOf(v) == 0 {
		return errConflict
	}
	if err := r.charge(len(n.bounds) * (1 + searching*size(v))); err != nil {
		return err
	}
	for _, b := range n.bounds {
		if b.match != nil {
			if b.match.re.MatchString(v.(string)) != b.match.want {
				return errConflict
			}
			continue
		}
		ok, err := compare(b.op, v, b.v)
		if err != nil {
			return err
		}
		if !ok {
			return errConflict
		}
	}
	return nil
}

// compare evaluates a op b for two scalars of one kind.
func compare(op token.Token, a, b any) (bool, error) {
	if kindOf(a) != kindOf(b) {
		if (a == nil || b == nil) && (op == token.EQL || op == token.NEQ) {
			return op == token.NEQ, nil
		}
		return false, Unsure
	}
	c := 0
	switch a := a.(type) {
	case string:
		switch b := b.(string); {
		case a < b:
			c = -1
		case a > b:
			c = 1
		}
	case int64:
		switch b := b.(int64); {
		case a < b:
			c = -1
		case a > b:
			c = 1
		}
	case bool, nil:
		if op != token.EQL && op != token.NEQ {
			return false, Unsure
		}
		if a != b {
			c = 1
		}
	default:
		return false, Unsure
	}
	switch op {
	case token.EQL:
		return c == 0, nil
	case token.NEQ:
		return c != 0, nil
	case token.LSS:
		return c < 0, nil
	case token.LEQ:
		return c <= 0, nil
	case token.GTR:
		return c > 0, nil
	case token.GEQ:
		return c >= 0, nil
	case token.MAT, token.NMAT:
		s, ok := a.(string)
		if !ok {
			return false, Unsure
		}
		pattern, ok := b.(string)
		if !ok || len(pattern) > maxPattern {
			return false, Unsure
		}
		re, err := regexp.Compile(pattern)
		if err != nil {
			return false, Unsure
		}
		return re.MatchString(s) == (op == token.MAT), nil
	}
	return false, Unsure
}

// decide finds out what kind of value n is.
func (r *Run) decide(n *node) error {
	switch {
	case n.hasScalar:
		return r.decideScalar(n)
	case n.lists:
		if n.structs > 0 || n.types != 0 {
			return errConflict
		}
		n.kind = isList
		return r.decideList(n)
	case n.structs > 0:
		if n.types != 0 {
			return errConflict
		}
		if len(n.choices) > 0 {
			return Unsure
		}
		n.kind = isStruct
	case len(n.choices) == 1:
		return r.decideChoice(n)
	case len(n.choices) > 1:
		return Unsure
	case n.types != 0:
		n.kind = isType
	default:
		n.kind = isTop
	}
	return nil
}

func (r *Run) decideScalar(n *node) error {
	if n.plainStruct || n.lists {
		return errConflict
	}
	if n.structs > 0 && (len(n.arcs) > 0 || n.structs > 1 && len(n.conjs) > 1) {
		return Unsure
	}
	if err := r.satisfied(n, n.scalar); err != nil {
		return err
	}
	for _, c := range n.choices {
		ok := false
		for _, alt := range c.x.(orX).alts {
			fits, err := r.accepts(alt.x, c, n.scalar)
			if err != nil {
				return err
			}
			if fits {
				ok = true
				break
			}
		}
		if !ok {
			return errConflict
		}
	}
	n.kind = isScalar
	return nil
}

// accepts says that a scalar fits one alternative of a disjunction.
func (r *Run) accepts(x expr, c conj, v any) (bool, error) {
	switch x := x.(type) {
	case litX:
		return x.v == v, nil
	case typeX:
		return x.k&kindOf(v) != 0, nil
	case *structX:
		if x.plain {
			return false, nil
		}
	case *listX:
		return false, nil
	}
	t := &node{conjs: []conj{{x: x, env: c.env, group: c.group}, {data: v, isData: true}}}
	switch err := r.complete(t); err {
	case nil:
		return true, nil
	case errConflict:
		return false, nil
	default:
		return false, err
	}
}

// decideChoice evaluates a disjunction that nothing else decides.
func (r *Run) decideChoice(n *node) error {
	c := n.choices[0]
	var fits []*node
	var defaults []*node
	alts := c.x.(orX).alts
	marked := slices.ContainsFunc(alts, func(a altX) bool { return a.def })
	for _, alt := range alts {
		t := &node{conjs: []conj{{x: alt.x, env: c.env, group: c.group}}, types: n.types, bounds: n.bounds}
		if n.types != 0 || len(n.bounds) > 0 {
			// A reference would hide the types that n has itself.
			t.conjs = append(t.conjs, conj{x: topX{}})
		}
		switch err := r.complete(t); err {
		case nil:
		case errConflict:
			continue
		default:
			return err
		}
		for t.alias != nil {
			t = t.alias
		}
		d := t
		if t.kind == isChoice {
			if d = t.def; d == nil || !marked {
				return Unsure
			}
		}
		if alt.def && !contains(defaults, d) {
			defaults = append(defaults, d)
		}
		if !contains(fits, t) {
			fits = append(fits, t)
		}
	}
	if len(defaults) > 1 {
		return Unsure
	}
	switch {
	case len(fits) == 0:
		return errConflict
	case len(fits) == 1:
		n.alias = fits[0]
		n.kind = fits[0].kind
		return nil
	}
	n.kind = isChoice
	if len(defaults) == 1 {
		n.def = defaults[0]
	}
	return nil
}

// contains says that a list has a node with the same scalar.
func contains(list []*node, n *node) bool {
	for _, o := range list {
		if o.kind == isScalar && n.kind == isScalar && o.scalar == n.scalar {
			return true
		}
	}
	return false
}

// decideStruct finds the alternative that a given object belongs to, before
// anybody looks at its fields.
func (r *Run) decideStruct(n *node) error {
	if len(n.choices) > 1 {
		return Unsure
	}
	var data []conj
	for _, c := range n.conjs {
		switch c.x.(type) {
		case orX, topX:
			continue
		}
		if !c.isData {
			return Unsure
		}
		data = append(data, c)
	}
	c := n.choices[0]
	n.choices = nil
	var fits, defaults []expr
	for _, alt := range c.x.(orX).alts {
		t := &node{conjs: append([]conj{{x: alt.x, env: c.env, group: c.group}}, data...)}
		switch err := r.check(t); err {
		case nil:
			fits = append(fits, alt.x)
			if alt.def {
				defaults = append(defaults, alt.x)
			}
		case errConflict:
		default:
			return err
		}
	}
	chosen := fits
	if len(fits) > 1 {
		chosen = defaults
	}
	switch {
	case len(fits) == 0:
		return errConflict
	case len(chosen) != 1:
		return Unsure
	}
	if err := r.add(n, conj{x: chosen[0], env: c.env, group: c.group}); err != nil {
		return err
	}
	if len(n.choices) > 0 {
		return Unsure
	}
	return nil
}

// decideList finds the alternative that a given list belongs to.
func (r *Run) decideList(n *node) error {
	choices := n.choices
	n.choices = nil
	for _, c := range choices {
		var fits []expr
		for _, alt := range c.x.(orX).alts {
			t := &node{conjs: []conj{{x: alt.x, env: c.env, group: c.group}}}
			if err := r.complete(t); err == errConflict {
				continue
			} else if err != nil {
				return err
			}
			for t.alias != nil {
				t = t.alias
			}
			switch t.kind {
			case isList:
				if len(t.elems) == len(n.elems) || len(t.elems) < len(n.elems) && t.open || len(t.elems) > len(n.elems) && n.open {
					fits = append(fits, alt.x)
				}
			case isTop, isChoice:
				return Unsure
			}
		}
		switch {
		case len(fits) == 0:
			return errConflict
		case len(fits) == 1:
			if err := r.add(n, conj{x: fits[0], env: c.env, group: c.group}); err != nil {
				return err
			}
			if n.hasScalar || n.structs > 0 || len(n.choices) > 0 {
				return Unsure
			}
		case len(n.elems) > 0 || n.open:
			return Unsure
		}
	}
	return nil
}
