package envbinding_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/envbinding"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/override"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/topology"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
)

// envs reads the policy of an Application as users write it.
func envs(t *testing.T, properties string) []envbinding.Env {
	t.Helper()
	d, err := blueprint.Parse(t.Context(), build.App("shop").Component("web", "webservice", "").Policy("envs", "env-binding", properties).Object(), nil)
	if err != nil {
		t.Fatal(fault.Message(err))
	}
	out, err := envbinding.Envs(d.Policies[0])
	if err != nil {
		t.Fatal(fault.Message(err))
	}
	return out
}

func TestPlacements(t *testing.T) {
	clusters := []topology.Cluster{
		{Name: "local"}, {Name: "eu-1", Labels: map[string]string{"region": "eu"}}, {Name: "eu-2", Labels: map[string]string{"region": "eu"}},
	}
	cases := map[string]struct {
		placement v1alpha1.EnvPlacement
		want      []topology.Placement
		wantErr   string
	}{
		"no placement is the hub and the namespace of the Application": {
			want: []topology.Placement{{Cluster: "local", Namespace: "default"}},
		},
		"a cluster and a namespace by name": {
			placement: v1alpha1.EnvPlacement{ClusterSelector: &v1alpha1.EnvTarget{Name: "eu-1"}, NamespaceSelector: &v1alpha1.EnvTarget{Name: "prod"}},
			want:      []topology.Placement{{Cluster: "eu-1", Namespace: "prod"}},
		},
		"labels lead to every cluster that has them": {
			placement: v1alpha1.EnvPlacement{ClusterSelector: &v1alpha1.EnvTarget{Labels: map[string]string{"region": "eu"}}},
			want:      []topology.Placement{{Cluster: "eu-1", Namespace: "default"}, {Cluster: "eu-2", Namespace: "default"}},
		},
		"a cluster that has not joined is an error": {
			placement: v1alpha1.EnvPlacement{ClusterSelector: &v1alpha1.EnvTarget{Name: "us"}},
			wantErr:   `env "prod": there is no cluster "us"`,
		},
		"labels that no cluster has are an error": {
			placement: v1alpha1.EnvPlacement{ClusterSelector: &v1alpha1.EnvTarget{Labels: map[string]string{"region": "us"}}},
			wantErr:   `env "prod": no cluster has the labels`,
		},
		"namespaces cannot be chosen by labels": {
			placement: v1alpha1.EnvPlacement{NamespaceSelector: &v1alpha1.EnvTarget{Labels: map[string]string{"a": "b"}}},
			wantErr:   "namespaces are chosen by name only",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := envbinding.Placements(envbinding.Env{Name: "prod", Placement: tc.placement}, "default", clusters)
			if (err == nil) != (tc.wantErr == "") || err != nil && !strings.Contains(err.Error(), tc.wantErr) {
				t.Fatalf("Placements() error = %v, want %q", err, tc.wantErr)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Placements() mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestComponents(t *testing.T) {
	d, err := blueprint.Parse(t.Context(), build.App("shop").
		Component("web", "webservice", "{image: nginx, port: 80}").Trait("scaler", "replicas: 1").
		Component("worker", "worker", "image: busybox").Object(), nil)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		env  string
		want []map[string]any
	}{
		"without selector and patch nothing changes": {
			env: "{name: e}",
			want: []map[string]any{
				{"name": "web", "type": "webservice", "properties": map[string]any{"image": "nginx", "port": int64(80)},
					"traits": []any{map[string]any{"type": "scaler", "properties": map[string]any{"replicas": int64(1)}}}},
				{"name": "worker", "type": "worker", "properties": map[string]any{"image": "busybox"}},
			},
		},
		"a selector leaves the others out": {
			env:  "{name: e, selector: {components: [worker]}}",
			want: []map[string]any{{"name": "worker", "type": "worker", "properties": map[string]any{"image": "busybox"}}},
		},
		"a patch merges properties and traits, and fields that KubeVela ignores change nothing": {
			env: "{name: e, created: false, selector: {components: [web]}, patch: {components: [" +
				"{name: web, type: webservice, dependsOn: [x], properties: {image: 'nginx:1.20'}, traits: [{type: scaler, properties: {replicas: 3}}]}]}}",
			want: []map[string]any{
				{"name": "web", "type": "webservice", "properties": map[string]any{"image": "nginx:1.20", "port": int64(80)},
					"traits": []any{map[string]any{"type": "scaler", "properties": map[string]any{"replicas": int64(3)}}}},
			},
		},
		"a name with * changes all that fit": {
			env: "{name: e, patch: {components: [{name: 'w*', properties: {image: same}}]}}",
			want: []map[string]any{
				{"name": "web", "type": "webservice", "properties": map[string]any{"image": "same", "port": int64(80)},
					"traits": []any{map[string]any{"type": "scaler", "properties": map[string]any{"replicas": int64(1)}}}},
				{"name": "worker", "type": "worker", "properties": map[string]any{"image": "same"}},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := envbinding.Components(envs(t, "envs: ["+tc.env+"]")[0], d.Components, override.Options{})
			if err != nil {
				t.Fatal(fault.Message(err))
			}
			var values []map[string]any
			for _, c := range got {
				values = append(values, c.Value())
			}
			if diff := cmp.Diff(tc.want, values); diff != "" {
				t.Errorf("Components() mismatch (-want +got):\n%s", diff)
			}
		})
	}
}
