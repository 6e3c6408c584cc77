package controller_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

const note = `
output: {apiVersion: "v1", kind: "ConfigMap", metadata: name: context.name, data: text: "%s"}
parameter: {}
`

// version gives the definition a version and a text.
func version(t *testing.T, c client.Client, def *v1beta1.ComponentDefinition, version, text string) {
	t.Helper()
	env.Eventually(t, "the definition is changed", func() (bool, error) {
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(def), def); err != nil {
			return false, err
		}
		def.Spec.Version = version
		def.Spec.Schematic.CUE.Template = strings.ReplaceAll(note, "%s", text)
		err := c.Update(t.Context(), def)
		return err == nil, err
	})
}

// says waits until the ConfigMap that the Application delivers has a text.
func says(t *testing.T, c client.Client, ns, name, text string) {
	t.Helper()
	cm := &corev1.ConfigMap{}
	env.Eventually(t, name+" says "+text, func() (bool, error) {
		err := c.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: name}, cm)
		return err == nil && cm.Data["text"] == text, client.IgnoreNotFound(err)
	})
}

// The versions of a definition: a whole one stays, a part of one follows the
// newest when the Application asks for updates, one that is not there yet is
// waited for, and a definition that breaks takes nobody down.
func TestVersions(t *testing.T) {
	t.Parallel()
	c, _ := start(t)
	ns := env.Namespace(t)
	def := build.ComponentDefinition("note", strings.ReplaceAll(note, "%s", "one"))
	def.Namespace, def.Spec.Version = ns, "1.0.0"
	if err := c.Create(t.Context(), def); err != nil {
		t.Fatal(err)
	}
	for _, app := range []*v1beta1.Application{
		build.App(ns+"/fixed").Component("fixed", "note@1.0.0", "").Object(),
		build.App(ns+"/following").Annotate("app.oam.dev/autoUpdate", "true").Component("following", "note@1", "").Object(),
		build.App(ns+"/waiting").Component("waiting", "note@v1.2", "").Object(),
	} {
		if err := c.Create(t.Context(), app); err != nil {
			t.Fatal(err)
		}
	}
	says(t, c, ns, "fixed", "one")
	says(t, c, ns, "following", "one")

	version(t, c, def, "1.2.0", "two")
	says(t, c, ns, "following", "two")
	says(t, c, ns, "waiting", "two")

	version(t, c, def, "1.3.0", `\(nothing)`)
	env.Eventually(t, "the definition says that it is broken", func() (bool, error) {
		err := c.Get(t.Context(), client.ObjectKeyFromObject(def), def)
		synced := v1beta1.FindCondition(def.Status.Conditions, v1beta1.ConditionSynced)
		return synced != nil && synced.Reason == v1beta1.ReasonInvalidDefinition, err
	})
	late := build.App(ns+"/late").Component("late", "note@1", "").Object()
	if err := c.Create(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	says(t, c, ns, "late", "two")
	says(t, c, ns, "fixed", "one")
	for _, name := range []string{"fixed", "following", "waiting", "late"} {
		app := &v1beta1.Application{}
		app.Namespace, app.Name = ns, name
		reaches(t, c, app, name+" runs", phase(v1beta1.ApplicationRunning))
	}
}
