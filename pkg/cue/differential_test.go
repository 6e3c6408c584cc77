package cue_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/cue/schema"
	"github.com/seed-c5f95f19/vela/pkg/definition"
)

// generator makes properties from a schema: mostly valid, sometimes not.
type generator struct{ *rand.Rand }

func (g generator) value(s *schema.Schema, depth int) any {
	if g.IntN(60) == 0 {
		return []any{"surprise", int64(7), true, nil, map[string]any{"a": "b"}, []any{"x"}, 1.5}[g.IntN(7)]
	}
	if s == nil || depth > 8 {
		return "deep"
	}
	if len(s.Enum) > 0 {
		return s.Enum[g.IntN(len(s.Enum))]
	}
	if len(s.OneOf) > 0 {
		return g.value(s.OneOf[g.IntN(len(s.OneOf))], depth+1)
	}
	switch s.Type {
	case "string":
		return []any{"a", "b-c", "", "10", "500m", "1Gi", "x.y/z", "é"}[g.IntN(8)]
	case "integer":
		return []any{int64(0), int64(1), int64(80), int64(8080), int64(-1), int64(100)}[g.IntN(6)]
	case "number":
		return []any{int64(2), 0.5}[g.IntN(2)]
	case "boolean":
		return g.IntN(2) == 0
	case "array":
		out := []any{}
		for range g.IntN(4) {
			out = append(out, g.value(s.Items, depth+1))
		}
		return out
	case "object":
		return g.object(s, depth)
	}
	return []any{"any", int64(1), map[string]any{"k": "v"}}[g.IntN(3)]
}

func (g generator) object(s *schema.Schema, depth int) any {
	out := map[string]any{}
	for _, name := range s.Order {
		if slices.Contains(s.Required, name) && g.IntN(40) > 0 || g.IntN(3) == 0 {
			out[name] = g.value(s.Properties[name], depth+1)
		}
	}
	if s.AdditionalProperties != nil {
		for i := range g.IntN(3) {
			out[fmt.Sprintf("key-%d", i)] = g.value(s.AdditionalProperties, depth+1)
		}
	}
	if s.Open || g.IntN(40) == 0 {
		out["extra"] = "e"
	}
	return out
}

// fields gives a context as rendering, health checks and steps have it.
func (g generator) fields() map[string]any {
	containers := []any{
		map[string]any{"name": "web", "image": "nginx", "env": []any{map[string]any{"name": "A", "value": "1"}},
			"ports": []any{map[string]any{"containerPort": int64(80)}}, "volumeMounts": []any{map[string]any{"name": "v", "mountPath": "/v"}}},
		map[string]any{"name": "side", "image": "busybox"},
	}[:1+g.IntN(2)]
	output := map[string]any{
		"apiVersion": "apps/v1", "kind": []any{"Deployment", "StatefulSet"}[g.IntN(2)],
		"metadata": map[string]any{"name": "web", "generation": int64(2), "labels": map[string]any{"a": "b"}},
		"spec": map[string]any{
			"replicas": int64(2),
			"selector": map[string]any{"matchLabels": map[string]any{"a": "b"}},
			"template": map[string]any{"metadata": map[string]any{"labels": map[string]any{"a": "b"}}, "spec": map[string]any{"containers": containers}},
		},
	}
	if g.IntN(2) == 0 {
		output["status"] = map[string]any{"observedGeneration": int64(2), "replicas": int64(2), "readyReplicas": int64(g.IntN(3)),
			"updatedReplicas": int64(2), "conditions": []any{map[string]any{"type": "Available", "status": "True"}},
			"loadBalancer": map[string]any{"ingress": []any{map[string]any{"ip": "10.0.0.1"}}}}
	}
	ctx := map[string]any{
		"name": "web", "namespace": "default", "appName": "app", "appRevision": "app-v1", "appRevisionNum": int64(1), "revision": "web-v1",
		"cluster": "local", "componentType": "webservice", "replicaKey": "", "workflowName": "", "publishVersion": "",
		"appLabels": map[string]any{"team": "x"}, "appAnnotations": map[string]any{},
		"clusterVersion": map[string]any{"major": "1", "minor": int64(30), "gitVersion": "v1.30.0", "platform": "linux/amd64"},
		"output":         output, "outputs": map[string]any{"service": map[string]any{"spec": map[string]any{"type": "ClusterIP"}}},
	}
	if g.IntN(4) == 0 {
		delete(ctx, []string{"output", "outputs", "clusterVersion", "appLabels"}[g.IntN(4)])
	}
	return ctx
}

// observed is everything that can be seen of one evaluation.
func observed(t *cue.Template, in cue.Input) map[string]any {
	seen := map[string]any{}
	res, err := t.Eval(context.Background(), in)
	if err != nil {
		seen["error"] = err.Error()
		return seen
	}
	for _, path := range []string{"output", "outputs", "errs", "isHealth", "message", "parameter", "output.spec.replicas", "patch", "no.such"} {
		v, ok, err := res.Lookup(path)
		seen[path] = []any{v, ok, fmt.Sprint(err)}
		if err == nil { // existence of what is wrong is not promised
			seen["exists "+path] = res.Exists(path)
		}
	}
	p, ok, err := res.Patch()
	seen["patch as patch"] = []any{p.Strategy, ok, fmt.Sprint(err)}
	if ok && err == nil {
		for i, base := range []map[string]any{{}, in.Context} {
			out, _ := base["output"].(map[string]any)
			got, err := patch.Apply(out, p.By("patch", patch.NewOwners("base")))
			seen[fmt.Sprint("patched ", i)] = []any{got, fmt.Sprint(err)}
		}
	}
	more, err := res.PatchOutputs()
	names := []string{}
	for name, p := range more {
		got, err := patch.Apply(map[string]any{}, p)
		seen["patchOutputs "+name] = []any{got, fmt.Sprint(err)}
		names = append(names, name)
	}
	sort.Strings(names)
	seen["patchOutputs"] = []any{names, fmt.Sprint(err)}
	return seen
}

type text struct{ name, text string }

// builtins are all texts of the built-in definitions that can be evaluated
// without calling anything.
func builtins(t testing.TB) []text {
	t.Helper()
	objs := definition.BuiltinObjects()
	var out []text
	for _, o := range objs {
		d, err := definition.FromObject(o)
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%s %s", d.Kind, d.Name)
		out = append(out, text{name, d.Template}, text{name + " health", d.HealthPolicy}, text{name + " status", d.CustomStatus}, text{name + " details", d.Details})
	}
	return slices.DeleteFunc(out, func(x text) bool { return strings.TrimSpace(x.text) == "" })
}

// TestDirectEqualsCUE is why evaluating without the CUE library is allowed:
// every built-in definition gives the same with and without it, on generated
// properties, also wrong ones. VELA_CUE_CASES and VELA_CUE_DEFINITIONS (a glob
// of YAML files) make it search longer and wider.
func TestDirectEqualsCUE(t *testing.T) {
	cases := 5
	if n := os.Getenv("VELA_CUE_CASES"); n != "" {
		_, _ = fmt.Sscan(n, &cases)
	}
	texts := append(builtins(t), extraDefinitions(t)...)
	packages := append(all.DefinitionSchemas(), all.WorkflowSchemas()...) // steps import others; nothing is called here
	fast := cue.NewEngine(cue.Options{Packages: packages})
	plain := cue.NewEngine(cue.Options{Packages: packages, Plain: true})
	for _, x := range texts {
		t.Run(x.name, func(t *testing.T) {
			src := cue.Source{Kind: "component", Name: "test", Text: x.text}
			a, err := fast.Compile(src)
			b, err2 := plain.Compile(src)
			if err != nil {
				if fmt.Sprint(err) != fmt.Sprint(err2) {
					t.Fatalf("Compile() = %v, by CUE %v", err, err2)
				}
				return
			}
			if a.Calls() {
				return
			}
			s, err := a.Schema()
			if err != nil {
				t.Fatal(err)
			}
			g := generator{rand.New(rand.NewPCG(1, 2))}
			for range cases {
				in := cue.Input{Parameter: g.object(s, 0), Context: g.fields()}
				want, got := observed(b, in), observed(a, in)
				if diff := cmp.Diff(want, got); diff != "" {
					p, _ := json.Marshal(in.Parameter)
					t.Fatalf("for parameter %s (-CUE +direct):\n%s", p, diff)
				}
			}
		})
	}
	s := fast.Stats()
	t.Logf("%d direct, %d by CUE", s.Direct, s.Full)
}

func extraDefinitions(t *testing.T) []text {
	files, err := filepath.Glob(os.Getenv("VELA_CUE_DEFINITIONS"))
	if err != nil {
		t.Fatal(err)
	}
	var out []text
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, doc := range strings.Split(string(b), "\n---\n") {
			var d struct {
				Spec struct {
					Schematic struct{ Cue struct{ Template string } }
					Status    struct{ HealthPolicy, CustomStatus string }
				}
			}
			if yaml.Unmarshal([]byte(doc), &d) != nil {
				continue
			}
			for _, s := range []string{d.Spec.Schematic.Cue.Template, d.Spec.Status.HealthPolicy, d.Spec.Status.CustomStatus} {
				if s != "" {
					out = append(out, text{f, s})
				}
			}
		}
	}
	return out
}
