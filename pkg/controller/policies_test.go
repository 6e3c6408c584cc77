package controller_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/oam"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// policyType is a policy definition that belongs to one test.
func policyType(ns, name, template string, changes ...func(*v1beta1.PolicyDefinitionSpec)) *v1beta1.PolicyDefinition {
	def := build.PolicyDefinition(name, template)
	def.Namespace = ns
	for _, change := range changes {
		change(&def.Spec)
	}
	return def
}

func named(ns, name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}}
}

// merge changes obj as the JSON merge patch says.
func merge(t *testing.T, c client.Client, obj client.Object, patch string) {
	t.Helper()
	if err := c.Patch(t.Context(), obj, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
		t.Fatal(err)
	}
}

// givesConfigMap is a policy that gives an object about a component.
const givesConfigMap = `
parameter: value: string
output: {
	apiVersion: "v1"
	kind:       "ConfigMap"
	metadata: name: context.name
	data: value:    parameter.value
	data: workload: context.artifacts.a.workload.metadata.name
}
`

// What a policy gives is there before the workflow, is owned and repaired like
// everything else, follows the policy and goes with it.
func TestObjectsOfPolicies(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	env.Create(t, policyType(ns, "notes", givesConfigMap))
	app := build.App(ns+"/shop").Component("a", "k8s-objects", configMap("a", "1")).
		Policy("unified", "notes", "value: first").Step("hold", "suspend", "").Object()
	env.Create(t, app)
	held := reaches(t, hub, app, "waiting", phase(v1beta1.ApplicationWorkflowSuspending))
	if diff := cmp.Diff(map[string]string{"value": "first", "workload": "a"}, read(t, hub, ns, "unified").Data); diff != "" {
		t.Errorf("object of the policy while the workflow waits (-want +got):\n%s", diff)
	}
	want := []v1beta1.ClusterObjectReference{{Creator: "policy", ObjectReference: corev1.ObjectReference{
		APIVersion: "v1", Kind: "ConfigMap", Namespace: ns, Name: "unified",
	}}}
	if diff := cmp.Diff(want, held.Status.AppliedResources); diff != "" {
		t.Errorf("appliedResources (-want +got):\n%s", diff)
	}

	merge(t, hub, app, `{"spec":{"workflow":null,"policies":[{"name":"unified","type":"notes","properties":{"value":"second"}}]}}`)
	running := reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	if got := read(t, hub, ns, "unified").Data["value"]; got != "second" {
		t.Errorf("after an edit the object has the value %q, want second", got)
	}
	if len(running.Status.PolicyStatus) != 1 || string(running.Status.PolicyStatus[0].Status.Raw) != `{"healthy":true}` {
		t.Errorf("status.policy = %+v, want the policy healthy", running.Status.PolicyStatus)
	}

	cm := read(t, hub, ns, "unified")
	cm.Data["value"] = "by hand"
	if err := hub.Update(t.Context(), cm); err != nil {
		t.Fatal(err)
	}
	env.Eventually(t, "the drift to be repaired", func() (bool, error) {
		return read(t, hub, ns, "unified").Data["value"] == "second", nil
	})

	merge(t, hub, app, `{"spec":{"policies":null}}`)
	reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	env.EventuallyGone(t, named(ns, "unified"))
	if got := read(t, hub, ns, "a").Data["key"]; got != "1" {
		t.Errorf("the component lost its object with the policy: key = %q", got)
	}
}

// A policy whose object another Application has stops the delivery before the
// first step, and says what is in the way.
func TestPolicyThatCannotBeDelivered(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	env.Create(t, named(ns, "taken"), policyType(ns, "notes", givesConfigMap))
	app := build.App(ns+"/shop").Component("a", "k8s-objects", configMap("a", "1")).Policy("taken", "notes", "value: x").Object()
	env.Create(t, app)
	got := reaches(t, hub, app, "generating policies", phase(v1beta1.ApplicationGeneratingPolicy))
	c := v1beta1.FindCondition(got.Status.Conditions, v1beta1.ConditionPolicy)
	if c == nil || c.Reason != v1beta1.ReasonOwnedByOther || !strings.Contains(c.Message, `spec.policies[0]: policy "taken": local: ConfigMap`) {
		t.Errorf("condition Policy = %+v, want it to name the policy and the object", c)
	}
	if err := hub.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "a"}, &corev1.ConfigMap{}); !apierrors.IsNotFound(err) {
		t.Errorf("the component was delivered although its policy was not: %v", err)
	}
}

// A policy that manages the health of the Application decides alone.
func TestPolicyManagesHealth(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	env.Create(t, policyType(ns, "judge", givesConfigMap, func(s *v1beta1.PolicyDefinitionSpec) {
		s.ManageHealthCheck = true
		s.Status = &v1beta1.StatusRules{
			HealthPolicy: `isHealth: context.output.data.value == "good"`, CustomStatus: `message: "value " + context.output.data.value`,
		}
	}))
	app := build.App(ns+"/shop").Component("a", "k8s-objects", configMap("a", "1")).Policy("health-of-all", "judge", "value: good").Object()
	env.Create(t, app)
	reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	app.Spec.Policies[0].Properties = build.Raw("value: bad")
	edit(t, hub, app)
	got := reaches(t, hub, app, "unhealthy", phase(v1beta1.ApplicationUnhealthy))
	if len(got.Status.Services) != 1 || !got.Status.Services[0].Healthy {
		t.Errorf("services = %+v, want the component itself healthy", got.Status.Services)
	}
	if c := v1beta1.FindCondition(got.Status.Conditions, v1beta1.ConditionReady); c == nil || c.Message != "policy health-of-all: value bad" {
		t.Errorf("condition Ready = %+v, want what the policy says", c)
	}
}

// An Application with the deprecated env-binding policy runs as it did: each step
// delivers one environment, with its components, their changes and its place.
func TestEnvironments(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns, other := env.Namespace(t), env.Namespace(t)
	app := build.App(ns+"/shop").
		Component("a", "k8s-objects", configMap("a", "by the user")).Component("b", "k8s-objects", configMap("b", "by the user")).
		Policy("envs", "env-binding", `
envs:
  - name: test
    placement: {namespaceSelector: {name: `+other+`}}
    selector: {components: [b]}
  - name: prod
    created: false
    patch:
      components:
        - {name: a, type: k8s-objects, properties: `+configMap("a", "patched")+`}
`).
		Step("deploy-test", "deploy2env", "{policy: envs, env: test}").
		Step("deploy-prod", "deploy2env", "{policy: envs, env: prod, parallel: true}").Object()
	env.Create(t, app)
	got := reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	values := map[string]string{
		"test b": read(t, hub, other, "b").Data["key"], "prod a": read(t, hub, ns, "a").Data["key"], "prod b": read(t, hub, ns, "b").Data["key"],
	}
	if diff := cmp.Diff(map[string]string{"test b": "by the user", "prod a": "patched", "prod b": "by the user"}, values); diff != "" {
		t.Errorf("objects of the environments (-want +got):\n%s", diff)
	}
	if err := hub.Get(t.Context(), client.ObjectKey{Namespace: other, Name: "a"}, &corev1.ConfigMap{}); !apierrors.IsNotFound(err) {
		t.Errorf("the environment got a component that it does not select: %v", err)
	}
	envs := map[string]string{}
	for _, service := range got.Status.Services {
		envs[service.Namespace+"/"+service.Name] = service.Env
	}
	if diff := cmp.Diff(map[string]string{other + "/b": "test", ns + "/a": "prod", ns + "/b": "prod"}, envs); diff != "" {
		t.Errorf("environments of the services (-want +got):\n%s", diff)
	}
	want := `{"envs":[{"env":"test","placements":[{"cluster":"local","namespace":"` + other + `"}]},{"env":"prod","placements":[{"cluster":"local","namespace":"` + ns + `"}]}]}`
	if len(got.Status.PolicyStatus) != 1 || string(got.Status.PolicyStatus[0].Status.Raw) != want {
		t.Errorf("status.policy = %+v, want %s", got.Status.PolicyStatus, want)
	}
}

// An object that a policy and a component give differently would be written by
// both for ever.
func TestPolicyAndComponentGiveTheSame(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	env.Create(t, policyType(ns, "gives", `output: {apiVersion: "v1", kind: "ConfigMap", metadata: name: "a", data: key: "of the policy"}`))
	app := build.App(ns+"/twice").Component("a", "k8s-objects", configMap("a", "1")).Policy("mine", "gives", "").Object()
	env.Create(t, app)
	got := reaches(t, hub, app, "refused", func(a *v1beta1.Application) bool {
		return a.Status.Workflow != nil && len(a.Status.Workflow.Steps) > 0 && a.Status.Workflow.Steps[0].Message != ""
	})
	if m := got.Status.Workflow.Steps[0].Message; !strings.Contains(m, `policy "mine" and component "a" both give`) {
		t.Errorf("step says %q, want who gives the object", m)
	}
	if v := configMapValue(t, hub, ns); v != "of the policy" {
		t.Errorf("the object says %q, want it as the first has sent it", v)
	}
}

// Invariant 3: what a policy gives for a component whose inputs are not known is
// not known either, and nothing of it is taken for unwanted when a workflow begins
// anew and comes to its end in one pass.
func TestObjectsOfPoliciesOutliveRestarts(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	env.Create(t, policyType(ns, "each", `outputs: {for n, _ in context.artifacts {"\(n)": {apiVersion: "v1", kind: "ConfigMap", metadata: name: "of-\(n)"}}}`))
	app := build.App(ns+"/shop").Component("a", "k8s-objects", configMap("a", "1")).Component("b", "k8s-objects", configMap("b", "1")).
		Policy("each", "each", "").Step("one", "apply-component", `{"component":"a"}`).Step("two", "apply-component", `{"component":"b"}`).Object()
	app.Spec.Components[0].Outputs = []v1beta1.StepOutput{{Name: "v", ValueFrom: "output.data.key"}}
	app.Spec.Components[1].Inputs = []v1beta1.StepInput{{From: "v", ParameterKey: "objects[0].data.key"}}
	env.Create(t, app)
	first := reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	var before *corev1.ConfigMap
	env.Eventually(t, "the object of b", func() (bool, error) {
		before = &corev1.ConfigMap{}
		err := hub.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "of-b"}, before)
		return err == nil, client.IgnoreNotFound(err)
	})
	merge(t, hub, app, fmt.Sprintf(`{"metadata":{"annotations":{%q:"true"}}}`, oam.AnnotationRestartWorkflow))
	reaches(t, hub, app, "restarted", func(a *v1beta1.Application) bool {
		_, asked := a.Annotations[oam.AnnotationRestartWorkflow]
		return began(a).After(began(first)) && !asked && a.Status.Phase == v1beta1.ApplicationRunning
	})
	if now := read(t, hub, ns, "of-b"); now.UID != before.UID {
		t.Errorf("of-b is another object: it was deleted in between")
	}
}
