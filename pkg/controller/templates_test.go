package controller_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// While it renders, a template may compute and read what is in the namespace of
// its Application, and nothing of anybody else.
func TestTemplatesReadOnlyInTheirOwnNamespace(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns, foreign := env.Namespace(t), env.Namespace(t)
	for _, where := range []string{ns, foreign} {
		env.Create(t, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: where, Name: "word"}, Data: map[string]string{"word": "of " + where}})
	}
	def := build.ComponentDefinition("reader", `import (
	"vela/base64"
	"vela/kube"
)

read: kube.#Get & {$params: resource: {apiVersion: "v1", kind: "ConfigMap", metadata: {name: "word", namespace: parameter.namespace}}}
text: base64.#Encode & {$params: read.$returns.data.word}
output: {apiVersion: "v1", kind: "ConfigMap", metadata: name: context.name, data: encoded: text.$returns}
parameter: namespace: string`)
	def.Namespace = ns
	env.Create(t, def)

	own := build.App(ns+"/own").Component("copy", "reader", `{"namespace":"`+ns+`"}`).Object()
	env.Create(t, own)
	reaches(t, hub, own, "running", phase(v1beta1.ApplicationRunning))
	if got := read(t, hub, ns, "copy").Data["encoded"]; got == "" {
		t.Error("the template computed nothing")
	}

	thief := build.App(ns+"/thief").Component("stolen", "reader", `{"namespace":"`+foreign+`"}`).Object()
	env.Create(t, thief)
	got := reaches(t, hub, thief, "refused", func(a *v1beta1.Application) bool {
		c := v1beta1.FindCondition(a.Status.Conditions, "Ready")
		return c != nil && strings.Contains(c.Message, "reads only in the namespace")
	})
	if msg := v1beta1.FindCondition(got.Status.Conditions, "Ready").Message; strings.Contains(msg, "of "+foreign) {
		t.Errorf("the message shows what was read: %s", msg)
	}
}
