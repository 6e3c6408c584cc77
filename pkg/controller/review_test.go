package controller_test

import (
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/oam"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// amend changes an Application as a person would, again while it conflicts.
func amend(t *testing.T, c client.Client, app *v1beta1.Application, change func(*v1beta1.Application)) {
	t.Helper()
	got := &v1beta1.Application{}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(app), got); err != nil {
		t.Fatal(err)
	}
	before := got.DeepCopy()
	change(got)
	if err := c.Patch(t.Context(), got, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}

// visited lets the controller look at an Application again, by a drift of one of
// its ConfigMaps, and waits until that is repaired.
func visited(t *testing.T, c client.Client, ns, name string) {
	t.Helper()
	cm := read(t, c, ns, name)
	wanted := cm.Data["key"]
	cm.Data["key"] = "drift"
	if err := c.Update(t.Context(), cm); err != nil {
		t.Fatal(err)
	}
	env.Eventually(t, "the drift to be repaired", func() (bool, error) { return read(t, c, ns, name).Data["key"] == wanted, nil })
}

// A trait that waits for its workload is still wanted when the workload is not
// healthy any more.
func TestSweepSparesTraitsOfAnUnhealthyWorkload(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	def := build.TraitDefinition("after", `outputs: report: {
	apiVersion: "v1", kind: "ConfigMap", metadata: name: context.name
	data: ready: "\(context.output.status.readyReplicas)"
}
parameter: {}`, func(s *v1beta1.TraitDefinitionSpec) { s.Stage = v1beta1.TraitPostDispatch })
	def.Namespace = ns
	env.Create(t, def)
	app := build.App(ns+"/late").
		Component("web", "webservice", `{"image":"nobody/runs:this"}`).Trait("after", `{}`).
		Component("other", "k8s-objects", configMap("other", "1")).Object()
	env.Create(t, app)
	key := client.ObjectKey{Namespace: ns, Name: "web"}
	env.Eventually(t, "web to be ready", func() (bool, error) {
		err := hub.Get(t.Context(), key, &appsv1.Deployment{})
		if err != nil {
			return false, client.IgnoreNotFound(err)
		}
		return true, setReady(t, hub, key)
	})
	reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	uid := read(t, hub, ns, "web").UID

	d := &appsv1.Deployment{}
	if err := hub.Get(t.Context(), key, d); err != nil {
		t.Fatal(err)
	}
	d.Status.ReadyReplicas, d.Status.AvailableReplicas = 0, 0
	if err := hub.Status().Update(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	reaches(t, hub, app, "unhealthy", phase(v1beta1.ApplicationUnhealthy))
	visited(t, hub, ns, "other")
	if got := read(t, hub, ns, "web").UID; got != uid {
		t.Errorf("the object of the trait was replaced: %s, was %s", got, uid)
	}
}

// What a deploy step says inline counts as long as the step does, not only
// while it runs.
func TestInlinePoliciesOutliveTheStep(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	far := env.Cluster(t, member)
	ns := env.Namespace(t)
	far.Create(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})
	app := build.App(ns+"/inline").
		Component("a", "k8s-objects", configMap("a", "1")).
		Step("ship", "deploy", `{"policies":[],"inlinePolicies":[{"name":"far","type":"topology","properties":{"clusters":["staging"]}}]}`).Object()
	env.Create(t, app)
	reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	uid := read(t, far.Client(t), ns, "a").UID
	visited(t, far.Client(t), ns, "a")
	if got := read(t, far.Client(t), ns, "a").UID; got != uid {
		t.Errorf("the object was replaced: %s, was %s", got, uid)
	}
	if err := hub.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "a"}, &corev1.ConfigMap{}); !isNotFound(err) {
		t.Errorf("the hub got the object too: %v", err)
	}
}

func isNotFound(err error) bool { return err != nil && client.IgnoreNotFound(err) == nil }

// What a step puts out reaches the components of the next one in the same pass.
func TestOutputOfAStepReachesComponents(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	def := build.StepDefinition("speak", `word: "spoken"
parameter: {}`)
	def.Namespace = ns
	env.Create(t, def)
	app := build.App(ns+"/told").
		Component("a", "k8s-objects", configMap("a", "?")).
		With(func(c *v1beta1.ApplicationComponent) {
			c.Inputs = []v1beta1.StepInput{{From: "word", ParameterKey: "objects[0].data.key"}}
		}).
		Step("first", "speak", `{}`, func(s *v1beta1.WorkflowStep) {
			s.Outputs = []v1beta1.StepOutput{{Name: "word", ValueFrom: "word"}}
		}).
		Step("then", "deploy", `{}`).Object()
	env.Create(t, app)
	reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	if got := read(t, hub, ns, "a").Data["key"]; got != "spoken" {
		t.Errorf("the component got %q", got)
	}
	// Of the second revision everything is there: no event helps.
	amend(t, hub, app, func(a *v1beta1.Application) {
		metav1.SetMetaDataAnnotation(&a.ObjectMeta, oam.AnnotationPublishVersion, "v2")
	})
	reaches(t, hub, app, "running as v2", func(a *v1beta1.Application) bool {
		return phase(v1beta1.ApplicationRunning)(a) && a.Status.LatestRevision.Revision == 2
	})
}

// A value that becomes known without anything being written is no reason to wait
// for an event that nobody sends.
func TestKnownValueNeedsNoEvent(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	app := build.App(ns+"/chained").
		Component("first", "k8s-objects", configMap("first", "from the first")).
		With(func(c *v1beta1.ApplicationComponent) {
			c.Outputs = []v1beta1.StepOutput{{Name: "word", ValueFrom: "output.data.key"}}
		}).
		Component("second", "k8s-objects", `{"objects":[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"second"},"data":{"key":"?","version":"1"}}]}`).
		With(func(c *v1beta1.ApplicationComponent) {
			c.Inputs = []v1beta1.StepInput{{From: "word", ParameterKey: "objects[0].data.key"}}
		}).
		Step("all", "deploy", `{}`).Object()
	env.Create(t, app)
	reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	amend(t, hub, app, func(a *v1beta1.Application) {
		a.Spec.Components[1].Properties = build.Raw(strings.Replace(string(a.Spec.Components[1].Properties.Raw), `"version":"1"`, `"version":"2"`, 1))
	})
	reaches(t, hub, app, "running with the second version", func(a *v1beta1.Application) bool {
		return phase(v1beta1.ApplicationRunning)(a) && read(t, hub, ns, "second").Data["version"] == "2"
	})
}

// A condition that skips a step skips the delivery, not what was delivered.
func TestSkippedStepLeavesItsPlaceAsItIs(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns, second := env.Namespace(t), env.Namespace(t)
	app := build.App(ns+"/skipping").Annotate(oam.AnnotationPublishVersion, "v1").
		Component("a", "k8s-objects", configMap("a", "1")).
		Component("b", "k8s-objects", configMap("b", "1")).
		Policy("here", "topology", fmt.Sprintf(`{"namespace":%q}`, ns)).
		Policy("there", "topology", fmt.Sprintf(`{"namespace":%q}`, second)).
		Step("one", "deploy", `{"policies":["here"]}`).
		Step("two", "deploy", `{"policies":["there"]}`, func(s *v1beta1.WorkflowStep) {
			s.If = `context.publishVersion == "v1"`
		}).Object()
	env.Create(t, app)
	reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	uid := read(t, hub, second, "a").UID

	amend(t, hub, app, func(a *v1beta1.Application) {
		a.Annotations[oam.AnnotationPublishVersion] = "v2"
		a.Spec.Components = a.Spec.Components[:1]
	})
	env.EventuallyGone(t, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "b"}})
	env.EventuallyGone(t, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: second, Name: "b"}})
	reaches(t, hub, app, "running again", phase(v1beta1.ApplicationRunning))
	if got := read(t, hub, second, "a").UID; got != uid {
		t.Errorf("what the skipped step had delivered was replaced: %s, was %s", got, uid)
	}
}

// The policies of the moment of the deletion decide what goes, also when they
// were never delivered.
func TestDeletionFollowsTheNewestPolicies(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	app := build.App(ns+"/keeper").Component("a", "k8s-objects", configMap("a", "1")).Object()
	env.Create(t, app)
	reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))

	amend(t, hub, app, func(a *v1beta1.Application) {
		metav1.SetMetaDataLabel(&a.ObjectMeta, oam.LabelControllerPause, "true")
		a.Spec.Policies = []v1beta1.AppPolicy{{Name: "gc", Type: "garbage-collect", Properties: build.Raw(
			`{"rules":[{"selector":{"componentNames":["a"]},"strategy":"never"}]}`)}}
	})
	if err := hub.Delete(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	amend(t, hub, app, func(a *v1beta1.Application) { delete(a.Labels, oam.LabelControllerPause) })
	env.EventuallyGone(t, app)
	read(t, hub, ns, "a")
}

// A cluster that is away holds up no other, and its objects are not healthy.
func TestClusterThatIsAwayHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	far := env.Cluster(t, member)
	ns := env.Namespace(t)
	far.Create(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})
	secret := &corev1.Secret{}
	if err := hub.Get(t.Context(), client.ObjectKey{Namespace: oam.SystemNamespace, Name: member}, secret); err != nil {
		t.Fatal(err)
	}
	gone := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: ns, Namespace: oam.SystemNamespace, Labels: secret.Labels},
		Data:       secret.Data,
	}
	env.Create(t, gone)
	app := build.App(ns+"/wide").
		Component("a", "k8s-objects", configMap("a", "1")).
		Policy("both", "topology", fmt.Sprintf(`{"clusters":[%q,"local"]}`, ns)).Object()
	env.Create(t, app)
	reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))

	before := gone.DeepCopy()
	gone.Data["endpoint"] = []byte("https://127.0.0.1:1")
	if err := hub.Patch(t.Context(), gone, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	visited(t, hub, ns, "a")
	got := reaches(t, hub, app, "unhealthy", phase(v1beta1.ApplicationUnhealthy))
	for _, s := range got.Status.Services {
		if s.Healthy != (s.Cluster != ns) {
			t.Errorf("%s on %q is healthy: %v, %s", s.Name, s.Cluster, s.Healthy, s.Message)
		}
	}
	if ready := v1beta1.FindCondition(got.Status.Conditions, "Ready"); !strings.Contains(ready.Message, "cannot be reached") {
		t.Errorf("Ready says %q", ready.Message)
	}
	restored := gone.DeepCopy()
	restored.Data["endpoint"] = secret.Data["endpoint"]
	if err := hub.Patch(t.Context(), restored, client.MergeFrom(gone)); err != nil {
		t.Fatal(err)
	}
	reaches(t, hub, app, "running again", phase(v1beta1.ApplicationRunning))
}

// Who waits for a value that never comes learns it.
func TestValueThatNothingPutsOut(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	app := build.App(ns+"/hoping").
		Component("a", "k8s-objects", configMap("a", "?")).
		With(func(c *v1beta1.ApplicationComponent) {
			c.Inputs = []v1beta1.StepInput{{From: "wrod", ParameterKey: "objects[0].data.key"}}
		}).
		Step("all", "deploy", `{}`).Object()
	env.Create(t, app)
	reaches(t, hub, app, "saying what it waits for", func(a *v1beta1.Application) bool {
		return a.Status.Workflow != nil && a.Status.Workflow.Steps[0].Message == `waits for a (it needs the value "wrod", which nothing declares as an output)`
	})
}
