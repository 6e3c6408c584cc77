package controller_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	cuev1alpha1 "github.com/seed-c5f95f19/vela/apis/cue.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// A Package can be imported as soon as it is there, an Application that waits for
// it goes on by itself, and a Package that is wrong says so on itself and breaks
// nobody who does not import it.
func TestPackages(t *testing.T) {
	t.Parallel()
	hub, seen := start(t)
	ns := env.Namespace(t)
	path := "ext/" + ns // of the cluster, so that no other test imports it
	def := build.ComponentDefinition("greeter", `import words "`+path+`"
output: {apiVersion: "v1", kind: "ConfigMap", metadata: name: context.name, data: word: (words.#Greeting & {who: parameter.who}).text}
parameter: who: string`)
	def.Namespace = ns
	env.Create(t, def)
	app := build.App(ns+"/app").Component("hello", "greeter", `{"who":"you"}`).Object()
	env.Create(t, app)
	got := reaches(t, hub, app, "waiting for the package", func(a *v1beta1.Application) bool {
		c := v1beta1.FindCondition(a.Status.Conditions, "Ready")
		return c != nil && strings.Contains(c.Message, "does not exist here")
	})
	env.Eventually(t, "the definition says what it lacks", func() (bool, error) {
		err := hub.Get(t.Context(), client.ObjectKeyFromObject(def), def)
		c := v1beta1.FindCondition(def.Status.Conditions, v1beta1.ConditionSynced)
		return c != nil && c.Status == metav1.ConditionFalse && strings.Contains(c.Message, path), err
	})
	if got.Status.Phase == v1beta1.ApplicationRunning {
		t.Fatal("runs without its package")
	}

	broken := &cuev1alpha1.Package{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "broken"},
		Spec:       cuev1alpha1.PackageSpec{Path: path + "-broken", Templates: map[string]string{"a": "#X: nobody"}},
	}
	env.Create(t, broken)
	env.Create(t, &cuev1alpha1.Package{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "words"},
		Spec: cuev1alpha1.PackageSpec{Path: path, Templates: map[string]string{
			"words.cue": "package words\n#Greeting: {who: string, text: \"hello \\(who)\"}",
		}},
	})
	reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	env.Eventually(t, "the definition compiles", func() (bool, error) {
		err := hub.Get(t.Context(), client.ObjectKeyFromObject(def), def)
		c := v1beta1.FindCondition(def.Status.Conditions, v1beta1.ConditionSynced)
		return c != nil && c.Status == metav1.ConditionTrue, err
	})
	if word := read(t, hub, ns, "hello").Data["word"]; word != "hello you" {
		t.Errorf("word = %q", word)
	}
	env.Eventually(t, "the event of the broken package", func() (bool, error) {
		events := &corev1.EventList{}
		err := hub.List(t.Context(), events, client.InNamespace(ns))
		for _, e := range events.Items {
			if e.InvolvedObject.Kind == cuev1alpha1.PackageKind && e.InvolvedObject.Name == broken.Name {
				return e.Reason == "InvalidPackage" && strings.Contains(e.Message, "nobody"), err
			}
		}
		return false, err
	})
	for _, request := range seen.about("/packages") {
		if !strings.Contains(request, "limit=") { // the one that fills the cache
			t.Errorf("the server was asked: %s", request)
		}
	}
}
