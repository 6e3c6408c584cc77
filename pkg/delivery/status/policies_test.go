package status_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/observe"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy"
	"github.com/seed-c5f95f19/vela/pkg/delivery/status"
)

func TestFoldPolicies(t *testing.T) {
	well := observe.Health{Policy: "unified", Type: "split", Known: true, Healthy: true}
	sick := observe.Health{Policy: "quota", Type: "quota", Known: true, Message: "it is used up"}
	unknown := observe.Health{Policy: "far", Type: "split", Healthy: true}
	components := []observe.Health{{Component: "web", Known: true, Healthy: true}}
	sickComponents := []observe.Health{{Component: "web", Known: true, Message: "Ready:0/1"}}
	cases := map[string]struct {
		policies *status.Policies
		health   []observe.Health
		phase    v1beta1.ApplicationPhase
		ready    string
		want     []string // name and status
	}{
		"the health of policies is shown and is not that of the Application": {
			policies: &status.Policies{Health: []observe.Health{well, sick}}, health: components, phase: v1beta1.ApplicationRunning,
			want: []string{`unified {"healthy":true}`, `quota {"healthy":false,"message":"it is used up"}`},
		},
		"one that decides makes the Application healthy, whatever its components are": {
			policies: &status.Policies{Health: []observe.Health{well}, Decide: true}, health: sickComponents, phase: v1beta1.ApplicationRunning,
			want: []string{`unified {"healthy":true}`},
		},
		"one that decides makes the Application unhealthy and says why": {
			policies: &status.Policies{Health: []observe.Health{sick}, Decide: true}, health: components, phase: v1beta1.ApplicationUnhealthy,
			ready: "policy quota: it is used up", want: []string{`quota {"healthy":false,"message":"it is used up"}`},
		},
		"unknown is not healthy": {
			policies: &status.Policies{Health: []observe.Health{unknown}, Decide: true}, health: components, phase: v1beta1.ApplicationUnhealthy,
			ready: "policy far", want: []string{`far {"healthy":false}`},
		},
		"environments show where they lead": {
			policies: &status.Policies{Envs: []status.Env{
				{Policy: "envs", Name: "test", Placements: []policy.Placement{{Cluster: "local", Namespace: "test"}}}, {Policy: "envs", Name: "none"},
			}},
			health: components, phase: v1beta1.ApplicationRunning,
			want: []string{`envs {"envs":[{"env":"test","placements":[{"cluster":"local","namespace":"test"}]},{"env":"none","placements":[]}]}`},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			report := status.Report{Now: early, Workflow: workflow(v1beta1.WorkflowSucceeded), Observed: true, Health: tc.health, Policies: tc.policies}
			got := status.Fold(v1beta1.ApplicationStatus{}, report)
			var shown []string
			for _, p := range got.PolicyStatus {
				shown = append(shown, p.Name+" "+string(p.Status.Raw))
			}
			if diff := cmp.Diff(tc.want, shown); diff != "" {
				t.Errorf("status.policy (-want +got):\n%s", diff)
			}
			if got.Phase != tc.phase || v1beta1.FindCondition(got.Conditions, v1beta1.ConditionReady).Message != tc.ready {
				t.Errorf("phase %s, conditions %+v, want %s and Ready to say %q", got.Phase, got.Conditions, tc.phase, tc.ready)
			}
			if diff := cmp.Diff(got, status.Fold(got, report)); diff != "" {
				t.Errorf("the same report again changes the status:\n%s", diff)
			}
		})
	}
}

// A stage that was not reached says nothing about policies: what was known stays.
func TestFoldKeepsWhatIsNotKnown(t *testing.T) {
	first := status.Fold(v1beta1.ApplicationStatus{}, status.Report{
		Policies: &status.Policies{Health: []observe.Health{{Policy: "unified", Type: "split", Known: true, Healthy: true}}},
		Scoped:   &status.Scoped{Applied: []v1beta1.AppliedApplicationPolicy{{Name: "labels", Applied: true}}, ConfigMap: "record"},
	})
	second := status.Fold(first, status.Report{Failed: status.Parsed, Err: errors.New("x")})
	if len(second.PolicyStatus) != 1 || len(second.AppliedApplicationPolicies) != 1 || second.ApplicationPoliciesConfigMap != "record" {
		t.Errorf("status after a failure = %+v, want the policies of before", second)
	}
	third := status.Fold(second, status.Report{Policies: &status.Policies{}, Scoped: &status.Scoped{}})
	if len(third.PolicyStatus)+len(third.AppliedApplicationPolicies) != 0 || third.ApplicationPoliciesConfigMap != "" {
		t.Errorf("status without policies = %+v, want nothing of them", third)
	}
}
