package controller_test

import (
	"cmp"
	"os"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue/worker"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

func TestMain(m *testing.M) {
	worker.Main()
	os.Exit(m.Run())
}

// Definitions in one namespace that overflow the stack, loop and grow concern
// nobody else: they say so themselves, and work once they are corrected.
func TestHostileDefinitionsHarmNobodyElse(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	evil, good := env.Namespace(t), env.Namespace(t)
	const object = "\noutput: {apiVersion: \"v1\", kind: \"ConfigMap\", metadata: name: context.name, data: a: \"\\(_a)\"}\n"
	texts := map[string]string{
		"overflow": "#D: {[string]: >=1, b: {if parameter.d != _|_ {c: 1}}}\n_a: len(#D)\nparameter: d?: int" + object,
		"loop":     "import \"list\"\n_l: list.Range(0, 2000, 1)\n_a: len([for a in _l for b in _l for c in _l {a + b + c}])" + object,
		"grow":     "import \"strings\"\n_b: strings.Repeat(\"x\", 100000)\n_a: len([for i in _n for j in _n for k in _n {_b + \"\\(i)\\(j)\\(k)\"}])\n_n: [for i in strings.Split(strings.Repeat(\"a,\", 500), \",\") {i}]" + object,
	}
	// This one behaves until somebody uses it.
	texts["late"] = "import \"list\"\n_l: list.Range(0, parameter.many, 1)\n_a: len([for a in _l for b in _l for c in _l {a + b + c}])\nparameter: many: int" + object
	properties := map[string]string{"late": `{many: 3000}`}
	apps := map[string]*v1beta1.Application{}
	for name, text := range texts {
		def := build.ComponentDefinition(name, text)
		def.Namespace = evil
		env.Create(t, def)
		apps[name] = build.App(evil+"/"+name).Component(name, name, cmp.Or(properties[name], `{}`)).Object()
		env.Create(t, apps[name])
	}

	def := build.ComponentDefinition("honest", "import \"regexp\"\n_a: regexp.Match(\"^w\", context.name)"+object)
	def.Namespace = good
	env.Create(t, def)
	app := build.App(good+"/app").Component("web", "honest", `{}`).Object()
	env.Create(t, app)
	reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))

	for name, app := range apps {
		reaches(t, hub, app, name+" says that its definition is not evaluated", func(a *v1beta1.Application) bool {
			c := v1beta1.FindCondition(a.Status.Conditions, "Ready")
			return c != nil && strings.Contains(c.Message, "is not evaluated any more until its text changes: the evaluation ")
		})
		env.Eventually(t, name+" says so itself", func() (bool, error) {
			def := &v1beta1.ComponentDefinition{}
			err := hub.Get(t.Context(), client.ObjectKey{Namespace: evil, Name: name}, def)
			c := v1beta1.FindCondition(def.Status.Conditions, v1beta1.ConditionSynced)
			return c != nil && c.Status == metav1.ConditionFalse && strings.Contains(c.Message, "is not evaluated any more"), err
		})
		correct(t, hub, evil, name, "_a: 1"+object)
	}
	// Its revision exists, so it follows the definition with its next change.
	merge(t, hub, apps["late"], `{"spec":{"components":[{"name":"late","type":"late","properties":{"many":1}}]}}`)
	for name, app := range apps {
		reaches(t, hub, app, name+" runs with the corrected definition", phase(v1beta1.ApplicationRunning))
	}
}

// correct gives a definition another template.
func correct(t *testing.T, hub client.Client, namespace, name, text string) {
	t.Helper()
	env.Eventually(t, "the definition is corrected", func() (bool, error) {
		def := &v1beta1.ComponentDefinition{}
		if err := hub.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, def); err != nil {
			return false, err
		}
		def.Spec.Schematic.CUE.Template = text
		err := hub.Update(t.Context(), def)
		return err == nil, client.IgnoreNotFound(err)
	})
}
