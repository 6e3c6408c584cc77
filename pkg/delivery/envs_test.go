package delivery

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
)

// What deploy2env delivers: the chosen components, changed for the env.
func TestPatched(t *testing.T) {
	app := blueprint.Draft{
		App: blueprint.App{Namespace: "default", Name: "shop"},
		Components: []blueprint.Component{
			{Name: "web", Type: "webservice", Properties: map[string]any{"image": "nginx"}},
			{Name: "db", Type: "worker", Properties: map[string]any{"image": "mysql"}},
		},
	}
	r := &Run{delivery: &Delivery{}, Blueprint: &blueprint.Blueprint{Draft: app}}
	web := map[string]any{"name": "web", "type": "webservice", "properties": map[string]any{"image": "nginx"}}
	db := map[string]any{"name": "db", "type": "worker", "properties": map[string]any{"image": "mysql"}}
	cases := map[string]struct {
		patch    []map[string]any
		selector []string
		want     []any
	}{
		"an env without a patch has all components": {want: []any{web, db}},
		"a selector chooses":                        {selector: []string{"db"}, want: []any{db}},
		"a patch changes the component of its name": {
			patch:    []map[string]any{{"name": "web", "properties": map[string]any{"cpu": "1"}}},
			selector: []string{"web"},
			want: []any{map[string]any{
				"name": "web", "type": "webservice", "properties": map[string]any{"image": "nginx", "cpu": "1"},
			}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := r.Patched(t.Context(), tc.patch, tc.selector)
			if err != nil {
				t.Fatal(err)
			}
			spec, _ := got["spec"].(map[string]any)
			if diff := cmp.Diff(tc.want, spec["components"]); diff != "" {
				t.Errorf("components (-want +got):\n%s", diff)
			}
		})
	}
}
