package render_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/render"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
)

// policies renders all policies of an Application.
func policies(t *testing.T, r *render.Renderer, app *build.Application, artifacts func(context.Context) (map[string]any, error), defs ...runtime.Object) ([]manifest.Manifest, error) {
	t.Helper()
	d, err := blueprint.Parse(t.Context(), app.Component("web", "c", "").Object(), nil)
	if err != nil {
		t.Fatal(fault.Message(err))
	}
	engine := cue.NewEngine(cue.Options{})
	b, err := blueprint.Resolve(t.Context(), d, build.Definitions(append(defs,
		build.ComponentDefinition("c", `output: {apiVersion: "v1", kind: "ConfigMap"}`), build.StepDefinition("apply-component", "parameter: {...}"),
	)...), blueprint.Options{Components: engine, Steps: engine})
	if err != nil {
		t.Fatal(fault.Message(err))
	}
	var out []manifest.Manifest
	for _, p := range b.Policies {
		given, err := r.Policy(t.Context(), render.PolicyRequest{Blueprint: &b, Policy: p, RevisionName: "shop-v1", RevisionNumber: 1, Artifacts: artifacts})
		if err != nil {
			return nil, err
		}
		out = append(out, given...)
	}
	return out, nil
}

func TestPolicy(t *testing.T) {
	shop := func() *build.Application { return build.App("prod/shop").Label("tier", "gold") }
	scopedPolicy := build.PolicyDefinition("scoped", `output: labels: a: "b"`)
	scopedPolicy.Spec.Scope = v1beta1.PolicyScopeApplication
	cases := map[string]struct {
		app     *build.Application
		def     *v1beta1.PolicyDefinition
		want    string
		wantErr string
	}{
		"output and outputs become objects of the Application, named after the policy": {
			app: shop().Policy("p", "gives", "size: 3"),
			def: build.PolicyDefinition("gives", `
				parameter: size: int
				output: {apiVersion: "v1", kind: "ConfigMap", data: size: "\(parameter.size)"}
				outputs: more: {apiVersion: "v1", kind: "ConfigMap", data: tier: context.appLabels.tier}`),
			want: "local: ConfigMap prod/p {size:3} p/|local: ConfigMap prod/p-more {tier:gold} p/more",
		},
		"names, namespaces and clusters of the template count, and a kind outside of namespaces has none": {
			app: shop().Policy("p", "gives", ""),
			def: build.PolicyDefinition("gives", `outputs: {
				a: {apiVersion: "v1", kind: "ConfigMap", metadata: {name: "x", namespace: "y", labels: "app.oam.dev/cluster": "far"}, data: {}}
				b: {apiVersion: "v1", kind: "Namespace", metadata: name: "z"}
			}`),
			want: "far: ConfigMap y/x {} p/a|local: Namespace z {} p/b",
		},
		"what gives nothing gives nothing":               {app: shop().Policy("p", "steers", ""), def: build.PolicyDefinition("steers", "parameter: {...}")},
		"one that changes Applications gives no objects": {app: shop().Policy("p", "scoped", ""), def: scopedPolicy},
		"an output without a kind names the definition": {
			app:     shop().Policy("p", "gives", ""),
			def:     build.PolicyDefinition("gives", `output: {apiVersion: "v1", metadata: name: "x"}`),
			wantErr: `spec.policies[0]: policy "p": policy definition "gives": output has no apiVersion or kind`,
		},
		"two outputs for one object are refused": {
			app:     shop().Policy("p", "gives", ""),
			def:     build.PolicyDefinition("gives", `outputs: {a: {apiVersion: "v1", kind: "ConfigMap", metadata: name: "x"}, b: a}`),
			wantErr: `policy "p" gives local: ConfigMap prod/x twice, under outputs.a and outputs.b`,
		},
		"mistakes that the definition reports come in its words": {
			app:     shop().Policy("p", "gives", ""),
			def:     build.PolicyDefinition("gives", `errs: ["not in this namespace"]`),
			wantErr: `policy "p": not in this namespace`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := render.New(render.Options{Engine: cue.NewEngine(cue.Options{})})
			got, err := policies(t, r, tc.app, nil, tc.def)
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(fault.Message(err), tc.wantErr) {
					t.Fatalf("Policy() error = %v, want %q", err, tc.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(fault.Message(err))
			}
			var lines []string
			for _, m := range got {
				data, _ := m.Object.Object["data"].(map[string]any)
				text := strings.NewReplacer("map[", "{", "]", "}").Replace(fmt.Sprint(data))
				lines = append(lines, m.Key.String()+" "+text+" "+m.Policy+"/"+m.Output)
				if m.Workload() || m.Component != "" || m.Object.GetLabels()["app.oam.dev/name"] != "shop" {
					t.Errorf("%s: component %q, labels %v: want an object of the policy, owned by the Application", m.Key, m.Component, m.Object.GetLabels())
				}
			}
			if diff := cmp.Diff(tc.want, strings.Join(lines, "|")); diff != "" {
				t.Errorf("Policy() mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

// Artifacts are asked for only by templates that read them, and what was rendered
// before is not evaluated again.
func TestPolicyArtifactsAndMemory(t *testing.T) {
	asked := 0
	artifacts := func(context.Context) (map[string]any, error) {
		asked++
		o := build.Object("{apiVersion: v1, kind: ConfigMap, metadata: {name: web}}")
		w := manifest.New("local", o)
		w.Component = "web"
		s := manifest.New("local", build.Object("{apiVersion: v1, kind: Service, metadata: {name: svc}}"))
		s.Component, s.Trait, s.Output = "web", "expose", "service"
		return render.Artifacts([]manifest.Manifest{w, s}), nil
	}
	reads := build.PolicyDefinition("reads", `output: {apiVersion: "v1", kind: "ConfigMap", data: {
		w: context.artifacts.web.workload.metadata.name
		s: context.artifacts.web.traits.expose.service.metadata.name
	}}`)
	plain := build.PolicyDefinition("plain", `output: {apiVersion: "v1", kind: "ConfigMap", data: {}}`)
	r := render.New(render.Options{Engine: cue.NewEngine(cue.Options{})})
	if _, err := policies(t, r, build.App("shop").Policy("p", "plain", ""), artifacts, plain); err != nil || asked != 0 {
		t.Fatalf("a template that reads no artifacts asked %d times, %v", asked, err)
	}
	var misses int64
	for range 2 {
		got, err := policies(t, r, build.App("shop").Policy("p", "reads", ""), artifacts, reads)
		if err != nil {
			t.Fatal(fault.Message(err))
		}
		if diff := cmp.Diff(map[string]any{"w": "web", "s": "svc"}, got[0].Object.Object["data"]); diff != "" {
			t.Errorf("data (-want +got):\n%s", diff)
		}
		_, now := r.Stats()
		if misses != 0 && now != misses {
			t.Errorf("the second time was evaluated: %d misses, before %d", now, misses)
		}
		misses = now
	}
}
