package application

import (
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/oam"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
)

// A run that has come to its end has nobody who wakes it for the next one.
func TestNextRestart(t *testing.T) {
	now := time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)
	began := now.Add(-time.Minute)
	cases := map[string]struct {
		asked    string
		finished bool
		want     time.Duration
	}{
		"nobody asks":                               {finished: true},
		"again and again, after the start":          {asked: "5m", finished: true, want: 4 * time.Minute},
		"again and again, not while a run goes on":  {asked: "5m"},
		"later, whatever goes on":                   {asked: "2025-01-01T12:30:00Z", want: 30 * time.Minute},
		"done, and the annotation is to be removed": {asked: "2025-01-01T11:00:00Z", finished: true, want: time.Millisecond},
		"what nobody understands":                   {asked: "soon", finished: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := &state{app: &v1beta1.Application{}, progress: workflow.Progress{StartTime: began, Finished: tc.finished}}
			if tc.asked != "" {
				s.app.Annotations = map[string]string{oam.AnnotationRestartWorkflow: tc.asked}
			}
			r := &Reconciler{Clock: clocktesting.NewFakePassiveClock(now)}
			if got := r.nextRestart(s); got != tc.want {
				t.Errorf("nextRestart() = %s, want %s", got, tc.want)
			}
		})
	}
}
