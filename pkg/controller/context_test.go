package controller_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/oam"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// prints is a ConfigMap that holds all of `context`.
func prints(name string) string {
	return `{apiVersion: "v1", kind: "ConfigMap", metadata: name: ` + name + `, data: printed: json.Marshal(context)}`
}

// column is what templates of one kind see: the table of the contract (2.2), and
// what we add to it.
type column struct {
	fields string
	values map[string]any // some of them
}

// Every field of `context` is there for every kind of template that can have it,
// and no other.
func TestContextOfEveryTemplate(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	component := build.ComponentDefinition("prints", "import \"encoding/json\"\nparameter: config?: string\noutput: "+prints("context.name"))
	component.Spec.Status = &v1beta1.StatusRules{CustomStatus: "import \"encoding/json\"\nmessage: json.Marshal(context)"}
	trait := build.TraitDefinition("prints", "import \"encoding/json\"\noutputs: printed: "+prints(`context.name + "-trait"`))
	step := build.StepDefinition("prints", `
import (
	"encoding/json"
	"vela/kube"
)
apply: kube.#Apply & {$params: value: `+prints("context.stepName")+` & {metadata: namespace: context.namespace}}
parameter: size?: int
`)
	component.Namespace, trait.Namespace, step.Namespace = ns, ns, ns
	env.Create(t, component, trait, step,
		policyType(ns, "prints", "import \"encoding/json\"\nparameter: size?: int\noutput: "+prints("context.name")),
		policyType(ns, "prints-scoped", "import \"encoding/json\"\nparameter: size?: int\noutput: {ctx: tenant: \"acme\", annotations: printed: json.Marshal(context)}", scoped),
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "kubevela-shop-web-db"}, Data: map[string]string{"user": "admin", "host": "db"}},
	)
	app := build.App(ns+"/shop").Label("tier", "gold").
		Annotate(oam.AnnotationWorkflowName, "release").Annotate(oam.AnnotationPublishVersion, "v7").
		Component("web", "prints", "config: db").Trait("prints", "").
		Policy("copies", "replication", "keys: [one]").Policy("unified", "prints", "size: 1").Policy("scoped", "prints-scoped", "size: 2").
		Step("deliver", "deploy", "policies: [copies]").
		Step("group", "step-group", "", func(s *v1beta1.WorkflowStep) {
			s.SubSteps = []v1beta1.WorkflowStepBase{build.Step("print", "prints", "size: 3").WorkflowStepBase}
		}).Object()
	env.Create(t, app)
	got := reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))
	shared := map[string]any{
		"namespace": ns, "appName": "shop", "appRevision": "shop-v1", "appRevisionNum": 1.0, "publishVersion": "v7", "workflowName": "release",
		"custom": map[string]any{"tenant": "acme"},
	}
	of := func(name string) string { return read(t, hub, ns, name).Data["printed"] }
	const everywhere = "name namespace appName appRevision appRevisionNum appLabels appAnnotations publishVersion workflowName parameter custom"
	cases := map[string]struct {
		printed string
		want    column
	}{
		"component": {of("web"), column{everywhere + " components revision replicaKey cluster clusterVersion config", map[string]any{
			"name": "web", "replicaKey": "one", "cluster": "local",
			"config":    []any{map[string]any{"name": "host", "value": "db"}, map[string]any{"name": "user", "value": "admin"}},
			"parameter": map[string]any{"config": "db"},
		}}},
		"trait": {of("web-trait"), column{everywhere + " components revision replicaKey cluster clusterVersion config componentType output", map[string]any{
			"name": "web", "componentType": "prints", "replicaKey": "one", "parameter": map[string]any{},
		}}},
		"policy": {of("unified"), column{everywhere + " components artifacts", map[string]any{
			"name": "unified", "parameter": map[string]any{"size": 1.0},
		}}},
		"step": {of("print"), column{everywhere + " stepName stepSessionID stepGroupName spanID", map[string]any{
			"name": "shop", "stepName": "print", "stepGroupName": "group",
		}}},
		"health": {got.Status.Services[0].Message, column{everywhere + " replicaKey cluster clusterVersion output outputs status", map[string]any{
			"name": "web", "cluster": "local", "replicaKey": "one", "status": map[string]any{"details": map[string]any{}, "healthy": true},
		}}},
		"policy of scope Application": {got.Annotations["printed"], column{
			strings.TrimSuffix(everywhere, " custom") + " components appComponents appWorkflow appPolicies policyName policyType policyRevisionName policyRevision policyRevisionHash",
			map[string]any{
				"name": "shop", "policyName": "scoped", "policyType": "prints-scoped", "parameter": map[string]any{"size": 2.0},
				"appRevision": "", "appRevisionNum": 0.0, // there is none before policies have run
			},
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var printed map[string]any
			if err := json.Unmarshal([]byte(tc.printed), &printed); err != nil {
				t.Fatalf("printed %q: %v", tc.printed, err)
			}
			fields := strings.Fields(tc.want.fields)
			slices.Sort(fields)
			if diff := cmp.Diff(fields, slices.Sorted(maps.Keys(printed))); diff != "" {
				t.Errorf("fields of context (-want +got):\n%s", diff)
			}
			values := map[string]any{}
			for _, all := range []map[string]any{shared, tc.want.values} {
				for field, value := range all {
					if slices.Contains(fields, field) {
						values[field] = value
					}
				}
			}
			for field, want := range values {
				if diff := cmp.Diff(want, printed[field]); diff != "" {
					t.Errorf("context.%s (-want +got):\n%s", field, diff)
				}
			}
		})
	}
}
