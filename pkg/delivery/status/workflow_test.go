package status_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/status"
)

// What the status says goes through the engine and back without a change, so
// that a run that does nothing writes nothing.
func TestProgressRoundTrip(t *testing.T) {
	step := v1beta1.StepStatus{
		ID: "abc", Name: "to-production", Type: "deploy", Phase: v1beta1.StepSuspending, Reason: "Suspend", Message: "waits",
		FirstExecuteTime: early, LastExecuteTime: late,
		Plan: &v1beta1.StepPlan{Digest: "sha256:1", Approved: "sha256:0", ApprovedBy: "ann", Summary: "2 created"},
	}
	want := &v1beta1.WorkflowStatus{
		Mode: "StepByStep-DAG", Phase: v1beta1.WorkflowSuspending, Message: "m", Suspend: true, SuspendState: "suspending",
		StartTime: early, EndTime: metav1.Time{},
		Steps: []v1beta1.WorkflowStepStatus{{StepStatus: step}, {StepStatus: v1beta1.StepStatus{ID: "g", Name: "group"}, SubSteps: []v1beta1.StepStatus{step}}},
	}
	if diff := cmp.Diff(want, status.FromProgress(status.ToProgress(want))); diff != "" {
		t.Errorf("round trip mismatch (-want +got):\n%s", diff)
	}
}
