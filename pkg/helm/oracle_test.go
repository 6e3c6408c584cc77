package helm

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	v2 "helm.sh/helm/v4/pkg/chart/v2"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
)

// A maker makes charts and values up, always the same for a seed.
type maker struct{ *rand.Rand }

func (m maker) one(of ...string) string { return of[m.IntN(len(of))] }

func (m maker) value(depth int) any {
	switch n := m.IntN(8); {
	case n == 0:
		return nil
	case n < 4 && depth > 0:
		return m.table(depth - 1)
	case n == 4:
		return []any{"x", nil}
	case n == 5:
		return m.IntN(2) == 0
	}
	return fmt.Sprint(m.IntN(5))
}

func (m maker) table(depth int) map[string]any {
	out := map[string]any{}
	for range m.IntN(4) {
		out[m.one("a", "b", "c", "global", "sub", "other", "tags", "enabled", "exports")] = m.value(depth)
	}
	return out
}

// values are a table where charts below have tables too, so that Helm does not
// stop at once.
func (m maker) values() map[string]any {
	out := m.table(3)
	for _, name := range []string{"sub", "alias", "leaf"} {
		if _, ok := out[name].(map[string]any); !ok {
			delete(out, name)
		}
	}
	return out
}

func (m maker) chart(name string, depth int) *v2.Chart {
	c := &v2.Chart{Metadata: &v2.Metadata{Name: name, Version: "1.0.0", APIVersion: "v2"}, Values: m.values()}
	if depth == 0 {
		return c
	}
	sub := m.chart(m.one("sub", "leaf"), depth-1)
	c.AddDependency(sub)
	for i := range m.IntN(3) {
		d := &v2.Dependency{Name: sub.Name(), Version: m.one("1.0.0", "^1", "2"), Condition: m.one("", "enabled", "a.enabled,sub.enabled")}
		d.Alias = m.one("", "", "alias")
		d.Tags = []string{m.one("a", "b")}
		switch n := m.IntN(3); {
		case i > 0: // with two imports of one object Helm's overflows the stack
		case n == 0:
			d.ImportValues = []any{"a"}
		case n == 1:
			d.ImportValues = []any{map[string]any{"child": m.one("a", "b"), "parent": m.one(".", "c", "c.d")}}
		}
		c.Metadata.Dependencies = append(c.Metadata.Dependencies, d)
	}
	return c
}

// Values come together as Helm's library puts them together, on charts and
// values that are made up.
func TestValuesAreHelms(t *testing.T) {
	defer slog.SetDefault(slog.Default()) // Helm's code says much about made up charts
	slog.SetDefault(slog.New(slog.DiscardHandler))
	agreed := 0
	for seed := range uint64(5_000) {
		m := maker{rand.New(rand.NewPCG(seed, 1))}
		c, given := m.chart("top", 2), m.values()
		if m.IntN(2) == 0 {
			given["tags"] = map[string]any{"a": m.IntN(2) == 0, "b": m.IntN(2) == 0}
		}
		want, wantErr := byHelm(clone(c), copied(given))
		got, gotErr := bySelf(clone(c), copied(given))
		if (wantErr == nil) != (gotErr == nil) {
			t.Fatalf("seed %d: error %v, Helm's %v", seed, gotErr, wantErr)
		}
		if wantErr != nil {
			continue
		}
		agreed++
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d mismatch (-Helm +ours):\n%s", seed, diff)
		}
	}
	if agreed < 1000 {
		t.Errorf("only %d of the made up charts have values", agreed)
	}
}

// An outcome is what is left of a chart, and its values.
type outcome struct {
	Charts string
	Values map[string]any
}

func tree(c *v2.Chart) string {
	var below []string
	for _, d := range c.Dependencies() {
		below = append(below, tree(d))
	}
	return c.Name() + "(" + strings.Join(below, " ") + ")"
}

func byHelm(c *v2.Chart, given map[string]any) (outcome, error) {
	if err := chartutil.ProcessDependencies(c, given); err != nil {
		return outcome{}, err
	}
	v, err := util.CoalesceValues(c, given)
	return outcome{tree(c), plainValues(v)}, err
}

func bySelf(c *v2.Chart, given map[string]any) (outcome, error) {
	if err := settle(c, given); err != nil {
		return outcome{}, err
	}
	err := coalesce(c, given, false)
	return outcome{tree(c), given}, err
}

func plainValues(v common.Values) map[string]any { return v.AsMap() }

// A schema takes and refuses what Helm's validation does.
func TestSchemasAreHelms(t *testing.T) {
	schemas := map[string]string{
		"types":       `{"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}, "s": {"type": "string", "pattern": "^a"}, "b": {"type": ["boolean", "null"]}}}`,
		"required":    `{"required": ["s"], "properties": {"s": {"type": "string"}}}`,
		"closed":      `{"additionalProperties": false, "properties": {"s": {"type": "string"}, "n": {"type": "number"}}}`,
		"enum":        `{"properties": {"s": {"enum": ["a", "b"]}}}`,
		"references":  `{"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"o": {"$ref": "#/definitions/o"}}, "definitions": {"o": {"type": "object", "required": ["x"], "properties": {"x": {"type": "integer"}}}}}`,
		"conditions":  `{"if": {"properties": {"s": {"const": "a"}}, "required": ["s"]}, "then": {"required": ["n"]}}`,
		"one of":      `{"oneOf": [{"required": ["s"]}, {"required": ["n"]}]}`,
		"any of":      `{"properties": {"n": {"anyOf": [{"type": "integer"}, {"type": "string"}]}}}`,
		"lists":       `{"properties": {"l": {"type": "array", "items": {"type": "string"}, "minItems": 1}}}`,
		"more fields": `{"properties": {"o": {"type": "object", "additionalProperties": {"type": "string"}}}}`,
	}
	values := []map[string]any{
		{}, {"n": int64(1)}, {"n": int64(0)}, {"n": 1.5}, {"n": "x"}, {"s": "a"}, {"s": "b"}, {"s": "c", "n": int64(2)}, {"s": int64(1)}, {"b": true}, {"b": "x"},
		{"s": "a", "n": int64(3)}, {"o": map[string]any{"x": int64(1)}}, {"o": map[string]any{"x": "1"}}, {"o": map[string]any{}}, {"o": "x"},
		{"l": []any{}}, {"l": []any{"x"}}, {"l": []any{int64(1)}}, {"unknown": true},
	}
	for name, schema := range schemas {
		for _, v := range values {
			want := util.ValidateAgainstSingleSchema(v, []byte(schema))
			got := compare([]byte(schema), v)
			if (want == nil) != (got == nil) {
				t.Errorf("%s: values %v: error %v, Helm's %v", name, v, got, want)
			}
		}
	}
}

func TestSchemaErrorsNameThePlace(t *testing.T) {
	const schema = `{"additionalProperties": false, "required": ["must"], "properties": {"must": {}, "web": {"properties": {"n": {"type": "integer"}, "kind": {"enum": ["a"]}}}}}`
	err := compare([]byte(schema), map[string]any{"web": map[string]any{"n": "hunter2", "kind": "hunter2"}, "pasword": "hunter2"})
	if err == nil {
		t.Fatal("the values were taken")
	}
	const want = "must: it is missing; pasword: there is no such value; web.kind: expected a value with enum [a]; web.n: expected integer"
	if err.Error() != want {
		t.Errorf("error = %q, want %q", err, want)
	}
}
