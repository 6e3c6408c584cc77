package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
)

func deployment(spec string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec:\n" +
		"  " + strings.ReplaceAll(strings.TrimSpace(spec), "\n", "\n  ")
}

// changes returns what Compute sees between a wanted and a live object of which
// this very content was applied before.
func changes(t *testing.T, want, have string) []plan.Change {
	t.Helper()
	m := wanted(t, want)
	l := live(t, m, have, me)
	p := plan.Compute(plan.Input{Owner: me, Desired: []manifest.Manifest{m}, Live: map[manifest.Key]plan.Live{m.Key: l}})
	if len(p.Applies) != 1 {
		t.Fatalf("Compute(...) = %+v, want one apply", p)
	}
	return p.Applies[0].Changes
}

func TestChangesNameTheField(t *testing.T) {
	cases := map[string]struct {
		want, have string
		changes    []plan.Change
	}{
		"an image, in the container of that name": {
			want:    deployment("template: {spec: {containers: [{name: web, image: 'nginx:2'}]}}"),
			have:    deployment("template: {spec: {containers: [{name: proxy, image: envoy}, {name: web, image: 'nginx:1', terminationMessagePath: /dev}]}}"),
			changes: []plan.Change{{Path: "spec.template.spec.containers[web].image", From: "nginx:1", To: "nginx:2"}},
		},
		"a container that is new": {
			want: deployment("template: {spec: {containers: [{name: web}, {name: log, image: fluent}]}}"),
			have: deployment("template: {spec: {containers: [{name: web}]}}"),
			changes: []plan.Change{{
				Path: "spec.template.spec.containers[log]", To: map[string]any{"name": "log", "image": "fluent"},
			}},
		},
		"a number": {
			want: deployment("replicas: 3"), have: deployment("replicas: 2"),
			changes: []plan.Change{{Path: "spec.replicas", From: int64(2), To: int64(3)}},
		},
		"a variable": {
			want:    deployment("template: {spec: {containers: [{name: web, env: [{name: MODE, value: fast}, {name: LANG, value: en}]}]}}"),
			have:    deployment("template: {spec: {containers: [{name: web, env: [{name: LANG, value: en}, {name: MODE, value: slow}]}]}}"),
			changes: []plan.Change{{Path: "spec.template.spec.containers[web].env[MODE].value", From: "slow", To: "fast"}},
		},
		"arguments, as a whole": {
			want: deployment("template: {spec: {containers: [{name: web, args: [a, b]}]}}"),
			have: deployment("template: {spec: {containers: [{name: web, args: [a]}]}}"),
			changes: []plan.Change{{
				Path: "spec.template.spec.containers[web].args", From: []any{"a"}, To: []any{"a", "b"},
			}},
		},
		"an annotation with dots, even without a value": {
			want:    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop, annotations: {a.b/c: ''}}",
			have:    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}",
			changes: []plan.Change{{Path: "metadata.annotations[a.b/c]", To: ""}},
		},
		"a port by its number and protocol": {
			want: "apiVersion: v1\nkind: Service\nmetadata: {name: dns, namespace: shop}\nspec: {ports: [{port: 53, protocol: UDP, targetPort: 5353}, {port: 53, targetPort: 53}]}",
			have: "apiVersion: v1\nkind: Service\nmetadata: {name: dns, namespace: shop}\nspec: {ports: [{port: 53, protocol: TCP, targetPort: 53}, {port: 53, protocol: UDP, targetPort: 53}]}",
			changes: []plan.Change{
				{Path: "spec.ports[53/UDP].targetPort", From: int64(53), To: int64(5353)},
			},
		},
		"lists of a kind that Kubernetes does not know, by position": {
			want:    "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t, namespace: shop}\nspec: {containers: [{name: a, x: 1}]}",
			have:    "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t, namespace: shop}\nspec: {containers: [{name: b, x: 1}]}",
			changes: []plan.Change{{Path: "spec.containers[0].name", From: "b", To: "a"}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := changes(t, tc.want, tc.have)
			if diff := cmp.Diff(tc.changes, got, cmpopts.EquateEmpty(), sameNumbers()); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

// sameNumbers lets YAML's numbers equal Go's.
func sameNumbers() cmp.Option {
	return cmp.FilterValues(func(a, b any) bool {
		_, aok := asFloat(a)
		_, bok := asFloat(b)
		return aok && bok
	}, cmp.Comparer(func(a, b any) bool {
		x, _ := asFloat(a)
		y, _ := asFloat(b)
		return x == y
	}))
}

func asFloat(v any) (float64, bool) {
	switch n := v.(type) {
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

func TestWhatTheServerNormalisesIsNoChange(t *testing.T) {
	cases := map[string]struct{ want, have string }{
		"a quantity in another notation": {
			want: deployment("template: {spec: {containers: [{name: web, resources: {limits: {cpu: 0.5, memory: 1024Mi}}}]}}"),
			have: deployment("template: {spec: {containers: [{name: web, resources: {limits: {cpu: 500m, memory: 1Gi}}}]}}"),
		},
		"a field that others set": {
			want: deployment("replicas: 1"), have: deployment("replicas: 1\nparused: true\nstrategy: {type: RollingUpdate}"),
		},
		"an empty map and an empty list that are not stored": {
			want: deployment("replicas: 1\ntemplate: {metadata: {annotations: {}}, spec: {tolerations: []}}"),
			have: deployment("replicas: 1\ntemplate: {spec: {}}"),
		},
		"null": {
			want: deployment("replicas: 1\npaused: null"), have: deployment("replicas: 1"),
		},
		"a zero value that is not stored": {
			want: deployment("replicas: 1\npaused: false\nminReadySeconds: 0"), have: deployment("replicas: 1"),
		},
		"a whole number with a fraction of zero": {
			want: deployment("replicas: 1.0"), have: deployment("replicas: 1"),
		},
		"a port as text": {
			want: "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: shop}\nspec: {ports: [{port: 80, targetPort: '8080'}]}",
			have: "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: shop}\nspec: {ports: [{port: 80, targetPort: 8080, protocol: TCP}]}",
		},
		"the plain form of a Secret": {
			want: "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\nstringData: {pw: hunter2}",
			have: "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\ndata: {pw: aHVudGVyMg==}\ntype: Opaque",
		},
		"a status": {
			want: deployment("replicas: 1") + "\nstatus: {replicas: 9}", have: deployment("replicas: 1"),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := changes(t, tc.want, tc.have); len(got) > 0 {
				t.Errorf("changes = %v, want none", got)
			}
		})
	}
}

func TestValuesThatOnlyLookAlikeAreChanges(t *testing.T) {
	cases := map[string]struct{ want, have string }{
		"text that reads like a quantity": {
			want: configMap("a", "1000m"), have: configMap("a", "1"),
		},
		"the version 1.10 and 1.1": {
			want: configMap("a", "1.10"), have: configMap("a", "1.1"),
		},
		"a port of a variable": {
			want: deployment("template: {spec: {containers: [{name: web, env: [{name: P, value: '1k'}]}]}}"),
			have: deployment("template: {spec: {containers: [{name: web, env: [{name: P, value: '1000'}]}]}}"),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := changes(t, tc.want, tc.have); len(got) != 1 {
				t.Errorf("changes = %v, want one", got)
			}
		})
	}
}

func TestFieldsDroppedSinceTheLastApplyAreAnUpdate(t *testing.T) {
	m := wanted(t, deployment("replicas: 1"))
	l := live(t, m, deployment("replicas: 1\npaused: true"), me)
	l.Object.SetAnnotations(map[string]string{plan.AnnotationAppliedDigest: "of an older manifest with paused"})
	p := plan.Compute(plan.Input{Owner: me, Desired: []manifest.Manifest{m}, Live: map[manifest.Key]plan.Live{m.Key: l}})
	want := outcome{Apply: []string{"update web"}, Change: []plan.Change{{Path: plan.FieldsDropped}}}
	if diff := cmp.Diff(want, outcomeOf(p), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("Compute(...) mismatch (-want +got):\n%s", diff)
	}
}

func TestZeroValuesAreNamedOnlyWhenNothingElseChanged(t *testing.T) {
	cases := map[string]struct {
		have string
		want []plan.Change
	}{
		"beside another change they are noise": {
			have: deployment("replicas: 1"), want: []plan.Change{{Path: "spec.replicas", From: int64(1), To: int64(2)}},
		},
		"alone they are the change": {
			have: deployment("replicas: 2"), want: []plan.Change{{Path: "spec.paused", To: false}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := wanted(t, deployment("replicas: 2\npaused: false"))
			l := live(t, m, tc.have, me)
			l.Object.SetAnnotations(map[string]string{plan.AnnotationAppliedDigest: "of an older manifest"})
			p := plan.Compute(plan.Input{Owner: me, Desired: []manifest.Manifest{m}, Live: map[manifest.Key]plan.Live{m.Key: l}})
			if diff := cmp.Diff(tc.want, p.Applies[0].Changes, sameNumbers()); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatTheServerAnsweredIsLearnt(t *testing.T) {
	m := wanted(t, deployment("template: {spec: {containers: [{name: web, image: nginx}]}}"))
	l := live(t, m, deployment("template: {spec: {containers: [{name: web, image: 'mirror.local/nginx'}]}}"), me)
	compute := func() []string {
		p := plan.Compute(plan.Input{Owner: me, Desired: []manifest.Manifest{m}, Live: map[manifest.Key]plan.Live{m.Key: l}})
		return outcomeOf(p).Apply
	}
	if diff := cmp.Diff([]string{"update web"}, compute()); diff != "" {
		t.Errorf("before the answer (-want +got):\n%s", diff)
	}
	l.Converged = true
	if diff := cmp.Diff([]string{"unchanged web"}, compute()); diff != "" {
		t.Errorf("when the server answered so (-want +got):\n%s", diff)
	}
}

func TestProjectionIgnoresWhatOthersOwn(t *testing.T) {
	want := object(t, deployment("replicas: 1\ntemplate: {spec: {containers: [{name: web, image: a}]}}"))
	before := object(t, deployment("replicas: 1\ntemplate: {spec: {containers: [{name: web, image: a}]}}"))
	after := object(t, deployment("replicas: 1\npaused: true\ntemplate: {spec: {containers: [{name: x}, {name: web, image: a, tty: true}]}}")+"\nstatus: {replicas: 1}")
	drifted := object(t, deployment("replicas: 1\ntemplate: {spec: {containers: [{name: web, image: b}]}}"))
	if plan.Projection(want, before) != plan.Projection(want, after) {
		t.Errorf("a field that is not wanted changed the projection")
	}
	if plan.Projection(want, before) == plan.Projection(want, drifted) {
		t.Errorf("a field that is wanted did not change the projection")
	}
}
