package topology_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/topology"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
)

// policies returns the policies of an Application.
func policies(t *testing.T, app *build.Application) []blueprint.Policy {
	t.Helper()
	d, err := blueprint.Parse(t.Context(), app.Object(), nil)
	if err != nil {
		t.Fatal(fault.Message(err))
	}
	return d.Policies
}

func TestPlacements(t *testing.T) {
	clusters := []topology.Cluster{
		{Name: "us", Labels: map[string]string{"env": "prod", "area": "us"}},
		{Name: "eu", Labels: map[string]string{"env": "prod", "cluster.core.oam.dev/cluster-endpoint-type": "Const"}}, // set by joining
		{Name: "staging", Labels: map[string]string{"env": "test"}},
	}
	at := func(cluster string) topology.Placement {
		return topology.Placement{Cluster: cluster, Namespace: "shop"}
	}
	app := func() *build.Application { return build.App("shop/app") }
	cases := map[string]struct {
		app     *build.Application
		want    []topology.Placement
		wantErr string
	}{
		"without a topology it is the own namespace in the hub": {
			app:  app().Policy("o", "override", "components: []"),
			want: []topology.Placement{at("local")},
		},
		"clusters by name, in their order": {
			app:  app().Policy("p", "topology", "clusters: [us, local, eu]"),
			want: []topology.Placement{at("us"), at("local"), at("eu")},
		},
		"clusters by labels, by name": {
			app:  app().Policy("p", "topology", "clusterLabelSelector: {env: prod}"),
			want: []topology.Placement{at("eu"), at("us")},
		},
		"the old name of the selector works too": {
			app:  app().Policy("p", "topology", "clusterSelector: {env: test}"),
			want: []topology.Placement{at("staging")},
		},
		"a namespace alone is one in the hub": {
			app:  app().Policy("p", "topology", "namespace: other"),
			want: []topology.Placement{{Cluster: "local", Namespace: "other"}},
		},
		"several topologies give each place once": {
			app: app().Policy("a", "topology", "clusters: [eu, us]").Policy("b", "topology", "{clusterLabelSelector: {env: prod}, namespace: shop}").
				Policy("c", "topology", "{clusters: [eu], namespace: other}"),
			want: []topology.Placement{at("eu"), at("us"), {Cluster: "eu", Namespace: "other"}},
		},
		"a selector may select nothing when the policy allows it": {
			app: app().Policy("p", "topology", "{clusterLabelSelector: {env: none}, allowEmpty: true}"),
		},
		"a selector that selects nothing says what there is": {
			app: app().Policy("p", "topology", "clusterLabelSelector: {env: none, area: eu}"),
			wantErr: `spec.policies[0].properties.clusterLabelSelector: policy "p" selects no cluster: it wants labels area=eu,env=none, ` +
				`there are eu (env=prod), local, staging (env=test), us (area=us,env=prod) (label or join a cluster, or set allowEmpty: true)`,
		},
		"an empty list of clusters selects nothing": {
			app: app().Policy("p", "topology", "clusters: []"),
			wantErr: `spec.policies[0].properties.clusters: policy "p" selects no cluster: it wants an empty list of clusters, ` +
				`there are eu (env=prod), local, staging (env=test), us (area=us,env=prod) (label or join a cluster, or set allowEmpty: true)`,
		},
		"a cluster that is not there is asked for by its probable name": {
			app: app().Policy("p", "topology", "clusters: [us, stagin]"),
			wantErr: `spec.policies[0].properties.clusters[1]: policy "p": there is no cluster "stagin", ` +
				`there are eu, local, staging, us (did you mean "staging"?)`,
		},
		"a misspelt property is no silent delivery to the hub": {
			app:     app().Policy("p", "topology", "clustes: [us]"),
			wantErr: `spec.policies[0].properties.clustes: policy "p": type "topology" has no such property (did you mean "clusters"?)`,
		},
		"every property of the wrong type is named": {
			app: app().Policy("p", "topology", "{clusters: us, clusterLabelSelector: {env: 1}, allowEmpty: maybe}"),
			wantErr: `spec.policies[0].properties.allowEmpty: policy "p": expected true or false, got string "maybe"
spec.policies[0].properties.clusterLabelSelector.env: policy "p": expected a string, got 1
spec.policies[0].properties.clusters: policy "p": expected a list, got string "us"`,
		},
		"a topology without properties says nothing": {
			app:     app().Policy("p", "topology", ""),
			wantErr: `spec.policies[0].properties: policy "p": expected clusters, clusterLabelSelector or namespace, got no properties`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := topology.Placements(policies(t, tc.app), "shop", clusters)
			if text := fault.Message(err); text != tc.wantErr {
				t.Fatalf("Placements() error = %q, want %q", text, tc.wantErr)
			}
			if diff := cmp.Diff(tc.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("Placements() mismatch (-want +got):\n%s", diff)
			}
		})
	}
}
