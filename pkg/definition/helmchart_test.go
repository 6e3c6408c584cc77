package definition_test

import (
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/definition"
)

// A chart is healthy when what the user names has its conditions, or else when
// what runs is ready.
func TestHelmChartHealth(t *testing.T) {
	const criteria = `healthStatus: [{resource: {kind: Widget}, condition: {type: Ready}}]`
	cases := map[string]struct {
		parameter, outputs string
		want               bool
	}{
		"nothing runs": {
			outputs: `{a: {kind: Service, metadata: {name: a}}}`, want: true,
		},
		"a Deployment that has not reported yet": {
			outputs: `{a: {kind: Deployment, metadata: {name: a, generation: 1}, spec: {replicas: 2}}}`,
		},
		"a Deployment with all replicas": {
			outputs: `{a: {kind: Deployment, metadata: {name: a, generation: 1}, spec: {replicas: 2}, status: {observedGeneration: 1, updatedReplicas: 2, readyReplicas: 2}}}`, want: true,
		},
		"a Deployment whose controller has not seen the last change": {
			outputs: `{a: {kind: Deployment, metadata: {name: a, generation: 2}, spec: {replicas: 2}, status: {observedGeneration: 1, updatedReplicas: 2, readyReplicas: 2}}}`,
		},
		"a Deployment that is scaled to nothing": {
			outputs: `{a: {kind: Deployment, metadata: {name: a, generation: 1}, spec: {replicas: 0}, status: {observedGeneration: 1}}}`, want: true,
		},
		"one of two workloads is not ready": {
			outputs: `{a: {kind: StatefulSet, metadata: {name: a}, spec: {}, status: {updatedReplicas: 1, readyReplicas: 1}}, b: {kind: DaemonSet, metadata: {name: b}, status: {desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberReady: 2}}}`,
		},
		"a DaemonSet that nobody has counted": {
			outputs: `{b: {kind: DaemonSet, metadata: {name: b}}}`,
		},
		"a Job that runs": {
			outputs: `{a: {kind: Job, metadata: {name: a}, spec: {completions: 2}, status: {succeeded: 1}}}`,
		},
		"a Job that is done": {
			outputs: `{a: {kind: Job, metadata: {name: a}, spec: {}, status: {succeeded: 1}}}`, want: true,
		},
		"a condition that is met": {
			parameter: criteria,
			outputs:   `{a: {kind: Widget, metadata: {name: a}, status: {conditions: [{type: Ready, status: "True"}]}}, b: {kind: Deployment, metadata: {name: b}, spec: {replicas: 1}}}`, want: true,
		},
		"a condition that is not met": {
			parameter: criteria,
			outputs:   `{a: {kind: Widget, metadata: {name: a}, status: {conditions: [{type: Ready, status: "False"}]}}}`,
		},
		"one of two objects does not have the condition": {
			parameter: criteria,
			outputs:   `{a: {kind: Widget, metadata: {name: a}, status: {conditions: [{type: Ready, status: "True"}]}}, b: {kind: Widget, metadata: {name: b}}}`,
		},
		"the object that is named": {
			parameter: `healthStatus: [{resource: {kind: Widget, name: a}, condition: {type: Stalled, status: "False"}}]`,
			outputs:   `{a: {kind: Widget, metadata: {name: a}, status: {conditions: [{type: Stalled, status: "False"}]}}, b: {kind: Widget, metadata: {name: b}}}`, want: true,
		},
		"an object that is not part of the chart": {
			parameter: criteria, outputs: `{a: {kind: Service, metadata: {name: a}}}`,
		},
	}
	defs := newRenderer(t).defs
	d, err := defs.Get(t.Context(), "default", definition.Ref{Kind: definition.Component, Name: "helmchart"})
	if err != nil {
		t.Fatal(err)
	}
	rule, err := cue.NewEngine(cue.Options{}).Compile(cue.Source{Kind: "health", Name: "helmchart", Text: d.HealthPolicy})
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			parameter, outputs := map[string]any{}, map[string]any{}
			for text, into := range map[string]*map[string]any{tc.parameter: &parameter, tc.outputs: &outputs} {
				if err := yaml.Unmarshal([]byte(text), into); err != nil {
					t.Fatal(err)
				}
			}
			res, err := rule.Eval(t.Context(), cue.Input{Parameter: parameter, Context: map[string]any{"outputs": outputs}})
			if err != nil {
				t.Fatal(err)
			}
			got, ok, err := res.Bool("isHealth")
			if err != nil || !ok || got != tc.want {
				t.Errorf("isHealth = %v, %v, %v, want %v", got, ok, err, tc.want)
			}
		})
	}
}
