package cue

import (
	"github.com/seed-c5f95f19/vela/pkg/cue/mistake"

	"encoding/base64"
	"math/big"
	"strconv"

	cuelang "cuelang.org/go/cue"
	"cuelang.org/go/cue/errors"
)

// decoder turns CUE values into Go values and collects what is missing or in
// conflict on the way.
type decoder struct {
	bytes int
	max   int
	errs  []*Error
	skip  bool // leave out fields that are not concrete instead of reporting them
}

// decode returns the JSON-like form of v, which stands at path.
func decode(v cuelang.Value, path string, max int) (any, error) {
	d := decoder{max: max}
	out := d.value(v)
	if err := mistake.Located(d.errs, path); err != nil {
		return nil, err
	}
	return out, nil
}

func (d *decoder) fail(v cuelang.Value) any {
	if len(d.errs) < 50 && !d.skip {
		d.errs = append(d.errs, mistake.OfValue(v)...)
	}
	return nil
}

func (d *decoder) grow(n int, v cuelang.Value) {
	d.bytes += n
	if d.max > 0 && d.bytes > d.max {
		d.errs = append(d.errs, limitError("", "is larger than %d bytes", d.max))
	}
}

func (d *decoder) value(v cuelang.Value) any {
	if len(d.errs) >= 50 || (d.max > 0 && d.bytes > d.max) {
		return nil
	}
	v, _ = v.Default()
	switch v.Kind() {
	case cuelang.StringKind:
		s, err := v.String()
		if err != nil {
			return d.fail(v)
		}
		d.grow(len(s), v)
		return s
	case cuelang.StructKind:
		return d.object(v)
	case cuelang.ListKind:
		return d.array(v)
	case cuelang.BoolKind:
		b, err := v.Bool()
		if err != nil {
			return d.fail(v)
		}
		return b
	case cuelang.IntKind:
		i, err := v.Int64()
		if err != nil {
			return d.large(v)
		}
		return i
	case cuelang.FloatKind, cuelang.NumberKind:
		f, err := v.Float64()
		if err != nil && !errors.Is(err, cuelang.ErrBelow) && !errors.Is(err, cuelang.ErrAbove) {
			return d.fail(v)
		}
		return f
	case cuelang.BytesKind:
		b, err := v.Bytes()
		if err != nil {
			return d.fail(v)
		}
		d.grow(len(b), v)
		return base64.StdEncoding.EncodeToString(b)
	case cuelang.NullKind:
		return nil
	}
	return d.fail(v)
}

// large keeps the size of an integer beyond int64 as a float, as JSON readers do.
func (d *decoder) large(v cuelang.Value) any {
	var z big.Int
	if _, err := v.Int(&z); err != nil {
		return d.fail(v)
	}
	f, _ := new(big.Float).SetInt(&z).Float64()
	return f
}

func (d *decoder) object(v cuelang.Value) any {
	it, err := v.Fields()
	if err != nil {
		return d.fail(v)
	}
	n := len(d.errs)
	defer func() {
		// An error of the struct itself, not of one of its fields.
		if len(d.errs) == n && v.Err() != nil {
			d.fail(v)
		}
	}()
	out := map[string]any{}
	for it.Next() {
		if d.skip && !concrete(it.Value()) {
			continue
		}
		name := it.Selector().Unquoted()
		d.grow(len(name)+1, v)
		out[name] = d.child(it.Value(), name)
	}
	return out
}

func (d *decoder) array(v cuelang.Value) any {
	if v.Err() != nil {
		return d.fail(v)
	}
	it, err := v.List()
	if err != nil {
		return d.fail(v)
	}
	out := []any{}
	for it.Next() {
		d.grow(1, v)
		out = append(out, d.element(it.Value(), len(out)))
	}
	return out
}

// child decodes a field of the value at d.path.
func (d *decoder) child(v cuelang.Value, name string) any {
	n := len(d.errs)
	out := d.value(v)
	for _, e := range d.errs[n:] {
		e.Path = mistake.Prefixed(mistake.Segment(name), e.Path)
	}
	return out
}

func (d *decoder) element(v cuelang.Value, i int) any {
	n := len(d.errs)
	out := d.value(v)
	for _, e := range d.errs[n:] {
		e.Path = mistake.Prefixed("["+strconv.Itoa(i)+"]", e.Path)
	}
	return out
}

// concrete says that v can be decoded completely.
func concrete(v cuelang.Value) bool {
	return v.Validate(cuelang.Concrete(true)) == nil
}
