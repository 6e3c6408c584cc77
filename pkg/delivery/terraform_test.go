package delivery

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy"
)

// A deploy step leaves cloud resources out unless it is told otherwise, and
// what is left out is not swept while its component is there.
func TestCloudResourcesAreLeftOut(t *testing.T) {
	r := &Run{delivery: &Delivery{}, Blueprint: &blueprint.Blueprint{
		Draft: blueprint.Draft{Components: []blueprint.Component{{Name: "db", Type: "rds"}, {Name: "web", Type: "webservice"}}},
		Definitions: map[definition.Ref]definition.Definition{
			{Kind: definition.Component, Name: "rds"}:        {Terraform: &v1beta1.Terraform{}},
			{Kind: definition.Component, Name: "webservice"}: {Template: "output: {}"},
		},
	}}
	cases := map[string]struct {
		target Target
		want   []string
	}{
		"a step that leaves them out": {Target{SkipTerraform: true}, []string{"web"}},
		"a step that is told not to":  {Target{}, []string{"db", "web"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.target.Place = &policy.Placement{}
			units, err := r.units(t.Context(), tc.target)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, u := range units {
				got = append(got, u.component.Name)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("units(...) mismatch (-want +got):\n%s", diff)
			}
		})
	}
	for component, want := range map[string]bool{"db": true, "web": false, "gone": false} {
		if got := r.LeavesOut(component); got != want {
			t.Errorf("LeavesOut(%q) = %t, want %t", component, got, want)
		}
	}
}
