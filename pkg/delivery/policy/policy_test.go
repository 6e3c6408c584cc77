package policy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
)

func parse(t *testing.T, app *build.Application) blueprint.Draft {
	t.Helper()
	d, err := blueprint.Parse(t.Context(), app.Object(), nil)
	if err != nil {
		t.Fatal(fault.Message(err))
	}
	return d
}

func TestRules(t *testing.T) {
	kinds := func(names ...string) v1alpha1.ResourceSelector {
		return v1alpha1.ResourceSelector{ResourceTypes: names}
	}
	cases := map[string]struct {
		app     *build.Application
		want    plan.Rules
		wantErr string
	}{
		"other policies are no rules": {app: build.App("a").Policy("p", "topology", "clusters: [x]").Policy("q", "my-own", "a: 1")},
		"each kind becomes its rules": {
			app: build.App("a").
				Policy("gc", "garbage-collect", `{keepLegacyResource: true, order: dependency, rules: [{selector: {resourceTypes: [Job]}, strategy: never, propagation: orphan}]}`).
				Policy("once", "apply-once", `{enable: true, rules: [{selector: {resourceTypes: [Deployment]}, strategy: {path: [spec.replicas], affect: onStateKeep}}]}`).
				Policy("own", "take-over", `rules: [{selector: {resourceTypes: [A]}}]`).
				Policy("look", "read-only", `rules: [{selector: {resourceTypes: [B]}}]`).
				Policy("share", "shared-resource", `rules: [{selector: {resourceTypes: [C]}}]`).
				Policy("how", "resource-update", `rules: [{selector: {resourceTypes: [D]}, strategy: {op: replace, recreateFields: [spec.selector]}}]`),
			want: plan.Rules{
				KeepLegacy: true, Order: v1alpha1.GarbageCollectDependency,
				GarbageCollect: []v1alpha1.GarbageCollectRule{{Selector: kinds("Job"), Strategy: "never", Propagation: "orphan"}},
				ApplyOnce:      true,
				ApplyOnceRules: []v1alpha1.ApplyOnceRule{{
					Selector: kinds("Deployment"), Strategy: &v1alpha1.ApplyOnceStrategy{Path: []string{"spec.replicas"}, Affect: "onStateKeep"},
				}},
				TakeOver: []v1alpha1.ResourceSelector{kinds("A")},
				ReadOnly: []v1alpha1.ResourceSelector{kinds("B")},
				Shared:   []v1alpha1.ResourceSelector{kinds("C")},
				Update: []v1alpha1.ResourceUpdateRule{{
					Selector: kinds("D"), Strategy: v1alpha1.ResourceUpdateStrategy{Op: "replace", RecreateFields: []string{"spec.selector"}},
				}},
			},
		},
		"several of one kind are put together": {
			app: build.App("a").
				Policy("one", "take-over", `rules: [{selector: {resourceTypes: [A]}}]`).
				Policy("two", "take-over", `rules: [{selector: {resourceTypes: [B, C]}}]`).
				Policy("three", "garbage-collect", `{keepLegacyResource: false}`).
				Policy("four", "garbage-collect", `{keepLegacyResource: true}`),
			want: plan.Rules{TakeOver: []v1alpha1.ResourceSelector{kinds("A"), kinds("B", "C")}, KeepLegacy: true},
		},
		"apply-once that is not enabled says nothing": {
			app: build.App("a").Policy("once", "apply-once", `{enable: false, rules: [{selector: {resourceTypes: [A]}, strategy: {path: ["*"]}}]}`),
		},
		"words that do not exist are mistakes, all at once": {
			app: build.App("a").
				Policy("gc", "garbage-collect", `rules: [{selector: {resourceTypes: [A]}, strategy: onDelete}]`).
				Policy("how", "resource-update", `rules: [{selector: {resourceTypes: [A]}, strategy: {op: merge}}]`).
				Policy("own", "take-over", `rules: [{selector: {resourceType: [A]}}]`),
			wantErr: `spec.policies[0].properties.rules[0].strategy: policy "gc": expected one of "never", "onAppDelete", "onAppUpdate", got "onDelete"
spec.policies[1].properties.rules[0].strategy.op: policy "how": expected one of "patch", "replace", got "merge"
spec.policies[2].properties.rules[0].selector.resourceType: policy "own": type "take-over" has no such property (did you mean "resourceTypes"?)`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := policy.Rules(parse(t, tc.app).Policies)
			if text := fault.Message(err); text != tc.wantErr {
				t.Fatalf("Rules() error = %q, want %q", text, tc.wantErr)
			}
			if diff := cmp.Diff(tc.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("Rules() mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestComponentsAreChangedAndThenCopied(t *testing.T) {
	d := parse(t, build.App("a").Component("web", "webservice", "image: a").Component("db", "worker", "").
		Policy("copy", "replication", `{keys: [eu, us], selector: [web]}`).
		Policy("patch", "override", `components: [{name: web, properties: {image: b}}]`))
	got, err := policy.Components(d.Components, d.Policies, policy.Options{})
	if err != nil {
		t.Fatal(fault.Message(err))
	}
	image := map[string]any{"image": "b"}
	want := []blueprint.Component{
		{Name: "web", Type: "webservice", Properties: image, ReplicaKey: "eu"},
		{Name: "web", Type: "webservice", Properties: image, ReplicaKey: "us"},
		{Name: "db", Type: "worker"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreTypes(blueprint.Origin{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("Components() mismatch (-want +got):\n%s", diff)
	}
}

func TestReplicationNeedsDifferentKeys(t *testing.T) {
	cases := map[string]string{
		`{}`:                  `spec.policies[0].properties.keys: policy "p": expected at least one key`,
		`keys: [a, b, a]`:     `spec.policies[0].properties.keys[2]: policy "p": key "a" is there twice`,
		`keys: ["not a key"]`: `spec.policies[0].properties.keys[0]: policy "p": expected a short name of letters, digits and dashes, got "not a key"`,
	}
	for properties, want := range cases {
		t.Run(properties, func(t *testing.T) {
			d := parse(t, build.App("a").Component("web", "webservice", "").Policy("p", "replication", properties))
			_, err := policy.Components(d.Components, d.Policies, policy.Options{})
			if got := fault.Message(err); got != want {
				t.Errorf("Components() error = %q, want %q", got, want)
			}
		})
	}
}

func TestRevisionLimit(t *testing.T) {
	cases := map[string]struct {
		properties string
		want       int
		wantErr    string
	}{
		"the default without a word about it": {properties: "keepLegacyResource: true", want: 10},
		"zero is a limit":                     {properties: "applicationRevisionLimit: 0", want: 0},
		"a negative one is none": {
			properties: "applicationRevisionLimit: -1",
			wantErr:    `spec.policies[0].properties.applicationRevisionLimit: policy "p": expected a number that is not negative, got -1`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := policy.RevisionLimit(parse(t, build.App("a").Policy("p", "garbage-collect", tc.properties)).Policies, 10)
			if text := fault.Message(err); text != tc.wantErr || got != tc.want {
				t.Errorf("RevisionLimit() = %d, %q, want %d, %q", got, text, tc.want, tc.wantErr)
			}
		})
	}
}

func TestSelect(t *testing.T) {
	all := parse(t, build.App("a").Policy("one", "topology", "").Policy("two", "override", "")).Policies
	got, err := policy.Select(all, []string{"two", "one"})
	if err != nil || len(got) != 2 || got[0].Name != "two" || got[1].Name != "one" {
		t.Errorf("Select() = %v, %v, want two and one", got, err)
	}
	_, err = policy.Select(all, []string{"oen"})
	if text := fault.Message(err); text != `there is no policy "oen" (did you mean "one"?)` {
		t.Errorf("Select() error = %q", text)
	}
}
