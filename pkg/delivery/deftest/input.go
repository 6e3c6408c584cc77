package deftest

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
)

// An input is the Application of a test.
type input struct {
	app     *v1beta1.Application
	cluster cluster
	answers []map[string]any // of the requests under processing.http, in order
	byPath  map[string]any   // of the providers, by the path of the call
}

// A cluster is where the Application of a test goes.
type cluster struct {
	Name  string `json:"name"`
	Minor int    `json:"minor"`
}

// The place of a test that does not name one.
const (
	appName      = "app"
	appNamespace = "default"
	clusterName  = "local"
	clusterMinor = 36
)

// short is an Application without its frame.
type short struct {
	Name        string            `json:"name"`
	Namespace   string            `json:"namespace"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	Cluster     *cluster          `json:"cluster"`
	Answers     map[string]any    `json:"answers"`
	Components  []map[string]any  `json:"components"`
	Policies    []map[string]any  `json:"policies"`
	Workflow    map[string]any    `json:"workflow"`
}

// application reads app.yaml: an Application, or the parts of it that matter.
func application(text string) (input, error) {
	var frame struct {
		Kind string `json:"kind"`
	}
	if err := yaml.Unmarshal([]byte(text), &frame); err != nil {
		return input{}, err
	}
	in := input{app: &v1beta1.Application{}, cluster: cluster{clusterName, clusterMinor}}
	if frame.Kind == v1beta1.ApplicationKind {
		err := yaml.UnmarshalStrict([]byte(text), in.app)
		return in.named(), err
	}
	var s short
	if err := yaml.UnmarshalStrict([]byte(text), &s); err != nil {
		return input{}, err
	}
	if s.Cluster != nil {
		in.cluster = *s.Cluster
	}
	in.byPath, in.answers = s.Answers, answersOf(s.Components)
	spec, err := yaml.Marshal(map[string]any{"components": s.Components, "policies": s.Policies, "workflow": s.Workflow})
	if err != nil {
		return input{}, err
	}
	if err := yaml.UnmarshalStrict(spec, &in.app.Spec); err != nil {
		return input{}, err
	}
	in.app.Name, in.app.Namespace, in.app.Labels, in.app.Annotations = s.Name, s.Namespace, s.Labels, s.Annotations
	return in.named(), nil
}

// named fills in the place of the test.
func (in input) named() input {
	if in.app.Name == "" {
		in.app.Name = appName
	}
	if in.app.Namespace == "" {
		in.app.Namespace = appNamespace
	}
	if in.cluster.Name == "" {
		in.cluster.Name = clusterName
	}
	return in
}

// answersOf takes the answers to HTTP requests out of the traits.
func answersOf(components []map[string]any) []map[string]any {
	var out []map[string]any
	for _, c := range components {
		traits, _ := c["traits"].([]any)
		for _, t := range traits {
			trait, _ := t.(map[string]any)
			if answer, ok := trait["answer"].(map[string]any); ok {
				out = append(out, answer)
			}
			delete(trait, "answer")
		}
	}
	return out
}

// standInType is the type of a component that is what the test says.
const standInType = "deftest-workload"

// standIn is the definition of standInType.
func standIn() (*definition.Static, error) {
	return definition.Of(&v1beta1.ComponentDefinition{
		TypeMeta: typeMeta(v1beta1.ComponentDefinitionKind), ObjectMeta: objectMeta(standInType),
		Spec: v1beta1.ComponentDefinitionSpec{
			Workload:  v1beta1.WorkloadTypeDescriptor{Type: v1beta1.AutoDetectWorkload},
			Schematic: &v1beta1.Schematic{CUE: &v1beta1.CUE{Template: "output: parameter.object\nparameter: object: {...}\n"}},
		},
	})
}

// around is the smallest Application that uses the subject with properties. A
// trait is put on the workload in text, or on a plain Deployment.
func (r *Runner) around(properties map[string]any, text string) (input, error) {
	raw, err := json.Marshal(properties)
	if err != nil {
		return input{}, err
	}
	c := v1beta1.ApplicationComponent{Name: "example", Type: r.subject.Name, Properties: &runtime.RawExtension{Raw: raw}}
	if r.subject.Kind == definition.Trait {
		if text == "" {
			text = plainDeployment
		}
		var workload map[string]any
		if err := yaml.UnmarshalStrict([]byte(text), &workload); err != nil {
			return input{}, fmt.Errorf("workload.yaml: %w", err)
		}
		object, err := json.Marshal(map[string]any{"object": workload})
		if err != nil {
			return input{}, err
		}
		c.Traits = []v1beta1.ApplicationTrait{{Type: r.subject.Name, Properties: c.Properties}}
		c.Type, c.Properties = standInType, &runtime.RawExtension{Raw: object}
	}
	in := input{app: &v1beta1.Application{}, cluster: cluster{clusterName, clusterMinor}}
	in.app.Spec.Components = []v1beta1.ApplicationComponent{c}
	return in.named(), nil
}

// plainDeployment is what traits are tried on.
const plainDeployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: example}
spec:
  selector: {matchLabels: {app: example}}
  template:
    metadata: {labels: {app: example}}
    spec: {containers: [{name: example, image: nginx}]}
`
