package revisions_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/definition/revisions"
)

func parsed(t *testing.T, template string) definition.Definition {
	t.Helper()
	d, err := definition.FromObject(&v1beta1.TraitDefinition{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "scaler", Labels: map[string]string{"team": "web"}},
		Spec:       v1beta1.TraitDefinitionSpec{Schematic: &v1beta1.Schematic{CUE: &v1beta1.CUE{Template: template}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func kept(t *testing.T, name string, number int64, template string) v1beta1.DefinitionRevision {
	t.Helper()
	rev, err := revisions.Keep(parsed(t, template), name, number)
	if err != nil {
		t.Fatal(err)
	}
	rev.ResourceVersion = "1"
	return *rev
}

func TestNext(t *testing.T) {
	cases := map[string]struct {
		given    string
		existing []v1beta1.DefinitionRevision
		want     string
		number   int64
		isNew    bool
		taken    bool
	}{
		"the first one":                          {want: "scaler-v1", number: 1, isNew: true},
		"the same content again":                 {existing: []v1beta1.DefinitionRevision{kept(t, "scaler-v1", 1, "b: 1"), kept(t, "scaler-v2", 2, "a: 1")}, want: "scaler-v2", number: 2},
		"other content":                          {existing: []v1beta1.DefinitionRevision{kept(t, "scaler-v1", 1, "b: 1")}, want: "scaler-v2", number: 2, isNew: true},
		"back to what was before the latest":     {existing: []v1beta1.DefinitionRevision{kept(t, "scaler-v1", 1, "a: 1"), kept(t, "scaler-v2", 2, "b: 1")}, want: "scaler-v3", number: 3, isNew: true},
		"a given name":                           {given: "scaler-v1.2.3", existing: []v1beta1.DefinitionRevision{kept(t, "scaler-v1", 1, "b: 1")}, want: "scaler-v1.2.3", number: 2, isNew: true},
		"a given name, the same content":         {given: "scaler-v1.2.3", existing: []v1beta1.DefinitionRevision{kept(t, "scaler-v1.2.3", 1, "a: 1"), kept(t, "scaler-v2", 2, "b: 1")}, want: "scaler-v1.2.3", number: 1},
		"a given name, other content":            {given: "scaler-v1.2.3", existing: []v1beta1.DefinitionRevision{kept(t, "scaler-v1.2.3", 1, "b: 1")}, taken: true},
		"a counted name that somebody has taken": {existing: []v1beta1.DefinitionRevision{kept(t, "scaler-v2", 1, "b: 1")}, want: "scaler-v3", number: 3, isNew: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			rev, err := revisions.Next(parsed(t, "a: 1"), tc.given, tc.existing)
			if tc.taken {
				if !errors.Is(err, revisions.ErrTaken) {
					t.Fatalf("Next() error = %v, want ErrTaken", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if rev.Name != tc.want || rev.Spec.Revision != tc.number || (rev.ResourceVersion == "") != tc.isNew {
				t.Errorf("Next() = %s, number %d, new %v; want %s, %d, %v",
					rev.Name, rev.Spec.Revision, rev.ResourceVersion == "", tc.want, tc.number, tc.isNew)
			}
			if tc.isNew {
				want := map[string]string{"team": "web", "trait.oam.dev/name": "scaler"}
				if diff := cmp.Diff(want, rev.Labels); diff != "" {
					t.Errorf("labels (-want +got):\n%s", diff)
				}
			}
			if back, err := definition.FromRevision(rev); err != nil || back.Digest != parsed(t, "a: 1").Digest {
				t.Errorf("the revision keeps %q, %v", back.Template, err)
			}
		})
	}
}

func TestSurplus(t *testing.T) {
	all := []v1beta1.DefinitionRevision{
		kept(t, "scaler-v3", 3, "c: 1"), kept(t, "scaler-v1", 1, "a: 1"), kept(t, "scaler-v4", 4, "d: 1"), kept(t, "scaler-v2", 2, "b: 1"),
	}
	cases := map[string]struct {
		latest string
		limit  int
		keep   map[string]bool
		want   []string
	}{
		"the limit holds":                         {latest: "scaler-v4", limit: 3},
		"the oldest goes":                         {latest: "scaler-v4", limit: 2, want: []string{"scaler-v1"}},
		"what an Application names stays":         {latest: "scaler-v4", limit: 2, keep: map[string]bool{"scaler-v1": true}, want: []string{"scaler-v2"}},
		"the latest stays, whatever its number":   {latest: "scaler-v1", limit: 1, want: []string{"scaler-v2", "scaler-v3"}},
		"nothing but the latest":                  {latest: "scaler-v4", limit: 0, want: []string{"scaler-v1", "scaler-v2", "scaler-v3"}},
		"what is used may be more than the limit": {latest: "scaler-v4", limit: 0, keep: map[string]bool{"scaler-v1": true, "scaler-v2": true, "scaler-v3": true}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, rev := range revisions.Surplus(all, tc.latest, tc.limit, tc.keep) {
				got = append(got, rev.Name)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Surplus() mismatch (-want +got):\n%s", diff)
			}
		})
	}
}
