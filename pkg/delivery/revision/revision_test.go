package revision_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/revision"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
)

func template(value string) string {
	return `output: {apiVersion: "v1", kind: "ConfigMap", data: v: "` + value + `"}
parameter: {...}`
}

// world is what an Application is resolved against.
type world struct {
	refs build.References
	text string // of the component definition
}

func (w world) draft(t *testing.T, app *build.Application) blueprint.Draft {
	t.Helper()
	d, err := blueprint.Parse(t.Context(), app.Object(), w.refs)
	if err != nil {
		t.Fatal(fault.Message(err))
	}
	return d
}

func (w world) blueprint(t *testing.T, app *build.Application) blueprint.Blueprint {
	t.Helper()
	engine := cue.NewEngine(cue.Options{})
	b, err := blueprint.Resolve(t.Context(), w.draft(t, app), build.Definitions(
		build.ComponentDefinition("c", template(w.text)), build.TraitDefinition("t", "parameter: {...}"),
		build.PolicyDefinition("override", "parameter: {...}"), build.StepDefinition("deploy", "parameter: {...}"),
	), blueprint.Options{Components: engine, Steps: engine})
	if err != nil {
		t.Fatal(fault.Message(err))
	}
	return b
}

func shop() *build.Application { return build.App("prod/shop").UID("u1") }

func rich() (*build.Application, world) {
	app := shop().Label("team", "a").Annotate("note", "x").
		Component("web", "c@v1", `{image: nginx, ports: [80], ratio: 0.5}`).Trait("t", "a: 1").
		Component("api", "c", "").DependsOn("web").Workflow("release")
	step := build.Step("go", "deploy", "policies: [size]")
	step.SubSteps = []v1beta1.WorkflowStepBase{{Type: "suspend"}}
	w := build.Workflow("prod/release", step, build.Step("", "suspend", ""))
	w.Mode = &v1beta1.WorkflowExecuteMode{Steps: v1beta1.WorkflowModeDAG}
	return app, world{refs: build.References{
		Workflows: []*v1alpha1.Workflow{w},
		Policies:  []*v1alpha1.Policy{build.Policy("prod/size", "override", "components: [{name: web, traits: [{type: t}]}]")},
	}}
}

func TestABlueprintSurvivesItsRevision(t *testing.T) {
	app, w := rich()
	b := w.blueprint(t, app)
	rev, err := revision.Encode(b, "shop-v1")
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(rev)
	if err != nil {
		t.Fatal(err)
	}
	stored := &v1beta1.ApplicationRevision{}
	if err := json.Unmarshal(data, stored); err != nil {
		t.Fatal(err)
	}
	got, err := revision.Decode(t.Context(), stored)
	if err != nil {
		t.Fatal(err)
	}
	ignore := cmp.Options{
		cmpopts.IgnoreFields(blueprint.App{}, "UID", "Generation"),
		cmpopts.IgnoreFields(blueprint.Draft{}, "ReferencedPolicies", "ReferencedWorkflow"),
		cmpopts.EquateEmpty(),
		cmpopts.IgnoreFields(definition.Definition{}, "Revision", "Namespace"), // where it was found

	}
	if diff := cmp.Diff(b, got, ignore); diff != "" {
		t.Errorf("Decode(Encode(b)) mismatch (-want +got):\n%s", diff)
	}
	if revision.Hash(got) != revision.Hash(b) {
		t.Errorf("Hash() = %s after the revision, %s before", revision.Hash(got), revision.Hash(b))
	}
}

// Invariant 5: same input, same bytes.
func TestTheSameBlueprintGivesTheSameBytes(t *testing.T) {
	app, w := rich()
	var first []byte
	for range 10 {
		rev, err := revision.Encode(w.blueprint(t, app), "shop-v1")
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(rev)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = data
		}
		if diff := cmp.Diff(string(first), string(data)); diff != "" {
			t.Fatalf("bytes differ:\n%s", diff)
		}
	}
}

// A revision as KubeVela writes it: another hash, everything in the clear, a
// versioned type under its plain name.
const kubevela = `
apiVersion: core.oam.dev/v1beta1
kind: ApplicationRevision
metadata:
  name: shop-v4
  namespace: prod
  labels: {app.oam.dev/name: shop, app.oam.dev/app-revision-hash: 1f2e3d}
spec:
  application:
    metadata: {name: shop, namespace: prod, labels: {team: a}}
    spec:
      components:
      - {name: web, type: c@v1, properties: {image: nginx}}
      workflow: {ref: release}
  componentDefinitions:
    c:
      metadata: {name: c, namespace: vela-system}
      spec:
        workload: {type: autodetects.core.oam.dev}
        schematic: {cue: {template: "output: {apiVersion: \"v1\", kind: \"Secret\"}"}}
  workflow:
    metadata: {name: release}
    steps: [{name: wait, type: suspend}]
status: {succeeded: true}
`

func TestARevisionOfKubeVelaIsUnderstood(t *testing.T) {
	data, err := json.Marshal(build.Object(kubevela).Object)
	if err != nil {
		t.Fatal(err)
	}
	rev := &v1beta1.ApplicationRevision{}
	if err := json.Unmarshal(data, rev); err != nil {
		t.Fatal(err)
	}
	store := build.Revisions{"prod/shop-v4": rev}
	app := shop().Label("team", "a").Component("web", "c@v1", "image: nginx").Workflow("release")
	w := world{refs: build.References{Workflows: []*v1alpha1.Workflow{build.Workflow("prod/release", build.Step("wait", "suspend", ""))}}}

	b, got, ok, err := revision.Current(t.Context(), store, w.draft(t, app), &v1beta1.Revision{Name: "shop-v4", Revision: 4, RevisionHash: "1f2e3d"})
	if err != nil || !ok {
		t.Fatalf("Current() = %v, %v, want the stored Blueprint", ok, err)
	}
	if diff := cmp.Diff(revision.Revision{Name: "shop-v4", Number: 4, Hash: "1f2e3d"}, got); diff != "" {
		t.Errorf("revision mismatch (-want +got):\n%s", diff)
	}
	var templates []string
	for ref, def := range b.Definitions {
		templates = append(templates, ref.Name+" "+def.Template)
	}
	slices.Sort(templates)
	want := []string{`c output: {apiVersion: "v1", kind: "Secret"}`, `c@v1 output: {apiVersion: "v1", kind: "Secret"}`}
	if diff := cmp.Diff(want, templates); diff != "" {
		t.Errorf("definitions mismatch (-want +got):\n%s", diff)
	}
	if b.App.UID != "u1" {
		t.Errorf("UID = %q, want that of the Application", b.App.UID)
	}
}

// deliver does what a reconcile does: it takes the current Blueprint or resolves
// and stores a new one.
func deliver(t *testing.T, store revision.Store, w world, app *build.Application, previous *v1beta1.Revision) (blueprint.Blueprint, revision.Revision) {
	t.Helper()
	b, rev, ok, err := revision.Current(t.Context(), store, w.draft(t, app), previous)
	if err != nil {
		t.Fatal(err)
	}
	if ok {
		return b, rev
	}
	b = w.blueprint(t, app)
	if rev, err = revision.Ensure(t.Context(), store, b, previous); err != nil {
		t.Fatal(err)
	}
	return b, rev
}

// Invariant 4: frozen inputs. While nothing was changed the definitions of the
// stored revision count, whatever is installed now.
func TestWhenARevisionIsNew(t *testing.T) {
	web := func(image string) *build.Application { return shop().Component("web", "c", "image: "+image) }
	published := func(app *build.Application, v string) *build.Application {
		return app.Annotate("app.oam.dev/publishVersion", v)
	}
	auto := func(app *build.Application) *build.Application { return app.Annotate("app.oam.dev/autoUpdate", "true") }
	type input struct {
		app  *build.Application
		text string
	}
	type output struct {
		Name     string
		Created  bool
		Template string
	}
	cases := map[string]struct {
		inputs []input
		want   []output
	}{
		"an unchanged specification keeps its revision and its definitions": {
			inputs: []input{{web("a"), "old"}, {web("a"), "new"}},
			want:   []output{{"shop-v1", true, "old"}, {"shop-v1", false, "old"}},
		},
		"labels alone make no revision": {
			inputs: []input{{web("a"), "x"}, {web("a").Label("team", "b"), "x"}},
			want:   []output{{"shop-v1", true, "x"}, {"shop-v1", false, "x"}},
		},
		"going back is a revision of its own": {
			inputs: []input{{web("a"), "x"}, {web("b"), "x"}, {web("a"), "y"}},
			want:   []output{{"shop-v1", true, "x"}, {"shop-v2", true, "x"}, {"shop-v3", true, "y"}},
		},
		"a published version freezes the specification": {
			inputs: []input{{published(web("a"), "v1"), "x"}, {published(web("b"), "v1"), "x"}, {published(web("b"), "v2"), "y"}},
			want:   []output{{"shop-v1", true, "x"}, {"shop-v1", false, "x"}, {"shop-v2", true, "y"}},
		},
		"a new published version of the same specification is new": {
			inputs: []input{{published(web("a"), "v1"), "x"}, {published(web("a"), "v2"), "y"}},
			want:   []output{{"shop-v1", true, "x"}, {"shop-v2", true, "y"}},
		},
		"no published version any more is new": {
			inputs: []input{{published(web("a"), "v1"), "x"}, {web("a"), "y"}},
			want:   []output{{"shop-v1", true, "x"}, {"shop-v2", true, "y"}},
		},
		"automatic updates take newer definitions": {
			inputs: []input{{auto(web("a")), "x"}, {auto(web("a")), "x"}, {auto(web("a")), "y"}},
			want:   []output{{"shop-v1", true, "x"}, {"shop-v1", false, "x"}, {"shop-v2", true, "y"}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			store := build.Revisions{}
			var previous *v1beta1.Revision
			var got []output
			for _, in := range tc.inputs {
				b, rev := deliver(t, store, world{text: in.text}, in.app, previous)
				previous = rev.Status()
				out := output{Name: rev.Name, Created: rev.Created}
				for _, text := range []string{"old", "new", "x", "y"} {
					for _, def := range b.Definitions {
						if def.Template == template(text) {
							out.Template = text
						}
					}
				}
				got = append(got, out)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("revisions mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEnsureAfterAnAccident(t *testing.T) {
	w := world{}
	a, b := shop().Component("web", "c", "image: a"), shop().Component("web", "c", "image: b")
	ensure := func(t *testing.T, store revision.Store, app *build.Application, previous *v1beta1.Revision) revision.Revision {
		t.Helper()
		rev, err := revision.Ensure(t.Context(), store, w.blueprint(t, app), previous)
		if err != nil {
			t.Fatal(err)
		}
		return rev
	}
	t.Run("a revision that the status does not know is found again", func(t *testing.T) {
		store := build.Revisions{}
		ensure(t, store, a, nil)
		got := ensure(t, store, a, nil)
		if got.Name != "shop-v1" || got.Created || len(store) != 1 {
			t.Errorf("Ensure() = %+v with %d revisions, want shop-v1 again", got, len(store))
		}
	})
	t.Run("a status that was lost does not overwrite revisions", func(t *testing.T) {
		store := build.Revisions{}
		first := ensure(t, store, a, nil)
		ensure(t, store, b, first.Status())
		got := ensure(t, store, shop().Component("web", "c", "image: c"), nil)
		if got.Name != "shop-v3" || !got.Created {
			t.Errorf("Ensure() = %+v, want the new shop-v3", got)
		}
	})
	t.Run("revisions of a deleted Application of the same name are not taken", func(t *testing.T) {
		store := build.Revisions{}
		ensure(t, store, a, nil)
		got := ensure(t, store, build.App("prod/shop").UID("u2").Component("web", "c", "image: a"), nil)
		if got.Name != "shop-v2" || !got.Created {
			t.Errorf("Ensure() = %+v, want the new shop-v2", got)
		}
	})
	t.Run("a revision that was deleted is stored again", func(t *testing.T) {
		_, _, ok, err := revision.Current(t.Context(), build.Revisions{}, w.draft(t, a), &v1beta1.Revision{Name: "shop-v1", Revision: 1})
		if ok || err != nil {
			t.Errorf("Current() = %v, %v, want to resolve anew", ok, err)
		}
	})
}

func TestTrim(t *testing.T) {
	cases := map[string]struct {
		existing []string
		current  revision.Revision
		limit    int
		want     []string
	}{
		"the oldest go": {
			existing: []string{"shop-v8", "shop-v9", "shop-v10", "shop-v11"}, current: revision.Revision{Name: "shop-v11", Number: 11}, limit: 2,
			want: []string{"shop-v10", "shop-v11", "shop-v9"},
		},
		"the current one stays whatever its number": {
			existing: []string{"shop-v8", "shop-v9", "shop-v10"}, current: revision.Revision{Name: "shop-v8", Number: 8}, limit: 0,
			want: []string{"shop-v8"},
		},
		"within the limit all stay": {
			existing: []string{"shop-v1", "shop-v2", "shop-v3"}, current: revision.Revision{Name: "shop-v3", Number: 3}, limit: 2,
			want: []string{"shop-v1", "shop-v2", "shop-v3"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			store := build.Revisions{}
			for _, name := range tc.existing {
				rev := &v1beta1.ApplicationRevision{}
				rev.Namespace, rev.Name = "prod", name
				rev.Spec.Application.Name = "shop"
				if err := store.Create(t.Context(), rev); err != nil {
					t.Fatal(err)
				}
			}
			if err := revision.Trim(t.Context(), store, blueprint.App{Namespace: "prod", Name: "shop"}, tc.current, tc.limit); err != nil {
				t.Fatal(err)
			}
			got, _ := store.Names(t.Context(), "prod", "shop")
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("revisions left (-want +got):\n%s", diff)
			}
		})
	}
}

func TestErrorsOfTheStoreAreReturned(t *testing.T) {
	w := world{}
	app := shop().Component("web", "c", "")
	if _, err := revision.Load(t.Context(), build.Revisions{}, "prod", "shop-v9"); err == nil || err.Error() != `read revision "shop-v9": applicationrevisions.core.oam.dev "shop-v9" not found` {
		t.Errorf("Load() error = %v", err)
	}
	b := w.blueprint(t, app)
	for ref, def := range b.Definitions {
		def.Object = nil
		b.Definitions[ref] = def
	}
	if _, err := revision.Ensure(t.Context(), build.Revisions{}, b, nil); err == nil {
		t.Errorf("Ensure() error = %v, want one about a definition without its object", err)
	}
}
