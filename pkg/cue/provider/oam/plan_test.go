package oam_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider/oam"
)

func web(action, wanted, text string) oam.Entry {
	return oam.Entry{Object: "production: Deployment default/web", Component: "web", Action: action, Wanted: wanted, Text: text}
}

var db = oam.Entry{Object: "production: Secret default/db", Component: "db", Action: "create", Wanted: "d"}

func planOf(entries ...oam.Entry) oam.Plan { return oam.Plan{Digest: "sha256:x", Entries: entries} }

func TestCovers(t *testing.T) {
	cases := map[string]struct {
		approved, rest oam.Plan
		want           bool
	}{
		"the same":                           {planOf(web("create", "a", ""), db), planOf(web("create", "a", ""), db), true},
		"what is left of it":                 {planOf(web("create", "a", ""), db), planOf(db), true},
		"nothing":                            {planOf(web("create", "a", "")), planOf(), true},
		"another object":                     {planOf(web("create", "a", "")), planOf(db), false},
		"other content":                      {planOf(web("create", "a", "")), planOf(web("create", "b", "")), false},
		"another action":                     {planOf(web("create", "a", "")), planOf(web("update", "a", "")), false},
		"other changes to the same content":  {planOf(web("update", "a", "replicas: 1 -> 3")), planOf(web("update", "a", "replicas: 2 -> 3")), false},
		"a recreation after its delete":      {planOf(web("recreate", "a", "")), planOf(web("create", "a", "")), true},
		"a creation that was no recreation":  {planOf(web("create", "a", "")), planOf(web("recreate", "a", "")), false},
		"what was known later":               {planOf(oam.Entry{Object: "production: component db", Component: "db", Action: oam.Later}), planOf(db), true},
		"what was known later, in another":   {planOf(oam.Entry{Object: "staging: component db", Component: "db", Action: oam.Later}), planOf(db), false},
		"another component than known later": {planOf(oam.Entry{Object: "production: component web", Component: "web", Action: oam.Later}), planOf(db), false},
		"still known later": {planOf(oam.Entry{Object: "production: component db", Component: "db", Action: oam.Later}),
			planOf(oam.Entry{Object: "production: component db", Component: "db", Action: oam.Later}), true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.approved.Covers(tc.rest); got != tc.want {
				t.Errorf("Covers() = %v, want %v", got, tc.want)
			}
		})
	}
}

func TestDifference(t *testing.T) {
	before := planOf(web("update", "a", "replicas: 1 -> 3"), db)
	cases := map[string]struct {
		now  oam.Plan
		want []string
	}{
		"nothing":          {before, nil},
		"a changed change": {planOf(web("update", "b", "replicas: 1 -> 5"), db), []string{"changed: production: Deployment default/web: update (replicas: 1 -> 5); before: update (replicas: 1 -> 3)"}},
		"hidden content":   {planOf(web("update", "b", "replicas: 1 -> 3"), db), []string{"changed: production: Deployment default/web: update (replicas: 1 -> 3), with other content"}},
		"one more and one less": {planOf(web("update", "a", "replicas: 1 -> 3"), oam.Entry{Object: "production: Service default/web", Action: "create"}),
			[]string{"new: production: Service default/web: create", "gone: production: Secret default/db: create"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, before.Difference(tc.now)); diff != "" {
				t.Errorf("Difference() mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSummary(t *testing.T) {
	cases := map[string]struct {
		plan oam.Plan
		want string
	}{
		"nothing": {planOf(), "nothing to change"},
		"several": {planOf(db, web("update", "a", ""), oam.Entry{Object: "staging: ConfigMap default/c", Action: "create"},
			oam.Entry{Object: "staging: component x", Action: oam.Later}), "2 to create, 1 known later, 1 to update in production, staging"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.plan.Summary(); got != tc.want {
				t.Errorf("Summary() = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestEncode(t *testing.T) {
	p := planOf(web("update", "a", "replicas: 1 -> 3"), db)
	if diff := cmp.Diff(p, oam.DecodePlan(p.Encode())); diff != "" {
		t.Errorf("a plan does not survive (-want +got):\n%s", diff)
	}
	long := planOf(web("update", "a", strings.Repeat("é", 500)))
	if diff := cmp.Diff(long.Kept(), long.Kept().Kept()); diff != "" {
		t.Errorf("a long text is cut twice (-once +twice):\n%s", diff)
	}
	if !long.Kept().Covers(long.Kept()) {
		t.Error("a plan that was cut does not cover itself")
	}
	huge := oam.Plan{Digest: "sha256:x"}
	for range 3000 {
		huge.Entries = append(huge.Entries, web("create", strings.Repeat("a", 64), ""))
	}
	if diff := cmp.Diff(oam.Plan{Digest: "sha256:x"}, huge.Kept()); diff != "" {
		t.Errorf("a huge plan is kept as more than its digest (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(oam.Plan{}, oam.DecodePlan("{")); diff != "" {
		t.Errorf("nonsense is read as (-want +got):\n%s", diff)
	}
}
