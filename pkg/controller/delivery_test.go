package controller_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/status"
	"github.com/seed-c5f95f19/vela/pkg/oam"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
)

// configMap is a component that is healthy as soon as it exists.
func configMap(name, value string) string {
	return fmt.Sprintf(`{"objects":[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":%q},"data":{"key":%q}}]}`, name, value)
}

func read(t *testing.T, c client.Client, ns, name string) *corev1.ConfigMap {
	t.Helper()
	cm := &corev1.ConfigMap{}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: name}, cm); err != nil {
		t.Fatal(err)
	}
	return cm
}

// Invariant 8: nothing changed, nothing written.
func TestAtRestNothingIsWritten(t *testing.T) {
	t.Parallel()
	hub, seen := start(t)
	ns := env.Namespace(t)
	app := build.App(ns+"/rest").Component("a", "k8s-objects", configMap("a", "1")).Object()
	env.Create(t, app)
	reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	env.Eventually(t, "the event of the delivery, which is written behind our back", func() (bool, error) {
		events := &corev1.EventList{}
		return hub.List(t.Context(), events, client.InNamespace(ns)) == nil && len(events.Items) > 0, nil
	})
	before := seen.about(ns)

	// An event that changes nothing that is wanted: somebody else's field.
	cm := read(t, hub, ns, "a")
	patch := client.MergeFrom(cm.DeepCopy())
	metav1.SetMetaDataAnnotation(&cm.ObjectMeta, "somebody.else/field", "x")
	if err := hub.Patch(t.Context(), cm, patch); err != nil {
		t.Fatal(err)
	}
	// A second Application delivered after the event proves that the queue has moved on.
	elsewhere := env.Namespace(t)
	other := build.App(elsewhere+"/other").Component("b", "k8s-objects", configMap("b", "1")).Object()
	env.Create(t, other)
	reaches(t, hub, other, "running", phase(v1beta1.ApplicationRunning))
	if diff := cmp.Diff([]string{}, seen.about(ns)[len(before):]); diff != "" {
		t.Errorf("an Application at rest sends requests (-want +got):\n%s", diff)
	}
	if got := read(t, hub, ns, "a").Annotations["somebody.else/field"]; got != "x" {
		t.Errorf("a field of another manager is %q, want it left alone", got)
	}
}

func TestDriftIsRepaired(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	app := build.App(ns+"/drift").Component("a", "k8s-objects", configMap("a", "wanted")).Object()
	env.Create(t, app)
	reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))

	cm := read(t, hub, ns, "a")
	cm.Data["key"] = "changed by hand"
	if err := hub.Update(t.Context(), cm); err != nil {
		t.Fatal(err)
	}
	env.Eventually(t, "the field to be put back", func() (bool, error) {
		return read(t, hub, ns, "a").Data["key"] == "wanted", nil
	})
	if err := hub.Delete(t.Context(), cm); err != nil {
		t.Fatal(err)
	}
	env.Eventually(t, "the object to be created again", func() (bool, error) {
		err := hub.Get(t.Context(), client.ObjectKeyFromObject(cm), &corev1.ConfigMap{})
		return err == nil, client.IgnoreNotFound(err)
	})
}

func TestWhatIsNotWantedAnyMoreGoes(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	app := build.App(ns+"/less").
		Component("a", "k8s-objects", configMap("a", "1")).
		Component("b", "k8s-objects", configMap("b", "1")).Object()
	env.Create(t, app)
	got := reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	got.Spec.Components = got.Spec.Components[:1]
	edit(t, hub, got)
	env.EventuallyGone(t, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "b"}})
	reaches(t, hub, app, "running again", phase(v1beta1.ApplicationRunning))
	read(t, hub, ns, "a")

	if err := hub.Delete(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	env.EventuallyGone(t, app)
	env.EventuallyGone(t, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "a"}})
	left := &v1beta1.ResourceTrackerList{}
	if err := hub.List(t.Context(), left, client.MatchingLabels{oam.LabelAppNamespace: ns}); err != nil || len(left.Items) > 0 {
		t.Errorf("%d trackers are left, %v", len(left.Items), err)
	}
}

// The approval is bound to the plan: what drifts while it waits voids it.
func TestApprovalIsBoundToThePlan(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	far := env.Cluster(t, member)
	ns := env.Namespace(t)
	far.Create(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})
	app := build.App(ns+"/gated").
		Component("a", "k8s-objects", configMap("a", "1")).
		Policy("far", "topology", `{"clusters":["staging"]}`).
		Step("ship", "deploy", `{"auto":false,"policies":["far"]}`).Object()
	env.Create(t, app)
	waiting := reaches(t, hub, app, "suspended", phase(v1beta1.ApplicationWorkflowSuspending))
	shown := waiting.Status.Workflow.Steps[0].Plan
	if shown == nil || shown.Digest == "" {
		t.Fatalf("the step shows no plan: %+v", waiting.Status.Workflow.Steps[0])
	}
	err := far.Client(t).Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "a"}, &corev1.ConfigMap{})
	if !apierrors.IsNotFound(err) {
		t.Fatalf("before the approval the object is there: %v", err)
	}

	// The old digest is refused after the wanted state has changed.
	waiting.Spec.Components[0].Properties = build.Raw(configMap("a", "2"))
	edit(t, hub, waiting)
	again := reaches(t, hub, app, "suspended with a new plan", func(a *v1beta1.Application) bool {
		wf := a.Status.Workflow
		return phase(v1beta1.ApplicationWorkflowSuspending)(a) && wf.Steps[0].Plan != nil && wf.Steps[0].Plan.Digest != shown.Digest
	})
	progress := status.ToProgress(again.Status.Workflow)
	if _, err := workflow.Resume(progress, "", workflow.Approver{Name: "ann", Digest: shown.Digest}, time.Now()); err == nil {
		t.Error("the digest of the old plan is accepted")
	}

	// An approval of what is shown executes exactly that.
	resume(t, hub, again, again.Status.Workflow.Steps[0].Plan.Digest)
	reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	cm := &corev1.ConfigMap{}
	if err := far.Client(t).Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "a"}, cm); err != nil || cm.Data["key"] != "2" {
		t.Errorf("delivered %v, %v; want what was approved", cm.Data, err)
	}
}

// The target drifts between the approval and the execution: nothing is sent.
func TestDriftVoidsAnApproval(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	app := build.App(ns+"/drifting").
		Component("a", "k8s-objects", configMap("a", "1")).
		Step("ship", "deploy", `{"auto":false}`).Object()
	env.Create(t, app)
	first := reaches(t, hub, app, "suspended", phase(v1beta1.ApplicationWorkflowSuspending))

	// Somebody takes the name while the approval is given.
	env.Create(t, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "a"}, Data: map[string]string{"key": "mine"}})
	resume(t, hub, first, first.Status.Workflow.Steps[0].Plan.Digest)
	reaches(t, hub, app, "refused", func(a *v1beta1.Application) bool {
		return strings.Contains(a.Status.Workflow.Steps[0].Message, "belongs to no Application")
	})
	if got := read(t, hub, ns, "a").Data["key"]; got != "mine" {
		t.Errorf("the object of somebody else has become %q", got)
	}
}

// resume is what vela workflow resume does.
func resume(t *testing.T, c client.Client, app *v1beta1.Application, digest string) {
	t.Helper()
	next, err := workflow.Resume(status.ToProgress(app.Status.Workflow), "", workflow.Approver{Name: "ann", Digest: digest}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	before := app.DeepCopy()
	wf := status.FromProgress(next)
	wf.AppRevision, wf.ContextBackend = before.Status.Workflow.AppRevision, before.Status.Workflow.ContextBackend
	app.Status.Workflow = wf
	if err := c.Status().Patch(t.Context(), app, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}

func TestDependenciesAndValuesBetweenComponents(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	app := build.App(ns+"/chain").
		Component("first", "k8s-objects", configMap("first", "from the first")).
		With(func(c *v1beta1.ApplicationComponent) {
			c.Outputs = []v1beta1.StepOutput{{Name: "word", ValueFrom: "output.data.key"}}
		}).
		Component("second", "k8s-objects", configMap("second", "?")).
		With(func(c *v1beta1.ApplicationComponent) {
			c.Inputs = []v1beta1.StepInput{{From: "word", ParameterKey: "objects[0].data.key"}}
		}).
		Step("all", "deploy", `{}`).Object()
	env.Create(t, app)
	reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	if got := read(t, hub, ns, "second").Data["key"]; got != "from the first" {
		t.Errorf("the second component got %q", got)
	}
}
