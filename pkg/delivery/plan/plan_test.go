package plan_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
)

var me = inventory.Owner{Namespace: "shop", Name: "store", UID: "u1"}

// object reads an object from YAML.
func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	obj := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &obj); err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	return &unstructured.Unstructured{Object: obj}
}

// wanted returns a manifest of component web in cluster prod with our labels.
func wanted(t *testing.T, text string) manifest.Manifest {
	t.Helper()
	m := manifest.New("prod", labelled(object(t, text), me))
	m.Component, m.ComponentType = "web", "webservice"
	return m
}

func labelled(obj *unstructured.Unstructured, owner inventory.Owner) *unstructured.Unstructured {
	labels := obj.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels["app.oam.dev/name"], labels["app.oam.dev/namespace"] = owner.Name, owner.Namespace
	obj.SetLabels(labels)
	return obj
}

// live returns an object as the server has it after m was applied.
func live(t *testing.T, m manifest.Manifest, text string, owner inventory.Owner) plan.Live {
	t.Helper()
	obj := object(t, text)
	if owner.Name != "" {
		labelled(obj, owner)
	}
	obj.SetUID("live-uid")
	obj.SetResourceVersion("7")
	if owner == me {
		obj.SetAnnotations(merge(obj.GetAnnotations(), plan.AnnotationAppliedDigest, m.Digest()))
	}
	return plan.Live{Object: obj, Known: true}
}

func merge(m map[string]string, key, value string) map[string]string {
	out := map[string]string{key: value}
	for k, v := range m {
		out[k] = v
	}
	return out
}

func configMap(name, value string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: shop}\ndata: {k: %q}\n", name, value)
}

// an outcome is what a test says about a plan.
type outcome struct {
	Apply  []string // action name
	Change []plan.Change
	Delete []string // name, with how
	Keep   []string // name: reason
	Forget []string
	Refuse []string // name: reason
}

func outcomeOf(p plan.Plan) outcome {
	var o outcome
	for _, a := range p.Applies {
		o.Apply = append(o.Apply, string(a.Action)+" "+a.Manifest.Key.Name)
		o.Change = append(o.Change, a.Changes...)
	}
	for _, d := range p.Deletes {
		how := d.Entry.Key.Name
		if d.Orphan {
			how += " orphan"
		}
		if d.Release != nil {
			how += " release"
		}
		o.Delete = append(o.Delete, how)
	}
	for _, k := range p.Keeps {
		o.Keep = append(o.Keep, k.Key.Name+": "+k.Reason)
	}
	for _, f := range p.Forgets {
		o.Forget = append(o.Forget, f.Key.Name+": "+f.Reason)
	}
	for _, r := range p.Refusals {
		o.Refuse = append(o.Refuse, r.Key.Name+": "+r.Reason)
	}
	return o
}

func selects(kind string) []v1alpha1.ResourceSelector {
	return []v1alpha1.ResourceSelector{{ResourceTypes: []string{kind}}}
}

func TestComputeDecidesByWhatIsLive(t *testing.T) {
	other := inventory.Owner{Namespace: "bank", Name: "vault"}
	m := wanted(t, configMap("a", "1"))
	absent := plan.Live{Known: true}
	shared := live(t, m, configMap("a", "1"), other)
	shared.Object.SetAnnotations(map[string]string{"app.oam.dev/shared-by": "bank/vault,shop/store"})
	terminating := live(t, m, configMap("a", "1"), me)
	terminating.Object.Object["metadata"].(map[string]any)["deletionTimestamp"] = "2026-01-01T00:00:00Z"
	owned := inventory.Of(inventory.OfManifest(m))

	cases := map[string]struct {
		live   plan.Live
		owned  inventory.Inventory
		rules  plan.Rules
		repair bool
		want   outcome
	}{
		"what does not exist is created": {
			live: absent, want: outcome{Apply: []string{"create a"}},
		},
		"what is as wanted is left unchanged": {
			live: live(t, m, configMap("a", "1"), me), want: outcome{Apply: []string{"unchanged a"}},
		},
		"a field with another value is changed": {
			live: live(t, m, configMap("a", "0"), me),
			want: outcome{Apply: []string{"update a"}, Change: []plan.Change{{Path: "data.k", From: "0", To: "1"}}},
		},
		"an object without owner is refused": {
			live: live(t, m, configMap("a", "1"), inventory.Owner{}),
			want: outcome{Refuse: []string{"a: it exists and belongs to no Application; a take-over policy would adopt it"}},
		},
		"take-over adopts an object without owner": {
			live:  live(t, m, configMap("a", "1"), inventory.Owner{}),
			rules: plan.Rules{TakeOver: selects("ConfigMap")},
			want: outcome{Apply: []string{"adopt a"}, Change: []plan.Change{
				{Path: "metadata.labels", To: map[string]any{"app.oam.dev/name": "store", "app.oam.dev/namespace": "shop"}},
			}},
		},
		"an object that lost its labels is ours when the inventory lists it": {
			live: live(t, m, configMap("a", "1"), inventory.Owner{}), owned: owned,
			want: outcome{Apply: []string{"update a"}, Change: []plan.Change{
				{Path: "metadata.labels", To: map[string]any{"app.oam.dev/name": "store", "app.oam.dev/namespace": "shop"}},
			}},
		},
		"an object of another Application is refused by its name": {
			live: live(t, m, configMap("a", "1"), other), owned: owned,
			want: outcome{Refuse: []string{`a: it belongs to Application "bank/vault"`}},
		},
		"take-over does not take from another Application": {
			live: live(t, m, configMap("a", "1"), other), rules: plan.Rules{TakeOver: selects("ConfigMap")},
			want: outcome{Refuse: []string{`a: it belongs to Application "bank/vault"`}},
		},
		"a shared object of another Application is shared": {
			live: live(t, m, configMap("a", "9"), other), rules: plan.Rules{Shared: selects("ConfigMap")},
			want: outcome{Apply: []string{"share a"}},
		},
		"an object that is shared already is not touched": {
			live: shared, rules: plan.Rules{Shared: selects("ConfigMap")},
			want: outcome{Apply: []string{"unchanged a"}},
		},
		"a cluster that is away refuses with its reason": {
			live: plan.Live{Reason: `cluster "prod" cannot be reached`},
			want: outcome{Refuse: []string{`a: cluster "prod" cannot be reached`}},
		},
		"what the server refused is refused": {
			live: plan.Live{Known: true, Refused: "admission webhook says no"},
			want: outcome{Refuse: []string{"a: admission webhook says no"}},
		},
		"whose it is counts more than what the server refused": {
			live: plan.Live{Known: true, Refused: "field is immutable", Object: live(t, m, configMap("a", "1"), other).Object},
			want: outcome{Refuse: []string{`a: it belongs to Application "bank/vault"`}},
		},
		"what is being deleted is waited for": {
			live: terminating,
			want: outcome{Refuse: []string{"a: it is being deleted; it is created again when it is gone"}},
		},
		"a read-only object is kept": {
			live: live(t, m, configMap("a", "0"), other), rules: plan.Rules{ReadOnly: selects("ConfigMap")},
			want: outcome{Keep: []string{"a: " + plan.KeepReadOnly}},
		},
		"a read-only object that does not exist is refused": {
			live: absent, rules: plan.Rules{ReadOnly: selects("ConfigMap")},
			want: outcome{Refuse: []string{"a: a read-only policy selects it, but it does not exist"}},
		},
		"apply-once does not repair": {
			live: live(t, m, configMap("a", "0"), me), owned: owned, rules: plan.Rules{ApplyOnce: true}, repair: true,
			want: outcome{Keep: []string{"a: " + plan.KeepApplyOnce}},
		},
		"apply-once does not create again what was deleted by hand": {
			live: absent, owned: owned, rules: plan.Rules{ApplyOnce: true}, repair: true,
			want: outcome{Keep: []string{"a: " + plan.KeepApplyOnce}},
		},
		"apply-once applies what is published": {
			live: live(t, m, configMap("a", "0"), me), owned: owned, rules: plan.Rules{ApplyOnce: true},
			want: outcome{Apply: []string{"update a"}, Change: []plan.Change{{Path: "data.k", From: "0", To: "1"}}},
		},
		"apply-once of a path leaves that field to the cluster": {
			live: live(t, m, configMap("a", "0"), me), owned: owned, repair: true,
			rules: plan.Rules{ApplyOnceRules: []v1alpha1.ApplyOnceRule{{
				Selector: selects("ConfigMap")[0], Strategy: &v1alpha1.ApplyOnceStrategy{Path: []string{"data.k"}},
			}}},
			want: outcome{Apply: []string{"unchanged a"}},
		},
		"apply-once on repair does not hold back an update": {
			live: live(t, m, configMap("a", "0"), me), owned: owned,
			rules: plan.Rules{ApplyOnceRules: []v1alpha1.ApplyOnceRule{{
				Selector: selects("ConfigMap")[0],
				Strategy: &v1alpha1.ApplyOnceStrategy{Path: []string{"*"}, Affect: v1alpha1.ApplyOnceOnStateKeep},
			}}},
			want: outcome{Apply: []string{"update a"}, Change: []plan.Change{{Path: "data.k", From: "0", To: "1"}}},
		},
		"a recreate field makes a new object": {
			live: live(t, m, configMap("a", "0"), me),
			rules: plan.Rules{Update: []v1alpha1.ResourceUpdateRule{{
				Selector: selects("ConfigMap")[0], Strategy: v1alpha1.ResourceUpdateStrategy{RecreateFields: []string{"data.k"}},
			}}},
			want: outcome{Apply: []string{"recreate a"}, Change: []plan.Change{{Path: "data.k", From: "0", To: "1"}}},
		},
		"a selector without fields selects nothing": {
			live: absent, rules: plan.Rules{ReadOnly: []v1alpha1.ResourceSelector{{}}},
			want: outcome{Apply: []string{"create a"}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := plan.Compute(plan.Input{
				Owner: me, Desired: []manifest.Manifest{m}, Owned: tc.owned,
				Live: map[manifest.Key]plan.Live{m.Key: tc.live}, Rules: tc.rules, Repair: tc.repair,
			})
			if diff := cmp.Diff(tc.want, outcomeOf(got), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("Compute(...) mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestComputeSharesByAddingItself(t *testing.T) {
	m := wanted(t, configMap("a", "1"))
	l := live(t, m, configMap("a", "1"), inventory.Owner{Namespace: "bank", Name: "vault"})
	l.Object.SetAnnotations(map[string]string{"app.oam.dev/shared-by": "bank/vault"})
	got := plan.Compute(plan.Input{
		Owner: me, Desired: []manifest.Manifest{m}, Live: map[manifest.Key]plan.Live{m.Key: l},
		Rules: plan.Rules{Shared: selects("ConfigMap")},
	})
	want := &plan.Metadata{Annotations: map[string]string{"app.oam.dev/shared-by": "bank/vault,shop/store"}}
	if diff := cmp.Diff(want, got.Applies[0].Patch); diff != "" {
		t.Errorf("patch of a share (-want +got):\n%s", diff)
	}
}

func TestComputeOrdersWhatOthersNeedFirst(t *testing.T) {
	part := func(kind, apiVersion, name, trait string, stage manifest.Stage) manifest.Manifest {
		m := wanted(t, fmt.Sprintf("apiVersion: %s\nkind: %s\nmetadata: {name: %s}", apiVersion, kind, name))
		m.Trait, m.Stage = trait, stage
		if trait != "" {
			m.Output = trait
		}
		return m
	}
	desired := []manifest.Manifest{
		part("Ingress", "networking.k8s.io/v1", "ingress", "gateway", ""),
		part("Deployment", "apps/v1", "deployment", "", ""),
		part("ConfigMap", "v1", "check", "post", manifest.PostDispatch),
		part("ConfigMap", "v1", "config", "", ""),
		part("CustomResourceDefinition", "apiextensions.k8s.io/v1", "crd", "", ""),
		part("Job", "batch/v1", "migrate", "pre", manifest.PreDispatch),
		part("Namespace", "v1", "namespace", "", ""),
	}
	all := map[manifest.Key]plan.Live{}
	for _, m := range desired {
		all[m.Key] = plan.Live{Known: true}
	}
	p := plan.Compute(plan.Input{Owner: me, Desired: desired, Live: all})
	want := []string{
		"create migrate", "create namespace", "create crd", "create config", "create deployment", "create ingress", "create check",
	}
	if diff := cmp.Diff(want, outcomeOf(p).Apply); diff != "" {
		t.Errorf("order of sending (-want +got):\n%s", diff)
	}
	want = []string{"create migrate"}
	if diff := cmp.Diff(want, outcomeOf(p.Through(manifest.PreDispatch)).Apply); diff != "" {
		t.Errorf("Through(PreDispatch) (-want +got):\n%s", diff)
	}
}

func TestComputeRefusesOneObjectFromTwoComponents(t *testing.T) {
	a, b := wanted(t, configMap("a", "1")), wanted(t, configMap("a", "2"))
	b.Component = "api"
	p := plan.Compute(plan.Input{
		Owner: me, Desired: []manifest.Manifest{a, b}, Live: map[manifest.Key]plan.Live{a.Key: {Known: true}},
	})
	want := []plan.Refusal{{
		Key: a.Key, Component: "api", Code: v1beta1.ReasonDuplicateOutput,
		Reason: `components "web" and "api" both want it`,
	}}
	if diff := cmp.Diff(want, p.Refusals); diff != "" {
		t.Errorf("refusals (-want +got):\n%s", diff)
	}
}

func TestSweep(t *testing.T) {
	other := inventory.Owner{Namespace: "bank", Name: "vault"}
	a, b := wanted(t, configMap("a", "1")), wanted(t, configMap("b", "1"))
	ns := manifest.New("prod", labelled(object(t, "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}"), me))
	crd := manifest.New("prod", labelled(object(t,
		"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.com}"), me))
	thing := manifest.New("prod", labelled(object(t, "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t, namespace: else}"), me))
	there := func(m manifest.Manifest) plan.Live { return plan.Live{Known: true, Object: withUID(m.Object)} }
	sharedByUs := plan.Live{Known: true, Object: labelled(withUID(a.Object), other)}
	sharedByUs.Object.SetAnnotations(map[string]string{"app.oam.dev/shared-by": "bank/vault,shop/store"})
	sharedByOthers := plan.Live{Known: true, Object: withUID(a.Object)}
	sharedByOthers.Object.SetAnnotations(map[string]string{"app.oam.dev/shared-by": "shop/store,bank/vault"})

	cases := map[string]struct {
		desired    []manifest.Manifest
		owned      []manifest.Manifest
		live       map[manifest.Key]plan.Live
		rules      plan.Rules
		incomplete bool
		final      bool
		want       outcome
	}{
		"what is not wanted is deleted": {
			desired: []manifest.Manifest{b}, owned: []manifest.Manifest{a, b},
			live: map[manifest.Key]plan.Live{a.Key: there(a), b.Key: there(b)},
			want: outcome{Delete: []string{"a"}},
		},
		"a workflow that has not finished deletes nothing": {
			incomplete: true, owned: []manifest.Manifest{a}, live: map[manifest.Key]plan.Live{a.Key: there(a)},
		},
		"the last owned goes first": {
			owned: []manifest.Manifest{a, b}, live: map[manifest.Key]plan.Live{a.Key: there(a), b.Key: there(b)},
			want: outcome{Delete: []string{"b", "a"}},
		},
		"what is gone is forgotten": {
			owned: []manifest.Manifest{a}, live: map[manifest.Key]plan.Live{a.Key: {Known: true}},
			want: outcome{Forget: []string{"a: it does not exist any more"}},
		},
		"an object that another Application took is forgotten": {
			owned: []manifest.Manifest{a}, live: map[manifest.Key]plan.Live{a.Key: {Known: true, Object: labelled(withUID(a.Object), other)}},
			want: outcome{Forget: []string{`a: it belongs to Application "bank/vault" now`}},
		},
		"an object without our labels is forgotten": {
			owned: []manifest.Manifest{a},
			live:  map[manifest.Key]plan.Live{a.Key: {Known: true, Object: object(t, configMap("a", "1"))}},
			want:  outcome{Forget: []string{"a: it carries no label of an Application any more"}},
		},
		"an object in a cluster that is away stays owned": {
			owned: []manifest.Manifest{a}, live: map[manifest.Key]plan.Live{a.Key: {Reason: "away"}},
			want: outcome{Keep: []string{"a: away"}},
		},
		"an object in a cluster that was detached is forgotten": {
			owned: []manifest.Manifest{a}, live: map[manifest.Key]plan.Live{a.Key: {Detached: true}},
			want: outcome{Forget: []string{`a: cluster "prod" is not joined any more`}},
		},
		"onAppDelete keeps until the end": {
			owned: []manifest.Manifest{a}, live: map[manifest.Key]plan.Live{a.Key: there(a)},
			rules: gc(v1alpha1.GarbageCollectOnAppDelete, ""),
			want:  outcome{Keep: []string{"a: a garbage-collect policy keeps it until the Application is deleted"}},
		},
		"onAppDelete deletes at the end": {
			final: true, owned: []manifest.Manifest{a}, live: map[manifest.Key]plan.Live{a.Key: there(a)},
			rules: gc(v1alpha1.GarbageCollectOnAppDelete, ""), want: outcome{Delete: []string{"a"}},
		},
		"keepLegacyResource keeps until the end": {
			owned: []manifest.Manifest{a}, live: map[manifest.Key]plan.Live{a.Key: there(a)},
			rules: plan.Rules{KeepLegacy: true},
			want:  outcome{Keep: []string{"a: a garbage-collect policy keeps it until the Application is deleted"}},
		},
		"never gives the object away": {
			final: true, owned: []manifest.Manifest{a}, live: map[manifest.Key]plan.Live{a.Key: there(a)},
			rules: gc(v1alpha1.GarbageCollectNever, ""), want: outcome{Delete: []string{"a release"}},
		},
		"propagation orphan leaves dependents": {
			owned: []manifest.Manifest{a}, live: map[manifest.Key]plan.Live{a.Key: there(a)},
			rules: gc("", v1alpha1.GarbageCollectOrphan), want: outcome{Delete: []string{"a orphan"}},
		},
		"a shared object of another Application loses only our name": {
			owned: []manifest.Manifest{a}, live: map[manifest.Key]plan.Live{a.Key: sharedByUs},
			want: outcome{Delete: []string{"a release"}},
		},
		"our object that others share is handed over": {
			owned: []manifest.Manifest{a}, live: map[manifest.Key]plan.Live{a.Key: sharedByOthers},
			want: outcome{Delete: []string{"a release"}},
		},
		"a namespace that holds what is wanted stays": {
			desired: []manifest.Manifest{a}, owned: []manifest.Manifest{ns, a},
			live: map[manifest.Key]plan.Live{ns.Key: there(ns), a.Key: there(a)},
			want: outcome{Keep: []string{"shop: it holds prod: ConfigMap shop/a, which is wanted"}},
		},
		"a kind of which something is wanted stays": {
			desired: []manifest.Manifest{thing}, owned: []manifest.Manifest{crd, thing},
			live: map[manifest.Key]plan.Live{crd.Key: there(crd), thing.Key: there(thing)},
			want: outcome{Keep: []string{"things.example.com: it may define prod: Thing.example.com else/t, which is wanted"}},
		},
		"what others need goes last": {
			owned: []manifest.Manifest{crd, ns, a}, final: true,
			live: map[manifest.Key]plan.Live{ns.Key: there(ns), a.Key: there(a), crd.Key: there(crd)},
			want: outcome{Delete: []string{"a", "things.example.com", "shop"}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			in := plan.Input{Owner: me, Desired: tc.desired, Live: tc.live, Rules: tc.rules, Complete: !tc.incomplete}
			for _, m := range tc.owned {
				in.Owned = in.Owned.Upsert(inventory.OfManifest(m))
			}
			got := plan.Sweep(in)
			if tc.final {
				got = plan.Teardown(in)
			}
			if diff := cmp.Diff(tc.want, outcomeOf(got), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("sweep mismatch (-want +got):\n%s", diff)
			}
			for _, d := range got.Deletes {
				if d.UID == "" {
					t.Errorf("delete of %s has no UID precondition", d.Entry.Key)
				}
			}
		})
	}
}

func gc(strategy v1alpha1.GarbageCollectStrategy, propagation v1alpha1.GarbageCollectPropagation) plan.Rules {
	return plan.Rules{GarbageCollect: []v1alpha1.GarbageCollectRule{{
		Selector: selects("ConfigMap")[0], Strategy: strategy, Propagation: propagation,
	}}}
}

func withUID(obj *unstructured.Unstructured) *unstructured.Unstructured {
	out := obj.DeepCopy()
	out.SetUID(types.UID("uid-" + obj.GetName()))
	return out
}

func TestSweepHandsOverToTheNextSharer(t *testing.T) {
	a := wanted(t, configMap("a", "1"))
	obj := withUID(a.Object)
	obj.SetAnnotations(map[string]string{"app.oam.dev/shared-by": "shop/store,bank/vault,bank/till"})
	p := plan.Teardown(plan.Input{
		Owner: me, Owned: inventory.Of(inventory.OfManifest(a)),
		Live: map[manifest.Key]plan.Live{a.Key: {Known: true, Object: obj}},
	})
	want := &plan.Metadata{
		Labels:      map[string]string{"app.oam.dev/name": "vault", "app.oam.dev/namespace": "bank"},
		Annotations: map[string]string{"app.oam.dev/shared-by": "bank/vault,bank/till", plan.AnnotationAppliedDigest: ""},
	}
	if diff := cmp.Diff(want, p.Deletes[0].Release); diff != "" {
		t.Errorf("release (-want +got):\n%s", diff)
	}
}

func TestSweepInOrderOfDependencies(t *testing.T) {
	web, db := wanted(t, configMap("web", "1")), wanted(t, configMap("db", "1"))
	db.Component = "db"
	in := plan.Input{
		Owner: me, Complete: true, Rules: plan.Rules{Order: v1alpha1.GarbageCollectDependency},
		Owned:     inventory.Of(inventory.OfManifest(web), inventory.OfManifest(db)),
		DependsOn: map[string][]string{"web": {"db"}},
		Live: map[manifest.Key]plan.Live{
			web.Key: {Known: true, Object: withUID(web.Object)}, db.Key: {Known: true, Object: withUID(db.Object)},
		},
	}
	want := outcome{Delete: []string{"web"}, Keep: []string{`db: it waits for component "web", which depends on it`}}
	if diff := cmp.Diff(want, outcomeOf(plan.Sweep(in)), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("while the dependant is there (-want +got):\n%s", diff)
	}
	in.Live[web.Key] = plan.Live{Known: true}
	want = outcome{Delete: []string{"db"}, Forget: []string{"web: it does not exist any more"}}
	if diff := cmp.Diff(want, outcomeOf(plan.Sweep(in)), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("when the dependant is gone (-want +got):\n%s", diff)
	}
}
