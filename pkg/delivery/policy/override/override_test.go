package override_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/override"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
)

type props = map[string]any

func component(name, typ string, p props, traits ...blueprint.Trait) blueprint.Component {
	return blueprint.Component{Name: name, Type: typ, Properties: p, Traits: traits}
}

func trait(typ string, p props) blueprint.Trait { return blueprint.Trait{Type: typ, Properties: p} }

// base is the Application that every case starts from.
func base(override string) *build.Application {
	return build.App("shop").
		Component("backend", "webservice", `{image: api, env: {A: 1, B: 2}, ports: [80, 81]}`).
		Trait("scaler", "replicas: 1").Trait("gateway", "domain: a.example.com").
		Component("back", "worker", `image: job`).DependsOn("backend").
		Policy("o", "override", override)
}

func TestApply(t *testing.T) {
	env := props{"A": int64(1), "B": int64(2)}
	ports := []any{int64(80), int64(81)}
	scaler, gateway := trait("scaler", props{"replicas": int64(1)}), trait("gateway", props{"domain": "a.example.com"})
	backend := component("backend", "webservice", props{"image": "api", "env": env, "ports": ports}, scaler, gateway)
	back := component("back", "worker", props{"image": "job"})
	back.DependsOn = []string{"backend"}
	with := func(c blueprint.Component, change func(*blueprint.Component)) blueprint.Component {
		change(&c)
		return c
	}
	image := func(c blueprint.Component, image string) blueprint.Component {
		p := props{}
		for k, v := range c.Properties {
			p[k] = v
		}
		p["image"] = image
		c.Properties = p
		return c
	}
	cases := map[string]struct {
		override string
		options  override.Options
		want     []blueprint.Component
		wantErr  string
	}{
		"properties are merged, lists replaced": {
			override: `components: [{name: backend, properties: {env: {B: 3, C: 4}, ports: [90], cpu: "1"}}]`,
			want: []blueprint.Component{with(backend, func(c *blueprint.Component) {
				c.Properties = props{"image": "api", "cpu": "1", "ports": []any{int64(90)}, "env": props{"A": int64(1), "B": int64(3), "C": int64(4)}}
			}), back},
		},
		"a name is compared as a whole": {
			override: `components: [{name: back, properties: {image: x}}]`,
			want:     []blueprint.Component{backend, image(back, "x")},
		},
		"as in KubeVela a name may be found anywhere": {
			override: `components: [{name: back, properties: {image: x}}]`,
			options:  override.Options{Unanchored: true},
			want:     []blueprint.Component{image(backend, "x"), image(back, "x")},
		},
		"a star means anything": {
			override: `components: [{name: "back*", properties: {image: x}}]`,
			want:     []blueprint.Component{image(backend, "x"), image(back, "x")},
		},
		"a pattern that matches nothing adds nothing": {
			override: `components: [{name: "front*", type: worker, properties: {image: x}}]`,
			want:     []blueprint.Component{backend, back},
		},
		"without a name it is for all components of the type": {
			override: `components: [{type: worker, properties: {image: x}}]`,
			want:     []blueprint.Component{backend, image(back, "x")},
		},
		"without a name and type it is for all components": {
			override: `components: [{properties: {image: x}}]`,
			want:     []blueprint.Component{image(backend, "x"), image(back, "x")},
		},
		"another type replaces properties and traits": {
			override: `components: [{name: backend, type: task, properties: {image: x}, traits: [{type: labels, properties: {a: b}}]}]`,
			want:     []blueprint.Component{component("backend", "task", props{"image": "x"}, trait("labels", props{"a": "b"})), back},
		},
		"an unknown name is added": {
			override: `components: [{name: extra, type: task, properties: {image: x}}]`,
			want:     []blueprint.Component{backend, back, component("extra", "task", props{"image": "x"})},
		},
		"traits are merged by type, added and removed": {
			override: `components: [{name: backend, traits: [{type: scaler, properties: {replicas: 3}}, {type: gateway, disable: true}, {type: labels, properties: {a: b}}]}]`,
			want: []blueprint.Component{with(backend, func(c *blueprint.Component) {
				c.Traits = []blueprint.Trait{trait("scaler", props{"replicas": int64(3)}), trait("labels", props{"a": "b"})}
			}), back},
		},
		"several patches of one trait type change its traits one by one": {
			override: `components: [{name: backend, traits: [{type: scaler, properties: {replicas: 3}}, {type: scaler, properties: {replicas: 4}}]}]`,
			want: []blueprint.Component{with(backend, func(c *blueprint.Component) {
				c.Traits = []blueprint.Trait{trait("scaler", props{"replicas": int64(3)}), gateway, trait("scaler", props{"replicas": int64(4)})}
			}), back},
		},
		"the selector limits what is delivered": {
			override: `{selector: [back], components: [{name: backend, properties: {image: x}}, {name: extra, type: task}]}`,
			want:     []blueprint.Component{back},
		},
		"a name that nothing has cannot be added without a type": {
			override: `components: [{name: backnd, properties: {image: x}}]`,
			wantErr: `spec.policies[0].properties.components[0].name: policy "o": there is no component "backnd", ` +
				`and without a type it cannot be added (did you mean "backend"?)`,
		},
		"a misspelt field is a mistake": {
			override: `components: [{name: back, propertys: {image: x}}]`,
			wantErr:  `spec.policies[0].properties.components[0].propertys: policy "o": type "override" has no such property (did you mean "properties"?)`,
		},
		"a pattern must be one": {
			override: `components: [{name: "back(", properties: {image: x}}]`,
			wantErr:  `spec.policies[0].properties.components[0].name: policy "o": expected a name, possibly with *, got "back("`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			d, err := blueprint.Parse(t.Context(), base(tc.override).Object(), nil)
			if err != nil {
				t.Fatal(fault.Message(err))
			}
			got, err := override.Apply(d.Components, d.Policies[0], tc.options)
			if text := fault.Message(err); text != tc.wantErr {
				t.Fatalf("Apply() error = %q, want %q", text, tc.wantErr)
			}
			ignore := cmp.Options{cmpopts.IgnoreTypes(blueprint.Origin{}), cmpopts.EquateEmpty()}
			if diff := cmp.Diff(tc.want, got, ignore); tc.wantErr == "" && diff != "" {
				t.Errorf("Apply() mismatch (-want +got):\n%s", diff)
			}
			again, _ := blueprint.Parse(t.Context(), base(tc.override).Object(), nil)
			if diff := cmp.Diff(again.Components, d.Components); diff != "" {
				t.Errorf("Apply() changed its input (-want +got):\n%s", diff)
			}
		})
	}
}

func TestApplyRemembersWhereAPropertyWasWritten(t *testing.T) {
	d, err := blueprint.Parse(t.Context(), base(`components: [{name: backend, properties: {image: x}, traits: [{type: scaler, properties: {replicas: 3}}]}]`).Object(), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := override.Apply(d.Components, d.Policies[0], override.Options{})
	if err != nil {
		t.Fatal(err)
	}
	places := []string{got[0].Origin.Property("image"), got[0].Origin.Property("env.A"), got[0].Traits[0].Origin.Property("replicas")}
	want := []string{
		"spec.policies[0].properties.components[0].properties.image",
		"spec.components[0].properties.env.A",
		"spec.policies[0].properties.components[0].traits[0].properties.replicas",
	}
	if diff := cmp.Diff(want, places); diff != "" {
		t.Errorf("places mismatch (-want +got):\n%s", diff)
	}
}
