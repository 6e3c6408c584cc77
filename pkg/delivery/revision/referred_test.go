package revision_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/revision"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
)

// objects gives every component the same objects.
type objects []map[string]any

func (o objects) Find(context.Context, string, blueprint.Component) ([]map[string]any, error) {
	return o, nil
}

func configMap(value string) map[string]any {
	return map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "c"},
		"data": map[string]any{"k": value}, "size": int64(3),
	}
}

func referring(t *testing.T, app *build.Application, found objects) blueprint.Blueprint {
	t.Helper()
	d, err := blueprint.Parse(t.Context(), app.Object(), nil)
	if err != nil {
		t.Fatal(fault.Message(err))
	}
	engine := cue.NewEngine(cue.Options{})
	b, err := blueprint.Resolve(t.Context(), d, build.Definitions(
		build.ComponentDefinition("ref-objects", template("parameter: {...}")), build.ComponentDefinition("c", template("parameter: {...}")),
		build.StepDefinition("deploy", "parameter: {...}"), build.StepDefinition("apply-component", "parameter: {...}"),
	), blueprint.Options{Components: engine, Steps: engine, Objects: found})
	if err != nil {
		t.Fatal(fault.Message(err))
	}
	return b
}

func refers() *build.Application {
	return shop().Component("web", "ref-objects", "objects: [{resource: configmap, name: c}]").Component("other", "c", "")
}

// What components refer to is frozen: it comes back from the revision as it was,
// whatever the objects are now.
func TestReferredObjectsAreFrozen(t *testing.T) {
	b := referring(t, refers(), objects{configMap("old")})
	rev, err := revision.Encode(b, "shop-v1")
	if err != nil {
		t.Fatal(err)
	}
	got, err := revision.Decode(t.Context(), rev)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]map[string]any{"web": {configMap("old")}}
	if diff := cmp.Diff(want, got.Referred); diff != "" {
		t.Errorf("referred objects of the revision (-want +got):\n%s", diff)
	}
}

// A revision that KubeVela wrote keeps all objects of all components in one list,
// as they were in the cluster.
func TestReferredObjectsOfKubeVela(t *testing.T) {
	rev, err := revision.Encode(referring(t, refers(), objects{configMap("x")}), "shop-v1")
	if err != nil {
		t.Fatal(err)
	}
	rev.Spec.ReferredObjects = nil
	for _, o := range []map[string]any{
		{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "other", "namespace": "prod"}},
		{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "c", "namespace": "prod", "uid": "1"}, "data": map[string]any{"k": "theirs"}},
	} {
		raw, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		rev.Spec.ReferredObjects = append(rev.Spec.ReferredObjects, v1beta1.ReferredObject{RawExtension: runtime.RawExtension{Raw: raw}})
	}
	got, err := revision.Decode(t.Context(), rev)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]map[string]any{"web": {{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "c"}, "data": map[string]any{"k": "theirs"},
	}}}
	if diff := cmp.Diff(want, got.Referred); diff != "" {
		t.Errorf("referred objects of the revision (-want +got):\n%s", diff)
	}
}

// Objects that change make no revision by themselves, but where definitions are
// followed they are followed too.
func TestReferredObjectsAndTheHash(t *testing.T) {
	hash := func(app *build.Application, value string) string {
		return revision.Hash(referring(t, app, objects{configMap(value)}))
	}
	if hash(refers(), "a") != hash(refers(), "b") {
		t.Error("another content of a referred object is another revision")
	}
	auto := func() *build.Application { return refers().Annotate("app.oam.dev/autoUpdate", "true") }
	if hash(auto(), "a") == hash(auto(), "b") {
		t.Error("with autoUpdate another content of a referred object is no other revision")
	}
}

// store holds one revision.
type store struct {
	revision.Store
	rev *v1beta1.ApplicationRevision
}

func (s store) Get(context.Context, string, string) (*v1beta1.ApplicationRevision, error) {
	return s.rev, nil
}

// A revision of KubeVela that does not have what a component refers to is not
// the end of its Application: it is resolved anew.
func TestARevisionWithoutReferredObjectsIsResolvedAnew(t *testing.T) {
	b := referring(t, refers(), objects{configMap("x")})
	rev, err := revision.Encode(b, "shop-v1")
	if err != nil {
		t.Fatal(err)
	}
	for _, kept := range []bool{true, false} {
		if !kept {
			rev.Spec.ReferredObjects = nil
		}
		_, _, ok, err := revision.Current(t.Context(), store{rev: rev}, b.Draft, &v1beta1.Revision{Name: "shop-v1"})
		if err != nil || ok != kept {
			t.Errorf("Current() with the objects kept %t = %t, %v", kept, ok, err)
		}
	}
}
