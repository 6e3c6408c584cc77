package controller_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// A component that refers to an object copies it as it was when the Application
// was resolved: later changes come with the next edit.
func TestReferredObjectsAreCopiedAsTheyWere(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	far := env.Cluster(t, member)
	ns := env.Namespace(t)
	far.Create(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})
	source := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "settings", Namespace: ns, Labels: map[string]string{"of": "shop"}}, Data: map[string]string{"key": "old"}}
	env.Create(t, source)
	app := build.App(ns+"/copy").
		Component("a", "ref-objects", `{"objects":[{"resource":"configmaps","labelSelector":{"of":"shop"}}]}`).
		Policy("far", "topology", `{"clusters":["staging"]}`).
		Step("ship", "deploy", `{"policies":["far"]}`).Object()
	env.Create(t, app)
	reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	if diff := cmp.Diff(map[string]string{"key": "old"}, read(t, far.Client(t), ns, "settings").Data); diff != "" {
		t.Errorf("the copy (-want +got):\n%s", diff)
	}

	source.Data["key"] = "new"
	if err := hub.Update(t.Context(), source); err != nil {
		t.Fatal(err)
	}
	drifted := read(t, far.Client(t), ns, "settings")
	drifted.Data["key"] = "by hand"
	if err := far.Client(t).Update(t.Context(), drifted); err != nil {
		t.Fatal(err)
	}
	env.Eventually(t, "the copy to be repaired from what was frozen", func() (bool, error) {
		return read(t, far.Client(t), ns, "settings").Data["key"] == "old", nil
	})

	if err := hub.Get(t.Context(), client.ObjectKeyFromObject(app), app); err != nil {
		t.Fatal(err)
	}
	app.Spec.Workflow.Steps[0].Name = "ship-again"
	edit(t, hub, app)
	env.Eventually(t, "the copy to follow with the next edit", func() (bool, error) {
		return read(t, far.Client(t), ns, "settings").Data["key"] == "new", nil
	})
}

// An Application reads with the rights of the control plane, so it reads only
// where its user is at home.
func TestReferredObjectsOfOtherNamespacesAreRefused(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns, other := env.Namespace(t), env.Namespace(t)
	env.Create(t, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s", Namespace: other}, StringData: map[string]string{"k": "v"}})
	for name, object := range map[string]string{
		"far-away":   `{"objects":[{"resource":"secret","name":"s","namespace":"` + other + `"}]}`,
		"every-role": `{"objects":[{"resource":"clusterroles","group":"rbac.authorization.k8s.io","name":"cluster-admin"}]}`,
	} {
		app := build.App(ns+"/"+name).Component("a", "ref-objects", object).Object()
		env.Create(t, app)
		reaches(t, hub, app, "a refusal", func(app *v1beta1.Application) bool {
			c := v1beta1.FindCondition(app.Status.Conditions, v1beta1.ConditionParsed)
			return c != nil && c.Reason == v1beta1.ReasonForbidden
		})
	}
}
