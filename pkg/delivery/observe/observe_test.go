package observe_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/observe"
	"github.com/seed-c5f95f19/vela/pkg/test/golden"
)

// What the built-in definitions say about live objects. An archive has
// component.yaml, a component with its traits, and cases under live/: the live
// object for each that was sent, in the order of their output names; an absent
// one is null.
func TestBuiltinHealth(t *testing.T) {
	defs := must(definition.Builtin())(t)
	o := observe.New(cue.NewEngine(cue.Options{}))
	golden.Run(t, "testdata/*.txtar", func(t *testing.T, in golden.Files) golden.Files {
		c := decode[component](t, in["component.yaml"])
		bp := c.blueprint(t, defs)
		out := golden.Files{}
		for _, name := range in.Under("live") {
			l := decode[liveCase](t, in["live/"+name])
			health := must(o.Component(t.Context(), bp, c.target(bp, l)))(t)
			out["want/"+name] = string(must(yaml.Marshal(short(health)))(t))
		}
		return out
	})
}

// A component is written as in an Application; Sent are the kinds of the
// objects that it became, by their names under outputs, "" for the workload,
// with the trait that made them.
type component struct {
	Name       string                       `json:"name"`
	Type       string                       `json:"type"`
	Properties map[string]any               `json:"properties"`
	Traits     []blueprint.Trait            `json:"traits"`
	Sent       []sent                       `json:"sent"`
	Custom     map[string]map[string]string `json:"custom"` // rules of definitions that are not built in
}

type sent struct {
	Output, Trait, APIVersion, Kind string
}

type liveCase struct {
	Live    []map[string]any `json:"live"` // as in Sent
	Unknown bool             `json:"unknown"`
	Pending []string         `json:"pending"`
}

func (c component) blueprint(t *testing.T, defs *definition.Static) *blueprint.Blueprint {
	t.Helper()
	bp := &blueprint.Blueprint{Definitions: map[definition.Ref]definition.Definition{}}
	bp.App = blueprint.App{Namespace: "default", Name: "app"}
	bp.Components = []blueprint.Component{{Name: c.Name, Type: c.Type, Properties: c.Properties, Traits: c.Traits}}
	refs := []definition.Ref{{Kind: definition.Component, Name: c.Type}}
	for _, trait := range c.Traits {
		refs = append(refs, definition.Ref{Kind: definition.Trait, Name: trait.Type})
	}
	for _, ref := range refs {
		if rules, ok := c.Custom[ref.Name]; ok {
			bp.Definitions[ref] = definition.Definition{
				Kind: ref.Kind, Name: ref.Name,
				HealthPolicy: rules["healthPolicy"], CustomStatus: rules["customStatus"], Details: rules["details"],
			}
			continue
		}
		bp.Definitions[ref] = must(defs.Get(t.Context(), "default", ref))(t)
	}
	return bp
}

func (c component) target(bp *blueprint.Blueprint, l liveCase) observe.Target {
	target := observe.Target{Component: bp.Components[0], Cluster: "staging", Namespace: "default", Pending: l.Pending}
	for i, s := range c.Sent {
		wanted := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": s.APIVersion, "kind": s.Kind,
			"metadata": map[string]any{"name": c.Name, "namespace": "default"},
		}}
		m := manifest.New("staging", wanted)
		m.Component, m.ComponentType, m.Trait, m.Output = c.Name, c.Type, s.Trait, s.Output
		o := observe.Object{Manifest: m, Known: !l.Unknown}
		if i < len(l.Live) && l.Live[i] != nil {
			live := wanted.DeepCopy()
			for k, v := range l.Live[i] {
				if meta, ok := v.(map[string]any); ok && k == "metadata" {
					for k, v := range meta {
						live.Object["metadata"].(map[string]any)[k] = v
					}
					continue
				}
				live.Object[k] = v
			}
			o.Live = live
		}
		target.Objects = append(target.Objects, o)
	}
	return target
}

// short leaves out of a Health what all of one component have in common.
func short(health []observe.Health) []map[string]any {
	var out []map[string]any
	for _, h := range health {
		m := map[string]any{"healthy": h.Healthy, "message": h.Message}
		if h.Trait != "" {
			m["trait"] = h.Trait
		}
		if !h.Known {
			m["known"] = false
		}
		if h.Pending {
			m["pending"] = true
		}
		if h.Details != nil {
			m["details"] = h.Details
		}
		out = append(out, m)
	}
	return out
}

// Invariant 10: what cannot be asked is not healthy, whatever is known of it
// from before.
func TestUnknownIsNotHealthy(t *testing.T) {
	o := observe.New(cue.NewEngine(cue.Options{}))
	bp := &blueprint.Blueprint{}
	wanted := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a", "uid": "u", "resourceVersion": "1"},
	}}
	target := observe.Target{
		Component: blueprint.Component{Name: "a", Type: "raw"}, Cluster: "far", Namespace: "ns",
		Objects: []observe.Object{{Manifest: manifest.New("far", wanted), Live: wanted, Known: true}},
	}
	want := observe.Health{
		Component: "a", Type: "raw", Cluster: "far", Namespace: "ns",
		WorkloadAPIVersion: "v1", WorkloadKind: "ConfigMap", Known: true, Healthy: true,
	}
	for range 2 { // the second answer is remembered
		got := must(o.Component(t.Context(), bp, target))(t)
		if diff := cmp.Diff([]observe.Health{want}, got); diff != "" {
			t.Errorf("reachable cluster (-want +got):\n%s", diff)
		}
	}
	target.Objects[0].Known = false
	want.Known, want.Healthy, want.Message = false, false, `cluster "far" cannot be reached`
	got := must(o.Component(t.Context(), bp, target))(t)
	if diff := cmp.Diff([]observe.Health{want}, got); diff != "" {
		t.Errorf("cluster that is away (-want +got):\n%s", diff)
	}
}

// What a rule said is remembered for the fields that it reads, and for nothing
// else.
func TestComponentRemembersByContent(t *testing.T) {
	o := observe.New(cue.NewEngine(cue.Options{}))
	wanted := manifest.New("local", &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Thing", "metadata": map[string]any{"name": "a"},
	}})
	bp := &blueprint.Blueprint{Definitions: map[definition.Ref]definition.Definition{
		{Kind: definition.Component, Name: "thing"}: {
			HealthPolicy: `isHealth: context.output.status.level > parameter.over && context.outputs["\(context.name)-x"] == _|_`,
		},
	}}
	ask := func(level, over int64, noise string) bool {
		live := wanted.Object.DeepCopy()
		live.SetResourceVersion(noise)
		live.Object["status"] = map[string]any{"level": level, "noise": noise}
		health := must(o.Component(t.Context(), bp, observe.Target{
			Component: blueprint.Component{Name: "a", Type: "thing", Properties: map[string]any{"over": over}}, Cluster: "local", Namespace: "ns",
			Objects: []observe.Object{{Manifest: wanted, Live: live, Known: true}},
		}))(t)
		return health[0].Healthy
	}
	for range 2 {
		if ask(3, 3, "1") || !ask(4, 3, "2") || ask(4, 4, "3") || !ask(4, 3, "4") {
			t.Error("the answer is not that of the rule")
		}
	}
}

func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := yaml.UnmarshalStrict([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// What runs for every event of a live object that has changed.
func BenchmarkComponent(b *testing.B) {
	defs, err := definition.Builtin()
	if err != nil {
		b.Fatal(err)
	}
	webservice, err := defs.Get(b.Context(), "", definition.Ref{Kind: definition.Component, Name: "webservice"})
	if err != nil {
		b.Fatal(err)
	}
	bp := &blueprint.Blueprint{Definitions: map[definition.Ref]definition.Definition{
		{Kind: definition.Component, Name: "webservice"}: webservice,
	}}
	live := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": strings.Repeat("a", 20), "generation": int64(1)},
		"spec":   map[string]any{"replicas": int64(1)},
		"status": map[string]any{"observedGeneration": int64(1), "replicas": int64(1), "readyReplicas": int64(1), "updatedReplicas": int64(1)},
	}}
	target := observe.Target{
		Component: blueprint.Component{Name: "a", Type: "webservice"},
		Objects:   []observe.Object{{Manifest: manifest.New("local", live), Live: live, Known: true}},
	}
	o := observe.New(cue.NewEngine(cue.Options{}))
	for b.Loop() {
		health, err := o.Component(b.Context(), bp, target)
		if err != nil || !health[0].Healthy {
			b.Fatalf("Component() = %+v, %v", health, err)
		}
	}
}
