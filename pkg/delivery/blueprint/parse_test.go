package blueprint_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
)

// ignore leaves out where things were written and what they were made from.
var ignore = cmp.Options{
	cmpopts.IgnoreTypes(blueprint.Origin{}),
	cmpopts.IgnoreFields(blueprint.Draft{}, "Spec", "ReferencedPolicies", "ReferencedWorkflow"),
	cmpopts.EquateEmpty(),
}

func list(names ...string) []any {
	out := []any{}
	for _, n := range names {
		out = append(out, n)
	}
	return out
}

func TestWorkflowOfADraft(t *testing.T) {
	dag := func(w *v1alpha1.Workflow) *v1alpha1.Workflow {
		w.Mode = &v1beta1.WorkflowExecuteMode{Steps: v1beta1.WorkflowModeDAG}
		return w
	}
	cases := map[string]struct {
		app  *build.Application
		refs build.References
		want blueprint.Workflow
	}{
		"without a workflow each component is applied, in the order of its dependencies": {
			app: build.App("shop").Component("db", "worker", "").Component("web", "webservice", "").DependsOn("db"),
			want: blueprint.Workflow{Mode: "DAG", SubMode: "DAG", Generated: true, Steps: []blueprint.Step{
				{Name: "db", Type: "apply-component", Properties: map[string]any{"component": "db"}},
				{Name: "web", Type: "apply-component", Properties: map[string]any{"component": "web"}, DependsOn: []string{"db"}},
			}},
		},
		"each topology is deployed with all overrides": {
			app: build.App("shop").Component("web", "webservice", "").
				Policy("eu", "topology", `clusters: [eu]`).Policy("small", "override", `components: []`).
				Policy("us", "topology", `clusters: [us]`).Policy("", "garbage-collect", ""),
			want: blueprint.Workflow{Mode: "DAG", SubMode: "DAG", Generated: true, Steps: []blueprint.Step{
				{Name: "deploy-eu", Type: "deploy", Properties: map[string]any{"policies": list("small", "eu")}},
				{Name: "deploy-us", Type: "deploy", Properties: map[string]any{"policies": list("small", "us")}},
			}},
		},
		"overrides alone are deployed in one step": {
			app: build.App("shop").Component("web", "webservice", "").Policy("small", "override", `components: []`),
			want: blueprint.Workflow{Mode: "DAG", SubMode: "DAG", Generated: true, Steps: []blueprint.Step{
				{Name: "deploy", Type: "deploy", Properties: map[string]any{"policies": list("small")}},
			}},
		},
		"each environment of an env-binding policy is deployed by a step": {
			app: build.App("shop").Component("web", "webservice", "").Policy("envs", "env-binding", `envs: [{name: test}, {name: prod}]`),
			want: blueprint.Workflow{Mode: "DAG", SubMode: "DAG", Generated: true, Steps: []blueprint.Step{
				{Name: "deploy-envs-test", Type: "deploy2env", Properties: map[string]any{"policy": "envs", "env": "test"}},
				{Name: "deploy-envs-prod", Type: "deploy2env", Properties: map[string]any{"policy": "envs", "env": "prod"}},
			}},
		},
		"copied objects are deployed in one step": {
			app: build.App("shop").Component("cm", "ref-objects", ""),
			want: blueprint.Workflow{Mode: "DAG", SubMode: "DAG", Generated: true, Steps: []blueprint.Step{
				{Name: "deploy", Type: "deploy", Properties: map[string]any{"policies": list()}},
			}},
		},
		"steps without a name are counted": {
			app: build.App("shop").Component("web", "webservice", "").
				Step("", "suspend", "").
				Step("", "step-group", "", func(s *v1beta1.WorkflowStep) {
					s.Mode = v1beta1.WorkflowModeStepByStep
					s.SubSteps = []v1beta1.WorkflowStepBase{{Type: "suspend", Timeout: "1m30s"}, {Name: "b", Type: "suspend"}}
				}),
			want: blueprint.Workflow{Mode: "StepByStep", SubMode: "DAG", Steps: []blueprint.Step{
				{Name: "step-0", Type: "suspend"},
				{Name: "step-1", Type: "step-group", Mode: "StepByStep", SubSteps: []blueprint.Step{
					{Name: "step-1-0", Type: "suspend", Timeout: "1m30s"}, {Name: "b", Type: "suspend"},
				}},
			}},
		},
		"a referenced workflow brings its steps and its mode": {
			app:  build.App("shop").Component("web", "webservice", "").Workflow("release"),
			refs: build.References{Workflows: []*v1alpha1.Workflow{dag(build.Workflow("release", build.Step("wait", "suspend", "")))}},
			want: blueprint.Workflow{Ref: "release", Mode: "DAG", SubMode: "DAG", Steps: []blueprint.Step{{Name: "wait", Type: "suspend"}}},
		},
		"inputs and outputs of a component become those of its step": {
			app: build.App("shop").Component("web", "webservice", "").With(func(c *v1beta1.ApplicationComponent) {
				c.Inputs = []v1beta1.StepInput{{From: "ip", ParameterKey: "env[0].value"}}
				c.Outputs = []v1beta1.StepOutput{{Name: "url", ValueFrom: "output.status.url"}}
			}),
			want: blueprint.Workflow{Mode: "DAG", SubMode: "DAG", Generated: true, Steps: []blueprint.Step{{
				Name: "web", Type: "apply-component", Properties: map[string]any{"component": "web"},
				Inputs:  []blueprint.Input{{From: "ip", ParameterKey: "env[0].value"}},
				Outputs: []blueprint.Output{{Name: "url", ValueFrom: "output.status.url"}},
			}}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := blueprint.Parse(t.Context(), tc.app.Object(), tc.refs)
			if err != nil {
				t.Fatal(fault.Message(err))
			}
			if diff := cmp.Diff(tc.want, got.Workflow, ignore); diff != "" {
				t.Errorf("Parse(...).Workflow mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseMergesWhatIsReferredTo(t *testing.T) {
	app := build.App("prod/shop").UID("u1").
		Annotate("app.oam.dev/publishVersion", "v7").
		Annotate("kubectl.kubernetes.io/last-applied-configuration", "{}").
		Component("web", "webservice@v2", `{image: nginx, ports: [{port: 80}], ratio: 0.5}`).Trait("scaler", `replicas: 2`).
		Policy("", "topology", `clusters: [eu]`).
		Step("go", "deploy", `policies: [topology-auto-gen-0, small]`)
	refs := build.References{Policies: []*v1alpha1.Policy{build.Policy("prod/small", "override", `components: [{name: web}]`)}}

	got, err := blueprint.Parse(t.Context(), app.Object(), refs)
	if err != nil {
		t.Fatal(fault.Message(err))
	}
	want := blueprint.Draft{
		App: blueprint.App{
			Namespace: "prod", Name: "shop", UID: "u1", PublishVersion: "v7",
			Annotations: map[string]string{"app.oam.dev/publishVersion": "v7"},
		},
		Components: []blueprint.Component{{
			Name: "web", Type: "webservice@v2",
			Properties: map[string]any{"image": "nginx", "ports": []any{map[string]any{"port": int64(80)}}, "ratio": 0.5},
			Traits:     []blueprint.Trait{{Type: "scaler", Properties: map[string]any{"replicas": int64(2)}}},
		}},
		Policies: []blueprint.Policy{
			{Name: "topology-auto-gen-0", Type: "topology", Properties: map[string]any{"clusters": list("eu")}},
			{Name: "small", Type: "override", External: true, Properties: map[string]any{"components": []any{map[string]any{"name": "web"}}}},
		},
		Workflow: blueprint.Workflow{Mode: "StepByStep", SubMode: "DAG", Steps: []blueprint.Step{
			{Name: "go", Type: "deploy", Properties: map[string]any{"policies": list("topology-auto-gen-0", "small")}},
		}},
	}
	if diff := cmp.Diff(want, got, ignore); diff != "" {
		t.Errorf("Parse(...) mismatch (-want +got):\n%s", diff)
	}
}

func TestParseLeavesTheApplicationAlone(t *testing.T) {
	app := build.App("shop").Annotate("kubectl.kubernetes.io/last-applied-configuration", "{}").Component("web", "webservice", `a: {b: 1}`)
	before, after := app.Object(), app.Object()
	if _, err := blueprint.Parse(t.Context(), after, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("Parse changed its input (-want +got):\n%s", diff)
	}
}

func TestPropertyOfAnOrigin(t *testing.T) {
	patched := blueprint.Origin{Path: "spec.components[0]", Patches: []blueprint.Patch{
		{Path: "spec.policies[1].properties.components[0]", Properties: map[string]any{"ports": []any{map[string]any{"port": "x"}}}},
		{Object: "Policy default/p", Path: "properties.components[2]", Properties: map[string]any{"labels": map[string]any{"a.b/c": true}}},
	}}
	cases := map[string]struct {
		property, want string
	}{
		"what nobody changed is where it was written":     {"image", "spec.components[0].properties.image"},
		"what an override sets is in the override":        {"ports[0].port", "spec.policies[1].properties.components[0].properties.ports[0].port"},
		"what an external override sets is in its object": {`labels["a.b/c"]`, `Policy default/p: properties.components[2].properties.labels["a.b/c"]`},
		"what is missing belongs to the original":         {"ports[1].port", "spec.components[0].properties.ports[1].port"},
		"no property means all of them":                   {"", "spec.components[0].properties"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := patched.Property(tc.property); got != tc.want {
				t.Errorf("Property(%q) = %q, want %q", tc.property, got, tc.want)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	names := []string{"scaler", "gateway", "webservice", "worker"}
	cases := map[string]string{"scalar": "scaler", "webservcie": "webservice", "Gateway": "gateway", "completely-else": "", "scaler": ""}
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			if got := blueprint.Nearest(name, names); got != want {
				t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
			}
		})
	}
}
