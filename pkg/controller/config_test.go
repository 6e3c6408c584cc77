package controller_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// Steps make a config by a template, hand on what is in it, and delete it.
func TestStepsUseConfigs(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	env.Create(t, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "config-template-site"},
		Data: map[string]string{"template": `
metadata: {name: "site"}
template: {
	output: {apiVersion: "v1", kind: "Secret", stringData: host: "\(parameter.city).example.com"}
	parameter: city: string
}`},
	})
	app := build.App(ns+"/app").Component("none", "k8s-objects", `{"objects":[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"none"}}]}`).
		Step("create", "create-config", `{"name":"home","template":"`+ns+`/site","config":{"city":"rome"}}`).
		Step("create-other", "create-config", `{"name":"other","config":{"a":1}}`).
		Step("delete", "delete-config", `{"name":"other"}`).
		Step("read", "read-config", `{"name":"home"}`, func(s *v1beta1.WorkflowStep) {
			s.Outputs = []v1beta1.StepOutput{{Name: "city", ValueFrom: "output.$returns.config.city"}}
		}).Object()
	env.Create(t, app)
	reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	secret := &corev1.Secret{}
	if err := hub.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "home"}, secret); err != nil || string(secret.Data["host"]) != "rome.example.com" {
		t.Errorf("host = %q (%v)", secret.Data["host"], err)
	}
	if err := hub.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "other"}, secret); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("the deleted config is there: %v", err)
	}
	values := &corev1.ConfigMap{}
	if err := hub.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "workflow-app-context"}, values); err != nil || values.Data["vars"] != `{"city":"rome"}` {
		t.Errorf("values = %s (%v)", values.Data["vars"], err)
	}
}
