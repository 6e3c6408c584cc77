package cluster_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/references/cli/cluster/labels"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
)

func TestLabels(t *testing.T) {
	cases := map[string]struct {
		args []string
		want map[string]string // nil: the command line is wrong
	}{
		"add one":                {[]string{"add", "eu", "region=eu"}, map[string]string{"region": "eu"}},
		"add several":            {[]string{"add", "eu", "region=eu,tier=gold"}, map[string]string{"region": "eu", "tier": "gold"}},
		"add without a value":    {[]string{"add", "eu", "region"}, nil},
		"remove several":         {[]string{"del", "eu", "region,tier"}, map[string]string{"region": "", "tier": ""}},
		"remove as others write": {[]string{"del", "eu", "region=eu"}, map[string]string{"region": ""}},
		"which cluster?":         {[]string{"del"}, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got map[string]string
			cmd := labels.NewCommand(&connect.Factory{}, func(_ context.Context, o *labels.Options) error { got = o.Labels; return nil })
			cmd.SilenceErrors, cmd.SilenceUsage = true, true
			cmd.SetArgs(tc.args)
			if err := cmd.Execute(); (err != nil) != (tc.want == nil) {
				t.Fatalf("Execute() error = %v", err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("labels mismatch (-want +got):\n%s", diff)
			}
		})
	}
}
