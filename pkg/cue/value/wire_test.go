package value_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cue/value"
)

func TestWireKeepsEveryValue(t *testing.T) {
	cases := map[string]any{
		"nothing":                      nil,
		"a bool":                       []any{true, false},
		"the smallest and largest int": []any{int64(math.MinInt64), int64(-1), int64(0), int64(math.MaxInt64)},
		"a whole float stays a float":  []any{1.0, -0.5, math.MaxFloat64, math.Inf(1)},
		"text that is not UTF-8":       "a\xffb",
		"empty lists and objects":      map[string]any{"l": []any{}, "m": map[string]any{}, "": ""},
		"objects in lists in objects":  map[string]any{"a": []any{map[string]any{"b": []any{int64(1), "x", nil}}}},
	}
	for name, give := range cases {
		t.Run(name, func(t *testing.T) {
			b, err := value.Append(nil, give)
			if err != nil {
				t.Fatal(err)
			}
			got, err := value.Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(give, got); diff != "" {
				t.Errorf("Parse(Append(v)) mismatch (-want +got):\n%s", diff)
			}
			for i := range b { // what is cut off is refused
				if v, err := value.Parse(b[:i]); err == nil {
					t.Errorf("Parse() of %d of %d bytes = %v, want an error", i, len(b), v)
				}
			}
		})
	}
	if _, err := value.Append(nil, int32(1)); err == nil {
		t.Error("Append() took an int32, which is not normalised")
	}
}

func FuzzParse(f *testing.F) {
	b, err := value.Append(nil, map[string]any{"a": []any{int64(1), "x", 2.5, nil, true}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{6, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, err := value.Parse(b); err == nil {
			if _, err := value.Append(nil, v); err != nil {
				t.Errorf("Append(Parse(%x)) = %v", b, err)
			}
		}
	})
}
