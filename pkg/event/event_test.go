package event_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/event"
)

type status = v1beta1.ApplicationStatus

func condition(conditionType string, value metav1.ConditionStatus, reason, message string) status {
	return status{Conditions: []v1beta1.Condition{{Type: conditionType, Status: value, Reason: reason, Message: message}}}
}

func waiting(digest, approved string, phase v1beta1.StepPhase) status {
	step := v1beta1.StepStatus{ID: "1", Name: "production", Phase: phase}
	step.Plan = &v1beta1.StepPlan{Digest: digest, Approved: approved, ApprovedBy: "eve", Summary: "3 to create"}
	if approved == "" {
		step.Plan.ApprovedBy = ""
	}
	return status{Workflow: &v1beta1.WorkflowStatus{Steps: []v1beta1.WorkflowStepStatus{{StepStatus: step}}}}
}

func TestBetween(t *testing.T) {
	revision := &v1beta1.Revision{Name: "web-v2", Revision: 2}
	broken := condition(v1beta1.ConditionRender, "False", v1beta1.ReasonInvalidProperties, "port is a string")
	cases := map[string]struct {
		before, after status
		want          []event.Event
	}{
		"nothing changed":                          {before: broken, after: broken},
		"a new revision is told with its delivery": {after: status{LatestRevision: revision}},
		"a failure says what its condition says": {
			after: broken,
			want:  []event.Event{{Type: "Warning", Reason: "FailedRender", Message: "InvalidProperties: port is a string"}},
		},
		"another cause is another failure": {
			before: broken,
			after:  condition(v1beta1.ConditionRender, "False", v1beta1.ReasonInvalidProperties, "image is missing"),
			want:   []event.Event{{Type: "Warning", Reason: "FailedRender", Message: "InvalidProperties: image is missing"}},
		},
		"a failure that is over is silent": {
			before: broken,
			after:  condition(v1beta1.ConditionRender, "True", v1beta1.ReasonAvailable, ""),
		},
		"a doubt about the specification is told once": {
			after: condition(v1beta1.ConditionParsed, "True", v1beta1.ReasonAvailable, "spec.x: is odd"),
			want:  []event.Event{{Type: "Warning", Reason: "ParseWarning", Message: "spec.x: is odd"}},
		},
		"a doubt that was told is silent": {
			before: condition(v1beta1.ConditionParsed, "True", v1beta1.ReasonAvailable, "spec.x: is odd"),
			after:  condition(v1beta1.ConditionParsed, "True", v1beta1.ReasonAvailable, "spec.x: is odd"),
		},
		"a global policy that nobody named is told": {
			after: status{AppliedApplicationPolicies: []v1beta1.AppliedApplicationPolicy{
				{Name: "labels", Namespace: "vela-system", Source: "global", Applied: true}, {Name: "off", Namespace: "vela-system", Source: "global"},
				{Name: "own", Namespace: "shop", Source: "explicit", Applied: true},
			}},
			want: []event.Event{{Type: "Normal", Reason: "GlobalPolicyApplied", Message: `global policy "labels" of namespace "vela-system" has changed the application`}},
		},
		"a global policy that did the same before is silent": {
			before: status{AppliedApplicationPolicies: []v1beta1.AppliedApplicationPolicy{{Name: "labels", Source: "global", Applied: true}}},
			after:  status{AppliedApplicationPolicies: []v1beta1.AppliedApplicationPolicy{{Name: "labels", Source: "global", Applied: true}}},
		},
		"a workflow under way is no failure": {
			after: condition(v1beta1.ConditionWorkflow, "False", v1beta1.ReasonWaitingForApproval, "waits"),
		},
		"a failed delete": {
			after: condition(v1beta1.ConditionDeleting, "False", v1beta1.ReasonClusterUnreachable, "cluster away"),
			want:  []event.Event{{Type: "Warning", Reason: "FailedGC", Message: "ClusterUnreachable: cluster away"}},
		},
		"a plan starts to wait": {
			after: waiting("sha256:a", "", v1beta1.StepSuspending),
			want:  []event.Event{{Type: "Normal", Reason: "WaitingForApproval", Message: `step "production" waits for the approval of plan sha256:a: 3 to create`}},
		},
		"a plan keeps waiting": {
			before: waiting("sha256:a", "", v1beta1.StepSuspending),
			after:  waiting("sha256:a", "", v1beta1.StepSuspending),
		},
		"a plan changes while it waits": {
			before: waiting("sha256:a", "", v1beta1.StepSuspending),
			after:  waiting("sha256:b", "", v1beta1.StepSuspending),
			want:   []event.Event{{Type: "Warning", Reason: "PlanChanged", Message: `step "production": plan sha256:b replaces sha256:a: 3 to create`}},
		},
		"a plan is approved": {
			before: waiting("sha256:a", "", v1beta1.StepSuspending),
			after:  waiting("sha256:a", "sha256:a", v1beta1.StepRunning),
			want:   []event.Event{{Type: "Normal", Reason: "Approved", Message: `step "production": plan sha256:a was approved by eve`}},
		},
		"a plan without approval runs silently": {after: waiting("sha256:a", "", v1beta1.StepSucceeded)},
		"it runs": {
			before: status{LatestRevision: revision, Phase: v1beta1.ApplicationRunningWorkflow},
			after:  status{LatestRevision: revision, Phase: v1beta1.ApplicationRunning},
			want:   []event.Event{{Type: "Normal", Reason: "Deployed", Message: `revision "web-v2" runs and is healthy`}},
		},
		"it falls ill": {
			before: status{Phase: v1beta1.ApplicationRunning},
			after: status{Phase: v1beta1.ApplicationUnhealthy, Services: []v1beta1.ApplicationComponentStatus{
				{Name: "db", Healthy: true}, {Name: "web", Cluster: "staging", Message: "0 of 2 ready"},
			}},
			want: []event.Event{{Type: "Warning", Reason: "Unhealthy", Message: `component "web" in cluster "staging" is not healthy: 0 of 2 ready`}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := event.Between(tc.before, tc.after)
			if diff := cmp.Diff(tc.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("Between(...) mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

type recorder []event.Event

func (r *recorder) Event(_ runtime.Object, eventtype, reason, message string) {
	*r = append(*r, event.Event{Type: eventtype, Reason: reason, Message: message})
}

func TestEmitKeepsTheOrder(t *testing.T) {
	want := []event.Event{{Type: "Normal", Reason: "A", Message: "a"}, {Type: "Warning", Reason: "B", Message: "b"}}
	var got recorder
	event.Emit(&got, &v1beta1.Application{}, want)
	if diff := cmp.Diff(want, []event.Event(got)); diff != "" {
		t.Errorf("Emit(...) mismatch (-want +got):\n%s", diff)
	}
}
