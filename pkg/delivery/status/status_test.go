package status_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/observe"
	"github.com/seed-c5f95f19/vela/pkg/delivery/status"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

var (
	early = metav1.Time{Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	late  = metav1.Time{Time: early.Add(time.Hour)}
)

func workflow(phase v1beta1.WorkflowPhase, steps ...v1beta1.StepStatus) *v1beta1.WorkflowStatus {
	wf := &v1beta1.WorkflowStatus{Phase: phase}
	for _, s := range steps {
		wf.Steps = append(wf.Steps, v1beta1.WorkflowStepStatus{StepStatus: s})
	}
	return wf
}

func TestFoldPhase(t *testing.T) {
	healthy := []observe.Health{{Component: "web", Known: true, Healthy: true}}
	sick := []observe.Health{{Component: "web", Known: true, Message: "Ready:0/1"}}
	cases := map[string]struct {
		report status.Report
		want   v1beta1.ApplicationPhase
	}{
		"an Application that nobody has looked at is starting":      {status.Report{}, v1beta1.ApplicationStarting},
		"one that cannot be parsed stays at rendering":              {status.Report{Failed: status.Parsed, Err: errors.New("x")}, v1beta1.ApplicationRendering},
		"a workflow that goes on is running":                        {status.Report{Workflow: workflow(v1beta1.WorkflowExecuting)}, v1beta1.ApplicationRunningWorkflow},
		"a workflow that waits for a person is suspending":          {status.Report{Workflow: workflow(v1beta1.WorkflowSuspending)}, v1beta1.ApplicationWorkflowSuspending},
		"a failed workflow fails the Application":                   {status.Report{Workflow: workflow(v1beta1.WorkflowFailed)}, v1beta1.ApplicationWorkflowFailed},
		"a terminated workflow is said to be terminated":            {status.Report{Workflow: workflow(v1beta1.WorkflowTerminated)}, v1beta1.ApplicationWorkflowTerminated},
		"a delivered and healthy Application runs":                  {status.Report{Workflow: workflow(v1beta1.WorkflowSucceeded), Health: healthy, Observed: true}, v1beta1.ApplicationRunning},
		"a delivered Application that is sick is unhealthy":         {status.Report{Workflow: workflow(v1beta1.WorkflowSucceeded), Health: sick, Observed: true}, v1beta1.ApplicationUnhealthy},
		"a deletion wins over everything else":                      {status.Report{Workflow: workflow(v1beta1.WorkflowSucceeded), Deleting: &status.Deleting{}}, v1beta1.ApplicationDeleting},
		"a new specification that is invalid is not called running": {status.Report{Workflow: workflow(v1beta1.WorkflowSucceeded), Failed: status.Parsed, Err: errors.New("x")}, v1beta1.ApplicationRendering},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := status.Fold(v1beta1.ApplicationStatus{}, tc.report).Phase; got != tc.want {
				t.Errorf("Fold(...).Phase = %q, want %q", got, tc.want)
			}
		})
	}
}

// Invariant 10: unknown is not healthy.
func TestUnknownIsNotHealthy(t *testing.T) {
	got := status.Fold(v1beta1.ApplicationStatus{}, status.Report{
		Workflow: workflow(v1beta1.WorkflowSucceeded), Observed: true,
		Health: []observe.Health{{Component: "web", Cluster: "far", Healthy: true, Known: false, Message: "cluster is away"}},
	})
	if got.Phase != v1beta1.ApplicationUnhealthy || got.Services[0].Healthy {
		t.Errorf("phase %q, services %+v: a cluster that cannot be asked counts as healthy", got.Phase, got.Services)
	}
}

func TestFoldConditions(t *testing.T) {
	previous := status.Fold(v1beta1.ApplicationStatus{}, status.Report{Now: early, Workflow: workflow(v1beta1.WorkflowSucceeded), Observed: true})
	cases := map[string]struct {
		previous v1beta1.ApplicationStatus
		report   status.Report
		want     []v1beta1.Condition
	}{
		"the stage that failed carries reason and message, later ones are not claimed": {
			previous: previous,
			report: status.Report{Now: late, Failed: status.Revision,
				Err: fault.Invalid(v1beta1.ReasonInvalidProperties, errors.New(`component "web": port is missing`))},
			want: []v1beta1.Condition{
				{Type: "Parsed", Status: metav1.ConditionTrue, Reason: "Available", LastTransitionTime: early},
				{Type: "Revision", Status: metav1.ConditionFalse, Reason: "InvalidProperties", Message: `component "web": port is missing`, LastTransitionTime: late},
				{Type: "Ready", Status: metav1.ConditionFalse, Reason: "InvalidProperties", Message: `component "web": port is missing`, LastTransitionTime: late},
			},
		},
		"a step that waits is named with what it waits for": {
			report: status.Report{Now: early, Workflow: workflow(v1beta1.WorkflowSuspending,
				v1beta1.StepStatus{Name: "to-staging", Phase: v1beta1.StepSucceeded},
				v1beta1.StepStatus{Name: "to-production", Phase: v1beta1.StepSuspending, Message: "waits for approval"})},
			want: []v1beta1.Condition{
				{Type: "Parsed", Status: metav1.ConditionTrue, Reason: "Available", LastTransitionTime: early},
				{Type: "Revision", Status: metav1.ConditionTrue, Reason: "Available", LastTransitionTime: early},
				{Type: "Policy", Status: metav1.ConditionTrue, Reason: "Available", LastTransitionTime: early},
				{Type: "Render", Status: metav1.ConditionTrue, Reason: "Available", LastTransitionTime: early},
				{Type: "Workflow", Status: metav1.ConditionFalse, Reason: "Suspended", Message: "step to-production suspending: waits for approval", LastTransitionTime: early},
				{Type: "Ready", Status: metav1.ConditionFalse, Reason: "Suspended", Message: "step to-production suspending: waits for approval", LastTransitionTime: early},
			},
		},
		"a step that failed and is tried again is a failure, and the others do not take away from it": {
			report: status.Report{Now: early, Warnings: "spec.x: is odd", Workflow: workflow(v1beta1.WorkflowExecuting,
				v1beta1.StepStatus{Name: "a", Phase: v1beta1.StepRunning, Message: "waits for web"},
				v1beta1.StepStatus{Name: "b", Phase: v1beta1.StepFailed, Reason: v1beta1.StepReasonExecute, Message: "spec.y: there is no cluster"})},
			want: []v1beta1.Condition{
				{Type: "Parsed", Status: metav1.ConditionTrue, Reason: "Available", Message: "spec.x: is odd", LastTransitionTime: early},
				{Type: "Revision", Status: metav1.ConditionTrue, Reason: "Available", LastTransitionTime: early},
				{Type: "Policy", Status: metav1.ConditionTrue, Reason: "Available", LastTransitionTime: early},
				{Type: "Render", Status: metav1.ConditionTrue, Reason: "Available", LastTransitionTime: early},
				{Type: "Workflow", Status: metav1.ConditionFalse, Reason: "StepFailed", Message: "step b failed: spec.y: there is no cluster", LastTransitionTime: early},
				{Type: "Ready", Status: metav1.ConditionFalse, Reason: "StepFailed", Message: "step b failed: spec.y: there is no cluster", LastTransitionTime: early},
			},
		},
		"a workflow that somebody ended is no failure of its steps": {
			previous: previous,
			report: status.Report{Now: early, Workflow: workflow(v1beta1.WorkflowTerminated,
				v1beta1.StepStatus{Name: "a", Phase: v1beta1.StepFailed, Reason: v1beta1.StepReasonTerminate, Message: "terminated"})},
			want: []v1beta1.Condition{
				{Type: "Parsed", Status: metav1.ConditionTrue, Reason: "Available", LastTransitionTime: early},
				{Type: "Revision", Status: metav1.ConditionTrue, Reason: "Available", LastTransitionTime: early},
				{Type: "Policy", Status: metav1.ConditionTrue, Reason: "Available", LastTransitionTime: early},
				{Type: "Render", Status: metav1.ConditionTrue, Reason: "Available", LastTransitionTime: early},
				{Type: "Workflow", Status: metav1.ConditionFalse, Reason: "Terminated", Message: "step a failed: terminated", LastTransitionTime: early},
				{Type: "Ready", Status: metav1.ConditionFalse, Reason: "Terminated", Message: "step a failed: terminated", LastTransitionTime: early},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := status.Fold(tc.previous, tc.report).Conditions
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Fold(...).Conditions mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

// Invariant 5 and 8: the same findings give the same status, so nothing is
// written at rest, whatever the clock says.
func TestFoldIsStable(t *testing.T) {
	report := status.Report{
		Generation: 3, Now: early, Workflow: workflow(v1beta1.WorkflowSucceeded), Observed: true,
		Health: []observe.Health{{Component: "web", Known: true, Healthy: true}, {Component: "web", Trait: "gateway", Known: true, Healthy: true}},
	}
	first := status.Fold(v1beta1.ApplicationStatus{}, report)
	report.Now = late
	if diff := cmp.Diff(first, status.Fold(first, report)); diff != "" {
		t.Errorf("folding the same findings again changes the status (-first +second):\n%s", diff)
	}
}

func TestDeletingNamesWhatRemains(t *testing.T) {
	got := status.Fold(v1beta1.ApplicationStatus{}, status.Report{Now: early, Deleting: &status.Deleting{
		Remaining: []manifest.Key{{Cluster: "staging", Group: "apps", Kind: "Deployment", Namespace: "default", Name: "web"}},
	}})
	want := []v1beta1.Condition{{Type: "Deleting", Status: metav1.ConditionTrue, Reason: "Deleting",
		Message: "waits for staging: Deployment.apps default/web", LastTransitionTime: early}}
	if diff := cmp.Diff(want, got.Conditions); diff != "" {
		t.Errorf("conditions mismatch (-want +got):\n%s", diff)
	}
}
