package controller_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// A trait of the stage PreDispatch comes first and has to be healthy, then the
// workload, then traits of the stage PostDispatch with what the live workload
// says, also those that could be rendered without.
func TestStagesFollowEachOther(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	stage := func(s v1beta1.TraitStage) func(*v1beta1.TraitDefinitionSpec) {
		return func(spec *v1beta1.TraitDefinitionSpec) { spec.Stage = s }
	}
	before := build.TraitDefinition("before", `outputs: gate: {apiVersion: "apps/v1", kind: "Deployment", metadata: name: "gate", spec: {
	selector: matchLabels: a: "b"
	template: {metadata: labels: a: "b", spec: containers: [{name: "c", image: "nobody/runs:this"}]}
}}
parameter: {}`, stage(v1beta1.TraitPreDispatch))
	after := build.TraitDefinition("after", `outputs: report: {apiVersion: "v1", kind: "ConfigMap", metadata: name: "report", data: {
	name: context.output.metadata.name
	if context.output.status.readyReplicas != _|_ {ready: "\(context.output.status.readyReplicas)"}
}}
parameter: {}`, stage(v1beta1.TraitPostDispatch))
	for _, def := range []*v1beta1.TraitDefinition{before, after} {
		def.Namespace = ns
		env.Create(t, def)
	}
	app := build.App(ns+"/stages").Component("web", "webservice", `{"image":"nobody/runs:this"}`).
		Trait("after", `{}`).Trait("before", `{}`).Object()
	env.Create(t, app)
	gate, web := client.ObjectKey{Namespace: ns, Name: "gate"}, client.ObjectKey{Namespace: ns, Name: "web"}
	there := func(key client.ObjectKey) {
		t.Helper()
		env.Eventually(t, key.Name+" to be ready", func() (bool, error) {
			if err := hub.Get(t.Context(), key, &appsv1.Deployment{}); err != nil {
				return false, client.IgnoreNotFound(err)
			}
			return true, setReady(t, hub, key)
		})
	}
	absent := func(object client.Object, name string) {
		t.Helper()
		if err := hub.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: name}, object); !apierrors.IsNotFound(err) {
			t.Errorf("%s is there too early: %v", name, err)
		}
	}
	traits := func(app *v1beta1.Application) map[string]v1beta1.ApplicationTraitStatus {
		out := map[string]v1beta1.ApplicationTraitStatus{}
		for _, s := range app.Status.Services {
			for _, t := range s.Traits {
				out[t.Type] = t
			}
		}
		return out
	}

	got := reaches(t, hub, app, "pending", func(app *v1beta1.Application) bool { return traits(app)["after"].Pending })
	if want := "⏳ Waiting for component to be healthy"; traits(got)["after"].Message != want {
		t.Errorf("a pending trait says %q, want %q", traits(got)["after"].Message, want)
	}
	absent(&appsv1.Deployment{}, "web")
	there(gate)
	env.Eventually(t, "web", func() (bool, error) {
		err := hub.Get(t.Context(), web, &appsv1.Deployment{})
		return err == nil, client.IgnoreNotFound(err)
	})
	absent(&corev1.ConfigMap{}, "report")
	there(web)
	got = reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	if traits(got)["after"].Pending {
		t.Error("the trait is still pending")
	}
	if data := read(t, hub, ns, "report").Data; data["ready"] != "1" {
		t.Errorf("the report says %v, want the ready replicas of the live workload", data)
	}
}
