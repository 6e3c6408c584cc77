package revision_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/revision"
	"github.com/seed-c5f95f19/vela/pkg/delivery/transform"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/oam"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
)

// rewrites is a policy that adds a component and more.
const rewrites = `output: {
	labels: team: "a"
	annotations: note: "x"
	ctx: {tenant: "acme", limit: 3}
	components: context.appComponents + [{name: "extra", type: "c"}]
}`

// stored delivers app as policies make it, and returns what a restart finds.
func stored(t *testing.T, app *build.Application) (revision.Store, revision.Revision, blueprint.Blueprint) {
	t.Helper()
	engine := cue.NewEngine(cue.Options{})
	policy := build.PolicyDefinition("rewrites", rewrites)
	policy.Spec.Scope = v1beta1.PolicyScopeApplication
	defs := build.Definitions(build.ComponentDefinition("c", template("x")), policy)
	left, produced, err := transform.Apply(t.Context(), app.Object(), transform.Options{
		Gates: transform.Gates{Scoped: true}, Definitions: defs, Engine: engine,
	})
	if err != nil {
		t.Fatal(fault.Message(err))
	}
	d, err := blueprint.Parse(t.Context(), left, nil)
	if err != nil {
		t.Fatal(fault.Message(err))
	}
	d.Produced = produced
	b, err := blueprint.Resolve(t.Context(), d, defs, blueprint.Options{Components: engine, Steps: engine})
	if err != nil {
		t.Fatal(fault.Message(err))
	}
	store := build.Revisions{}
	rev, err := revision.Ensure(t.Context(), store, b, nil)
	if err != nil {
		t.Fatal(err)
	}
	return store, rev, b
}

// What policies made belongs to the revision: reading it gives the same Blueprint
// without a policy definition in sight, and says what the user had written.
func TestWhatPoliciesMadeIsStored(t *testing.T) {
	app := build.App("prod/shop").UID("u1").Component("web", "c", "").Policy("p", "rewrites", "")
	store, rev, want := stored(t, app)
	got, err := revision.Load(t.Context(), store, "prod", rev.Name)
	if err != nil {
		t.Fatal(err)
	}
	got.App.UID = want.App.UID
	if revision.Hash(got) != rev.Hash {
		t.Errorf("Hash(Load()) = %s, want %s", revision.Hash(got), rev.Hash)
	}
	if diff := cmp.Diff(want.Draft, got.Draft); diff != "" {
		t.Errorf("Load() mismatch (-stored +loaded):\n%s", diff)
	}
	if diff := cmp.Diff(app.Object().Spec, *got.Produced.Spec); diff != "" {
		t.Errorf("what the user wrote (-want +got):\n%s", diff)
	}
	raw, err := store.Get(t.Context(), "prod", rev.Name)
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := raw.Spec.PolicyVersions["p"]; !ok || v.RevisionHash == "" {
		t.Errorf("policyVersions = %+v, want the policy pinned", raw.Spec.PolicyVersions)
	}
}

// Policies run again when something new is written, and not because the process
// is new.
func TestWhenPoliciesRunAgain(t *testing.T) {
	shop := func() *build.Application {
		return build.App("prod/shop").UID("u1").Component("web", "c", "").Policy("p", "rewrites", "")
	}
	plain := build.App("prod/plain").UID("u2").Component("web", "c", "")
	store, rev, _ := stored(t, shop())
	before := world{text: "x"}.blueprint(t, plain)
	old, err := revision.Ensure(t.Context(), store, before, nil) // before policies were switched on
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		app        *build.Application
		previous   *v1beta1.Revision
		ok         bool
		components int
	}{
		"the same text is as policies left it":             {shop(), rev.Status(), true, 2},
		"labels of the user are not text":                  {shop().Label("a", "b"), rev.Status(), true, 2},
		"another text is new":                              {shop().Component("api", "c", ""), rev.Status(), false, 0},
		"keeping global policies away is new":              {shop().Annotate(oam.AnnotationPolicySkipGlobal, "true"), rev.Status(), false, 0},
		"a published version is new":                       {shop().Annotate(oam.AnnotationPublishVersion, "v1"), rev.Status(), false, 0},
		"the first delivery is new":                        {shop(), nil, false, 0},
		"a revision that is gone tells nothing":            {shop(), &v1beta1.Revision{Name: "shop-v9"}, false, 0},
		"a revision from before stays without policies":    {plain, old.Status(), true, 1},
		"a change of an Application from before runs them": {build.App("prod/plain").Component("other", "c", ""), old.Status(), false, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			app := tc.app.Object()
			left, _, ok, err := revision.Produced(t.Context(), store, app, transform.Written(app), tc.previous)
			if err != nil || ok != tc.ok {
				t.Fatalf("Produced() = %v, %v, want %v", ok, err, tc.ok)
			}
			if ok && len(left.Spec.Components) != tc.components {
				t.Errorf("it has %d components, want %d", len(left.Spec.Components), tc.components)
			}
		})
	}
}

// What a user writes into the annotation of ours is not what policies made, and
// makes no revision that nobody can read.
func TestForgedProduced(t *testing.T) {
	for name, text := range map[string]string{"garbage": "{", "values": `{"custom":{"tenant":"other"}}`} {
		t.Run(name, func(t *testing.T) {
			store := build.Revisions{}
			b := world{text: "x"}.blueprint(t, build.App("prod/shop").UID("u1").Component("web", "c", "").Annotate(oam.AnnotationPolicyProduced, text))
			rev, err := revision.Ensure(t.Context(), store, b, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := revision.Load(t.Context(), store, "prod", rev.Name)
			if err != nil || got.Produced != nil {
				t.Errorf("Load() = what policies made %+v, %v, want nothing", got.Produced, err)
			}
		})
	}
}
