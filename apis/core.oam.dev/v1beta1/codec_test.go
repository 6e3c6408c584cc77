package v1beta1_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/apis/compression"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
)

func revisionSpec() v1beta1.ApplicationRevisionSpec {
	var s v1beta1.ApplicationRevisionSpec
	s.Application.Name = "web"
	s.Application.Spec.Components = []v1beta1.ApplicationComponent{{
		Name: "web", Type: "webservice", Properties: &runtime.RawExtension{Raw: []byte(`{"image":"nginx"}`)},
	}}
	s.ComponentDefinitions = map[string]v1beta1.ComponentDefinition{"webservice": {ObjectMeta: metav1.ObjectMeta{Name: "webservice"}}}
	s.Policies = map[string]v1beta1.RevisionPolicy{"where": {Kind: "Policy", Type: "topology"}}
	s.Workflow = &v1beta1.RevisionWorkflow{Kind: "Workflow", Steps: []v1beta1.WorkflowStep{{WorkflowStepBase: v1beta1.WorkflowStepBase{Type: "deploy"}}}}
	s.ReferredObjects = []v1beta1.ReferredObject{{RawExtension: runtime.RawExtension{Raw: []byte(`{"kind":"ConfigMap"}`)}}}
	return s
}

func trackerSpec() v1beta1.ResourceTrackerSpec {
	return v1beta1.ResourceTrackerSpec{
		Type:                  v1beta1.ResourceTrackerRoot,
		ApplicationGeneration: 3,
		ManagedResources: []v1beta1.ManagedResource{{
			ClusterObjectReference: v1beta1.ClusterObjectReference{Cluster: "staging", ObjectReference: corev1.ObjectReference{Kind: "Service", Name: "web"}},
			Component:              "web",
			Digest:                 "sha256:1",
		}},
	}
}

func TestRevisionRoundTrip(t *testing.T) {
	for name, typ := range map[string]compression.Type{"plain": "", "gzip": compression.Gzip, "zstd": compression.Zstd} {
		t.Run(name, func(t *testing.T) {
			want := revisionSpec()
			want.Compression.Type = typ
			data := encode(t, want)
			var got v1beta1.ApplicationRevisionSpec
			if err := json.Unmarshal(data, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("read back mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

// The shell keeps an empty list of components: the schema requires one, and
// KubeVela's own reader expects nothing else beside the packed data.
func TestPackedRevisionShowsOnlyItsShell(t *testing.T) {
	spec := revisionSpec()
	spec.Compression.Type = compression.Zstd
	var got map[string]any
	if err := json.Unmarshal(encode(t, spec), &got); err != nil {
		t.Fatal(err)
	}
	text := got["compression"].(map[string]any)
	if text["type"] != "zstd" || text["data"] == "" {
		t.Errorf("compression = %v, want a type and data", text)
	}
	delete(got, "compression")
	want := map[string]any{"application": map[string]any{
		"metadata": map[string]any{}, "spec": map[string]any{"components": []any{}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("shell mismatch (-want +got):\n%s", diff)
	}
}

func TestTrackerRoundTrip(t *testing.T) {
	for name, typ := range map[string]compression.Type{"plain": "", "gzip": compression.Gzip, "zstd": compression.Zstd} {
		t.Run(name, func(t *testing.T) {
			want := trackerSpec()
			want.Compression.Type = typ
			data := encode(t, want)
			if packed := !strings.Contains(string(data), "managedResources"); packed != (typ != "") {
				t.Errorf("packed = %v for type %q: %s", packed, typ, data)
			}
			var got v1beta1.ResourceTrackerSpec
			if err := json.Unmarshal(data, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("read back mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBrokenPackedDataIsAnError(t *testing.T) {
	broken := []byte(`{"compression":{"type":"gzip","data":"YQ=="}}`)
	if err := json.Unmarshal(broken, &v1beta1.ApplicationRevisionSpec{}); err == nil {
		t.Error("a broken revision was read without an error")
	}
	if err := json.Unmarshal(broken, &v1beta1.ResourceTrackerSpec{}); err == nil {
		t.Error("a broken tracker was read without an error")
	}
}

// What is not known is left out: another writer's value must not be overwritten
// with an empty one, and the schema refuses some of the empty ones.
func TestZeroValuesStayOffTheWire(t *testing.T) {
	cases := map[string]struct {
		value any
		want  string
	}{
		"application": {v1beta1.Application{Spec: v1beta1.ApplicationSpec{Components: []v1beta1.ApplicationComponent{}}}, `{"metadata":{},"spec":{"components":[]}}`},
		"trait":       {v1beta1.TraitDefinition{}, `{"metadata":{},"spec":{}}`},
		"revision":    {v1beta1.DefinitionRevisionSpec{DefinitionType: v1beta1.DefinitionTrait}, `{"revision":0,"revisionHash":"","definitionType":"Trait"}`},
		"step status": {v1beta1.StepStatus{ID: "a"}, `{"id":"a"}`},
		"workflow":    {v1beta1.WorkflowStatus{Mode: "DAG-DAG"}, `{"mode":"DAG-DAG","suspend":false,"terminated":false,"finished":false}`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, string(encode(t, tc.value))); diff != "" {
				t.Errorf("wire form mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSetCondition(t *testing.T) {
	first, later := metav1.NewTime(time.Unix(1, 0)), metav1.NewTime(time.Unix(2, 0))
	cond := func(conditionType string, status metav1.ConditionStatus, at metav1.Time) v1beta1.Condition {
		return v1beta1.Condition{Type: conditionType, Status: status, Reason: "R", LastTransitionTime: at}
	}
	cases := map[string]struct {
		have []v1beta1.Condition
		set  v1beta1.Condition
		want []v1beta1.Condition
	}{
		"a new one goes to the end": {
			have: []v1beta1.Condition{cond("A", "True", first)},
			set:  cond("B", "True", later),
			want: []v1beta1.Condition{cond("A", "True", first), cond("B", "True", later)},
		},
		"an equal status keeps its time": {
			have: []v1beta1.Condition{cond("A", "True", first), cond("B", "True", first)},
			set:  cond("A", "True", later),
			want: []v1beta1.Condition{cond("A", "True", first), cond("B", "True", first)},
		},
		"another status has another time": {
			have: []v1beta1.Condition{cond("A", "True", first)},
			set:  cond("A", "False", later),
			want: []v1beta1.Condition{cond("A", "False", later)},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			before := append([]v1beta1.Condition(nil), tc.have...)
			got := v1beta1.SetCondition(tc.have, tc.set)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("SetCondition(...) mismatch (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, tc.have); diff != "" {
				t.Errorf("SetCondition(...) changed its input (-want +got):\n%s", diff)
			}
			if found := v1beta1.FindCondition(got, tc.set.Type); found == nil || found.Status != tc.set.Status {
				t.Errorf("FindCondition(...) = %v", found)
			}
		})
	}
	// The two types convert into each other; this line does not compile otherwise.
	_ = metav1.Condition(cond("A", "True", first))
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
