package value

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Tags of the wire form. It keeps what JSON would lose: whether 1 is an int64 or
// a float64, and strings that are not UTF-8.
const (
	tagNull = iota
	tagFalse
	tagTrue
	tagInt
	tagFloat
	tagString
	tagList
	tagObject
)

// maxWireDepth is how deep a value may be nested that comes from another process.
const maxWireDepth = 10_000

var errWire = errors.New("the bytes are not a value")

// Append appends the wire form of a normalised value: equal values have equal
// bytes. Other Go types are an error.
func Append(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, tagNull), nil
	case bool:
		if v {
			return append(b, tagTrue), nil
		}
		return append(b, tagFalse), nil
	case int64:
		return binary.AppendVarint(append(b, tagInt), v), nil
	case float64:
		return binary.BigEndian.AppendUint64(append(b, tagFloat), math.Float64bits(v)), nil
	case string:
		return appendText(append(b, tagString), v), nil
	case []any:
		b = binary.AppendUvarint(append(b, tagList), uint64(len(v)))
		var err error
		for _, e := range v {
			if b, err = Append(b, e); err != nil {
				return nil, err
			}
		}
		return b, nil
	case map[string]any:
		b = binary.AppendUvarint(append(b, tagObject), uint64(len(v)))
		var err error
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if b, err = Append(appendText(b, k), v[k]); err != nil {
				return nil, err
			}
		}
		return b, nil
	}
	return nil, fmt.Errorf("a %T has no wire form", v)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Parse reads the wire form of one value. It never panics and needs no more
// memory than the bytes account for.
func Parse(b []byte) (any, error) {
	v, rest, err := parse(b, 0)
	if err == nil && len(rest) > 0 {
		err = errWire
	}
	return v, err
}

func parse(b []byte, depth int) (v any, rest []byte, err error) {
	if len(b) == 0 || depth > maxWireDepth {
		return nil, nil, errWire
	}
	tag, b := b[0], b[1:]
	switch tag {
	case tagNull:
		return nil, b, nil
	case tagFalse, tagTrue:
		return tag == tagTrue, b, nil
	case tagInt:
		i, n := binary.Varint(b)
		if n <= 0 {
			return nil, nil, errWire
		}
		return i, b[n:], nil
	case tagFloat:
		if len(b) < 8 {
			return nil, nil, errWire
		}
		return math.Float64frombits(binary.BigEndian.Uint64(b)), b[8:], nil
	case tagString:
		return firstOf(parseText(b))
	case tagList:
		return parseList(b, depth)
	case tagObject:
		return parseObject(b, depth)
	}
	return nil, nil, errWire
}

func firstOf(s string, rest []byte, err error) (any, []byte, error) { return s, rest, err }

func parseText(b []byte) (string, []byte, error) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return "", nil, errWire
	}
	b = b[n:]
	return string(b[:size]), b[size:], nil
}

func parseList(b []byte, depth int) (any, []byte, error) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)) { // an element takes a byte at least
		return nil, nil, errWire
	}
	b = b[n:]
	out := make([]any, size)
	var err error
	for i := range out {
		if out[i], b, err = parse(b, depth+1); err != nil {
			return nil, nil, err
		}
	}
	return out, b, nil
}

func parseObject(b []byte, depth int) (any, []byte, error) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)) {
		return nil, nil, errWire
	}
	b = b[n:]
	out := make(map[string]any, size)
	for range size {
		key, rest, err := parseText(b)
		if err != nil {
			return nil, nil, err
		}
		if out[key], b, err = parse(rest, depth+1); err != nil {
			return nil, nil, err
		}
	}
	return out, b, nil
}
