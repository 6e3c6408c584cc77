package controller_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/oam"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

func scoped(s *v1beta1.PolicyDefinitionSpec) { s.Scope = v1beta1.PolicyScopeApplication }

func globally(s *v1beta1.PolicyDefinitionSpec) {
	s.Scope, s.Global = v1beta1.PolicyScopeApplication, true
}

// rename makes the objects of components say value.
func rename(value string) string {
	return fmt.Sprintf(`output: {
	labels: team: "a-team"
	ctx: tenant: "acme"
	components: [{
		name: "a"
		type: "k8s-objects"
		properties: objects: [{apiVersion: "v1", kind: "ConfigMap", metadata: name: "a", data: key: %q}]
	}]
}`, value)
}

func configMapValue(t *testing.T, c client.Client, ns string) string {
	t.Helper()
	return read(t, c, ns, "a").Data["key"]
}

// Invariant 4: what policies made is frozen. A changed policy definition changes
// nothing until the Application is changed or asks for it.
func TestPoliciesChangeApplications(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	def := policyType(ns, "all-of-us", rename("first"), globally)
	env.Create(t, def, policyType(ns, "broken", `output: labels: x: context.appLabels.missing`, globally))
	app := build.App(ns+"/shop").Component("a", "k8s-objects", configMap("a", "by the user")).Object()
	env.Create(t, app)
	got := reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	if v := configMapValue(t, hub, ns); v != "first" {
		t.Errorf("the object says %q, want what the policy made of it", v)
	}
	if got.Labels["team"] != "a-team" || read(t, hub, ns, "a").Labels["team"] != "a-team" {
		t.Errorf("label team of the Application = %q, of its object %q, want both from the policy", got.Labels["team"], read(t, hub, ns, "a").Labels["team"])
	}
	if diff := cmp.Diff(app.Spec.Components, got.Spec.Components); diff != "" {
		t.Errorf("the policy wrote into the specification of the user (-want +got):\n%s", diff)
	}
	status := map[string]string{}
	for _, p := range got.Status.AppliedApplicationPolicies {
		status[p.Name] = fmt.Sprintf("%s applied=%v error=%v spec=%v labels=%d ctx=%v", p.Source, p.Applied, p.Error, p.SpecModified, p.LabelsCount, p.HasContext)
	}
	if diff := cmp.Diff(map[string]string{
		"all-of-us": "global applied=true error=false spec=true labels=1 ctx=true",
		"broken":    "global applied=false error=true spec=false labels=0 ctx=false",
	}, status); diff != "" {
		t.Errorf("appliedApplicationPolicies (-want +got):\n%s", diff)
	}
	record := read(t, hub, ns, got.Status.ApplicationPoliciesConfigMap)
	if !strings.Contains(record.Data["001-all-of-us"], `"tenant": "acme"`) {
		t.Errorf("record %s = %v, want what each policy gave", record.Name, record.Data)
	}

	merge(t, hub, def, fmt.Sprintf(`{"spec":{"schematic":{"cue":{"template":%q}}}}`, rename("second")))
	merge(t, hub, app, `{"metadata":{"annotations":{"somebody.else/field":"x"}}}`)
	again := reaches(t, hub, app, "looked at again", func(a *v1beta1.Application) bool { return a.Annotations["somebody.else/field"] == "x" })
	if again.Status.LatestRevision.Name != "shop-v1" || configMapValue(t, hub, ns) != "first" {
		t.Errorf("revision %s, object %q: a changed definition alone changed what is delivered", again.Status.LatestRevision.Name, configMapValue(t, hub, ns))
	}

	merge(t, hub, app, fmt.Sprintf(`{"metadata":{"annotations":{%q:"true"}}}`, oam.AnnotationPolicyAutoRevision))
	reaches(t, hub, app, "following the definition", func(a *v1beta1.Application) bool {
		return a.Status.Phase == v1beta1.ApplicationRunning && a.Status.LatestRevision.Name == "shop-v2"
	})
	if v := configMapValue(t, hub, ns); v != "second" {
		t.Errorf("the object says %q, want second", v)
	}
	merge(t, hub, def, fmt.Sprintf(`{"spec":{"schematic":{"cue":{"template":%q}}}}`, rename("third")))
	reaches(t, hub, app, "following an event of the definition", func(a *v1beta1.Application) bool {
		return a.Status.Phase == v1beta1.ApplicationRunning && a.Status.LatestRevision.Name == "shop-v3"
	})
	if v := configMapValue(t, hub, ns); v != "third" {
		t.Errorf("the object says %q, want third", v)
	}
}

// One that the Application names and that fails stops the delivery until its
// definition is right.
func TestNamedPolicyFails(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	def := policyType(ns, "needs-tier", `output: labels: copy: context.appLabels.tier`, scoped)
	env.Create(t, def)
	app := build.App(ns+"/shop").Component("a", "k8s-objects", configMap("a", "1")).Policy("copy", "needs-tier", "").Object()
	env.Create(t, app)
	got := reaches(t, hub, app, "refused", phase(v1beta1.ApplicationRendering))
	c := v1beta1.FindCondition(got.Status.Conditions, v1beta1.ConditionParsed)
	if c == nil || !strings.Contains(c.Message, `spec.policies[0]: policy "copy"`) {
		t.Errorf("condition Parsed = %+v, want it to name the policy", c)
	}
	merge(t, hub, def, `{"spec":{"schematic":{"cue":{"template":"output: labels: copy: \"none\""}}}}`)
	reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	cm := &corev1.ConfigMap{}
	if err := hub.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "a"}, cm); err != nil || cm.Labels["copy"] != "none" {
		t.Errorf("labels of the object = %v, %v, want the one of the policy", cm.Labels, err)
	}
}

// Policies are called as users like.
func TestPolicyWithAnyName(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	env.Create(t, policyType(ns, "labels", `output: labels: a: "b"`, scoped))
	app := build.App(ns+"/named").Component("a", "k8s-objects", configMap("a", "1")).Policy("the labels!", "labels", "").Object()
	env.Create(t, app)
	got := reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	if record := read(t, hub, ns, got.Status.ApplicationPoliciesConfigMap); !strings.Contains(record.Data["001-the-labels-"], `"name": "the labels!"`) {
		t.Errorf("record = %v, want the policy", record.Data)
	}
}

// Invariant 3: a state that failed to render deletes nothing. A global policy that
// fails takes away nothing that it made.
func TestFailingGlobalPolicyDeletesNothing(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	def := policyType(ns, "adds", `output: components: context.appComponents + [{
	name: "b", type: "k8s-objects", properties: objects: [{apiVersion: "v1", kind: "ConfigMap", metadata: name: "b", data: key: "1"}]
}]`, globally)
	env.Create(t, def)
	app := build.App(ns+"/shop").Component("a", "k8s-objects", configMap("a", "1")).Object()
	env.Create(t, app)
	reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	before := read(t, hub, ns, "b")

	merge(t, hub, def, fmt.Sprintf(`{"spec":{"schematic":{"cue":{"template":%q}}}}`, `output: labels: x: context.appLabels.missing`))
	merge(t, hub, app, `{"spec":{"components":[{"name":"a","type":"k8s-objects","properties":{"objects":[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"key":"2"}}]}}]}}`)
	got := reaches(t, hub, app, "looked at", func(a *v1beta1.Application) bool {
		return a.Status.ObservedGeneration == a.Generation && a.Status.Phase != v1beta1.ApplicationRunning || configMapValue(t, hub, ns) == "2"
	})
	c := v1beta1.FindCondition(got.Status.Conditions, v1beta1.ConditionParsed)
	if c == nil || !strings.Contains(c.Message, `global policy "adds" fails`) {
		t.Errorf("condition Parsed = %+v, want it to name the policy", c)
	}
	if now := read(t, hub, ns, "b"); now.UID != before.UID || now.DeletionTimestamp != nil {
		t.Errorf("what the policy made is another object: %v, then %v", before.ObjectMeta, now.ObjectMeta)
	}

	if err := hub.Delete(t.Context(), def); err != nil { // then it is meant
		t.Fatal(err)
	}
	merge(t, hub, app, `{"metadata":{"labels":{"look":"again"}}}`)
	reaches(t, hub, app, "delivered without it", func(a *v1beta1.Application) bool {
		return a.Status.Phase == v1beta1.ApplicationRunning && configMapValue(t, hub, ns) == "2"
	})
}
