package multicluster_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/multicluster"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

type fleet struct{}

func (fleet) Clusters(context.Context) ([]string, error) { return []string{"local", "eu", "us"}, nil }

func (fleet) Placements(context.Context, []string) ([]multicluster.Placement, error) { return nil, nil }

func (fleet) Labelled(_ context.Context, labels map[string]string) ([]string, error) {
	if labels["tier"] == "prod" {
		return []string{"eu", "us"}, nil
	}
	return nil, nil
}

func (fleet) Patched(context.Context, []map[string]any, []string) (map[string]any, error) {
	return nil, nil
}

func TestPlacementDecisions(t *testing.T) {
	place := func(cluster, namespace string) any {
		return map[string]any{"cluster": cluster, "namespace": namespace}
	}
	cases := map[string]struct {
		placement any
		env       string
		want      []any
		wantErr   string
		terminal  bool
	}{
		"nothing is said":               {placement: map[string]any{}, want: []any{place("local", "team")}},
		"a namespace":                   {placement: map[string]any{"namespaceSelector": map[string]any{"name": "test"}}, want: []any{place("local", "test")}},
		"a cluster":                     {placement: map[string]any{"clusterSelector": map[string]any{"name": "eu"}}, want: []any{place("eu", "team")}},
		"clusters with a label":         {placement: map[string]any{"clusterSelector": map[string]any{"labels": map[string]any{"tier": "prod"}}}, want: []any{place("eu", "team"), place("us", "team")}},
		"an empty selector":             {placement: map[string]any{"clusterSelector": map[string]any{}}, want: []any{place("local", "team")}},
		"a cluster that is not there":   {placement: map[string]any{"clusterSelector": map[string]any{"name": "mars"}}, wantErr: `env "prod" of policy "envs": there is no cluster "mars"`},
		"a label that no cluster has":   {placement: map[string]any{"clusterSelector": map[string]any{"labels": map[string]any{"tier": "x"}}}, wantErr: `env "prod" of policy "envs": no cluster has the labels map[tier:x]`},
		"namespaces with a label":       {placement: map[string]any{"namespaceSelector": map[string]any{"labels": map[string]any{"a": "b"}}}, wantErr: `env "prod" of policy "envs": a namespace can be chosen by its name only, not by labels`, terminal: true},
		"an env that does not say whom": {placement: map[string]any{}, env: "-", wantErr: "inputs: expected the names of a policy and of an env"},
	}
	table := provider.NewTable(multicluster.New(multicluster.Options{Fleet: fleet{}, Envs: fleet{}, Namespace: "team"}))
	decide, _, _ := table.Lookup("multicluster", "make-placement-decisions")
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			env := "prod"
			if tc.env == "-" {
				env = ""
			}
			got, err := decide(t.Context(), provider.Call{Params: map[string]any{"inputs": map[string]any{"policyName": "envs", "envName": env, "placement": tc.placement}}})
			if tc.wantErr != "" {
				if err == nil || err.Error() != tc.wantErr || fault.Terminal(err) != tc.terminal {
					t.Errorf("error = %v, want %s", err, tc.wantErr)
				}
				return
			}
			if diff := cmp.Diff(map[string]any{"outputs": map[string]any{"decisions": tc.want}}, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}
