package direct

import (
	"math"
	"strconv"
	"strings"

	"cuelang.org/go/cue/token"
)

// concrete evaluates an expression to a scalar, or to a *node that is a struct
// or a list.
func (r *Run) concrete(x expr, e *env) (any, error) {
	if lit, ok := x.(litX); ok {
		return lit.v, nil
	}
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer r.leave()
	switch x := x.(type) {
	case interpX:
		return r.interpolate(x, e)
	case binX:
		return r.binary(x, e)
	case notX:
		v, err := r.concrete(x.x, e)
		if err != nil {
			return nil, err
		}
		b, ok := v.(bool)
		if !ok {
			return nil, Unsure
		}
		return !b, nil
	case negX:
		v, err := r.concrete(x.x, e)
		if err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case int64:
			if v != math.MinInt64 {
				return -v, nil
			}
		case float64:
			return -v, nil
		}
		return nil, Unsure
	case callX:
		return r.call(x, e)
	case topX, typeX, boundX:
		return nil, Unsure
	case badX, bottomX:
		return nil, Unsure
	case varX:
		if x.key {
			return frame(e, x.up).key, nil
		}
	}
	n, err := r.nodeOf(x, e)
	if err != nil {
		return nil, err
	}
	if n, err = r.value(n); err != nil {
		return nil, err
	}
	switch n.kind {
	case isScalar:
		return n.scalar, nil
	case isStruct, isList:
		return n, nil
	}
	return nil, errMissing
}

func (r *Run) call(x callX, e *env) (any, error) {
	if err := r.step(); err != nil {
		return nil, err
	}
	args := make([]any, len(x.args))
	for i, a := range x.args {
		v, err := r.concrete(a, e)
		if err != nil {
			return nil, err
		}
		if n, ok := v.(*node); ok && r.check(n) != nil {
			return nil, Unsure // a function needs to know all of its argument
		}
		args[i] = v
	}
	v, err := x.fn(r, args)
	if err != nil {
		return nil, err
	}
	return v, r.charge(costs(v, args))
}

func frame(e *env, up int) *env {
	for ; up > 0; up-- {
		e = e.up
	}
	return e
}

// nodeOf returns the node that an expression refers to, or a new one for it.
func (r *Run) nodeOf(x expr, e *env) (*node, error) {
	switch x.(type) {
	case refX, varX, selX, idxX, fixedX:
		return r.resolve(x, e)
	}
	return &node{conjs: []conj{{x: x, env: e}}}, nil
}

// resolve follows a reference. errMissing says that there is no such field.
func (r *Run) resolve(x expr, e *env) (*node, error) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer r.leave()
	switch x := x.(type) {
	case fixedX:
		return x.n, nil
	case refX:
		n, err := r.lookup(frame(e, x.up).node, x.name)
		if err == nil && n == nil {
			err = errMissing
		}
		return n, err
	case varX:
		f := frame(e, x.up)
		if x.key {
			return scalarNode(f.key), nil
		}
		return f.val, nil
	case selX:
		base, err := r.nodeOf(x.x, e)
		if err != nil {
			return nil, err
		}
		return r.field(base, x.name)
	case idxX:
		base, err := r.nodeOf(x.x, e)
		if err != nil {
			return nil, err
		}
		i, err := r.concrete(x.i, e)
		if err != nil {
			return nil, err
		}
		if name, ok := i.(string); ok {
			if r.check(base) != nil {
				return nil, Unsure // an index, unlike a selector, needs all of the struct
			}
			return r.field(base, name)
		}
		if base, err = r.value(base); err != nil {
			return nil, err
		}
		n, ok := i.(int64)
		if !ok || base.kind != isList || n < 0 || n >= int64(len(base.elems)) {
			return nil, Unsure
		}
		return base.elems[n], nil
	}
	return nil, Unsure
}

// field selects a field of a struct. Only what a struct does not have is
// missing; everything else that may be wrong is for CUE to say.
func (r *Run) field(base *node, name string) (*node, error) {
	for base.alias != nil {
		base = base.alias
	}
	// A struct may be asked for a field while its other fields are evaluated.
	if base.state != static || base.structs == 0 || len(base.choices) > 0 {
		v, err := r.value(base)
		if err != nil {
			return nil, err
		}
		if v.kind != isStruct {
			return nil, Unsure
		}
		base = v
	}
	if base.state == done {
		// A field next to the wanted one that is wrong may be wrong for this too.
		if err := r.check(base); err != nil && err != errMissing {
			return nil, Unsure
		}
	}
	n, err := r.lookup(base, name)
	if err == nil && n == nil {
		err = errMissing
	}
	return n, err
}

// exists is `x != _|_`.
func (r *Run) exists(x expr, e *env) (bool, error) {
	switch x.(type) {
	case refX, varX, selX, idxX:
	default:
		return false, Unsure
	}
	n, err := r.resolve(x, e)
	if err == errMissing {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	switch err := r.complete(n); {
	case err == nil:
		// A struct is in error when a part of it is.
		if r.check(n) != nil {
			return false, Unsure
		}
		return true, nil
	case err == errMissing && len(n.conjs) == 1 && !n.conjs[0].isData:
		// A field that is only a reference to something missing.
		return r.exists(n.conjs[0].x, n.conjs[0].env)
	}
	return false, Unsure
}

func (r *Run) interpolate(x interpX, e *env) (any, error) {
	var b strings.Builder
	for _, p := range x.parts {
		v, err := r.concrete(p, e)
		if err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case string:
			b.WriteString(v)
		case int64:
			b.WriteString(strconv.FormatInt(v, 10))
		case bool:
			b.WriteString(strconv.FormatBool(v))
		default:
			return nil, Unsure
		}
		if b.Len() > maxText {
			return nil, Unsure
		}
	}
	return b.String(), r.charge(b.Len())
}

func (r *Run) binary(x binX, e *env) (any, error) {
	if x.op == token.EQL || x.op == token.NEQ {
		if _, ok := x.b.(bottomX); ok {
			return same(x.op, x.a, r, e)
		}
		if _, ok := x.a.(bottomX); ok {
			return same(x.op, x.b, r, e)
		}
	}
	a, err := r.concrete(x.a, e)
	if err != nil {
		return nil, err
	}
	b, err := r.concrete(x.b, e)
	if err != nil {
		return nil, err
	}
	work := size(a) + size(b)
	if x.op == token.MAT || x.op == token.NMAT {
		work = compiling + searching*work
	}
	if err := r.charge(work); err != nil {
		return nil, err
	}
	switch x.op {
	case token.LAND, token.LOR:
		p, ok1 := a.(bool)
		q, ok2 := b.(bool)
		if !ok1 || !ok2 {
			return nil, Unsure
		}
		if x.op == token.LAND {
			return p && q, nil
		}
		return p || q, nil
	case token.ADD, token.SUB, token.MUL:
		return arithmetic(x.op, a, b)
	case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ, token.MAT, token.NMAT:
		return compareValues(x.op, a, b)
	}
	return nil, Unsure
}

func same(op token.Token, x expr, r *Run, e *env) (any, error) {
	ok, err := r.exists(x, e)
	return ok == (op == token.NEQ), err
}

func compareValues(op token.Token, a, b any) (any, error) {
	if _, ok := a.(*node); ok {
		return nil, Unsure
	}
	if _, ok := b.(*node); ok {
		return nil, Unsure
	}
	return compare(op, a, b)
}

const (
	maxText    = 1 << 20  // the longest string that is built here
	maxPattern = 1000     // the longest regular expression
	compiling  = 64 << 10 // what compiling one counts as
	searching  = 8        // what searching a byte with one counts as
)

// size is what it costs to look at a scalar.
func size(v any) int {
	s, _ := v.(string)
	return len(s)
}

func arithmetic(op token.Token, a, b any) (any, error) {
	switch a := a.(type) {
	case string:
		if b, ok := b.(string); ok && op == token.ADD && len(a)+len(b) <= maxText {
			return a + b, nil
		}
	case int64:
		b, ok := b.(int64)
		// Beyond this CUE counts on and int64 does not.
		const big = 1 << 31
		if !ok || a > big || a < -big || b > big || b < -big {
			return nil, Unsure
		}
		switch op {
		case token.ADD:
			return a + b, nil
		case token.SUB:
			return a - b, nil
		case token.MUL:
			return a * b, nil
		}
	}
	return nil, Unsure
}
