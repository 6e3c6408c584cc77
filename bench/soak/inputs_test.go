package soak

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
	"github.com/seed-c5f95f19/vela/pkg/cue/schema"
	"github.com/seed-c5f95f19/vela/pkg/definition"
)

// A text is one template or rule of a definition.
type text struct {
	cue.Source
	step bool
}

func (x text) name() string { return x.Kind + " " + x.Name }

// texts are all of the built-in definitions, by name.
func texts(tb testing.TB) []text {
	tb.Helper()
	var out []text
	for _, o := range definition.BuiltinObjects() {
		d, err := definition.FromObject(o)
		if err != nil {
			tb.Fatal(err)
		}
		step := d.Kind == definition.WorkflowStep
		for kind, t := range map[string]string{string(d.Kind): d.Template, "health": d.HealthPolicy, "status": d.CustomStatus, "details": d.Details} {
			if strings.TrimSpace(t) != "" {
				out = append(out, text{cue.Source{Kind: kind, Name: d.Name, Text: t}, step})
			}
		}
	}
	slices.SortFunc(out, func(a, b text) int { return strings.Compare(a.name(), b.name()) })
	return out
}

// A generator makes properties from a schema. The same seed gives the same.
type generator struct {
	*rand.Rand
	wrong int // one value in so many has a wrong type; 0 is none
	all   bool
}

func newGenerator(seed uint64) generator { return generator{Rand: rand.New(rand.NewPCG(seed, 7))} }

func (g generator) value(s *schema.Schema, depth int) any {
	switch {
	case g.wrong > 0 && g.IntN(g.wrong) == 0:
		return []any{"wrong", int64(7), true, map[string]any{"a": "b"}, []any{"x"}}[g.IntN(5)]
	case s == nil || depth > 6:
		return "deep"
	case len(s.Enum) > 0:
		return s.Enum[g.IntN(len(s.Enum))]
	case len(s.OneOf) > 0:
		return g.value(s.OneOf[g.IntN(len(s.OneOf))], depth+1)
	}
	switch s.Type {
	case "string":
		return fmt.Sprintf("s%d", g.IntN(1_000_000))
	case "integer":
		return int64(1 + g.IntN(60_000))
	case "number":
		return float64(g.IntN(100)) + 0.5
	case "boolean":
		return g.IntN(2) == 0
	case "array":
		out := []any{}
		for range 1 + g.IntN(3) {
			out = append(out, g.value(s.Items, depth+1))
		}
		return out
	case "object":
		return g.object(s, depth)
	}
	return map[string]any{"k": fmt.Sprint("v", g.IntN(1000))}
}

func (g generator) object(s *schema.Schema, depth int) map[string]any {
	out := map[string]any{}
	for _, name := range s.Order {
		if g.all || slices.Contains(s.Required, name) || g.IntN(3) == 0 {
			out[name] = g.value(s.Properties[name], depth+1)
		}
	}
	if s.AdditionalProperties != nil {
		for i := range 1 + g.IntN(3) {
			out[fmt.Sprintf("key-%d", i)] = g.value(s.AdditionalProperties, depth+1)
		}
	}
	return out
}

// fields are a context as rendering and health checks have it.
func (g generator) fields() map[string]any {
	n := g.IntN(1_000_000)
	return map[string]any{
		"name": fmt.Sprint("web-", n), "namespace": "default", "appName": fmt.Sprint("app-", n), "appRevision": "app-v1", "appRevisionNum": int64(1),
		"revision": "web-v1", "cluster": "local", "componentType": "webservice", "replicaKey": "", "workflowName": "", "publishVersion": "",
		"appLabels": map[string]any{"team": "x"}, "appAnnotations": map[string]any{},
		"clusterVersion": map[string]any{"major": "1", "minor": int64(30), "gitVersion": "v1.30.0", "platform": "linux/amd64"},
		"output": map[string]any{
			"apiVersion": "apps/v1", "kind": "Deployment",
			"metadata": map[string]any{"name": "web", "generation": int64(2), "labels": map[string]any{"a": "b"}},
			"spec": map[string]any{
				"replicas": int64(g.IntN(5)), "selector": map[string]any{"matchLabels": map[string]any{"a": "b"}},
				"template": map[string]any{"metadata": map[string]any{"labels": map[string]any{"a": "b"}}, "spec": map[string]any{"containers": []any{
					map[string]any{"name": "web", "image": fmt.Sprint("nginx:", n), "env": []any{map[string]any{"name": "A", "value": "1"}}},
				}}},
			},
			"status": map[string]any{"observedGeneration": int64(2), "replicas": int64(2), "readyReplicas": int64(g.IntN(3)), "updatedReplicas": int64(2)},
		},
		"outputs": map[string]any{"service": map[string]any{"spec": map[string]any{"type": "ClusterIP"}}},
	}
}

// A digest names everything that one rendering gives.
type digest [16]byte

// rendered renders once and reads everything.
func rendered(t *cue.Template, in cue.Input) digest {
	seen := []any{}
	note := func(v any, err error) { seen = append(seen, v, fmt.Sprint(err)) }
	res, err := t.Eval(context.Background(), in)
	note(nil, err)
	if err == nil {
		for _, path := range []string{"output", "outputs", "errs", "isHealth", "message"} {
			v, _, err := res.Lookup(path)
			note(v, err)
		}
		p, ok, err := res.Patch()
		note(ok, err)
		if ok && err == nil {
			base, _ := in.Context["output"].(map[string]any)
			note(anything(patch.Apply(base, p)))
		}
		more, err := res.PatchOutputs()
		note(slices.Sorted(maps.Keys(more)), err)
	}
	b, err := json.Marshal(seen)
	if err != nil {
		b = []byte(err.Error())
	}
	sum := sha256.Sum256(b)
	return digest(sum[:16])
}

func anything(m map[string]any, err error) (any, error) { return m, err }
