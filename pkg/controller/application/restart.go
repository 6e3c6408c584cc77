package application

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/pkg/oam"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
)

// restart begins the workflow anew when the annotation
// app.oam.dev/restart-workflow asks for it: "true" now, a time in RFC 3339 once
// at that time, a duration again and again, that long after the start of the last
// run and not while it goes on. What is done once takes the annotation away; a
// run that began after the time is the one that was asked for, so that a crash in
// between changes nothing.
func (r *Reconciler) restart(ctx context.Context, s *state, p workflow.Progress) (workflow.Progress, error) {
	asked := s.app.Annotations[oam.AnnotationRestartWorkflow]
	if asked == "" || p.StartTime.IsZero() {
		return p, nil
	}
	now := r.Clock.Now()
	if asked == "true" {
		at := now.Truncate(time.Second)
		if !at.After(p.StartTime) { // times of a status are whole seconds
			at = p.StartTime.Add(time.Second)
		}
		asked = at.UTC().Format(time.RFC3339)
		if err := r.annotateRestart(ctx, s, asked); err != nil {
			return p, err
		}
	}
	at, once := restartAt(asked, p)
	switch {
	case at.IsZero(): // not one of the forms, or a run that goes on
		return p, nil
	case once && !p.StartTime.Before(at):
		return p, r.annotateRestart(ctx, s, "")
	case now.Before(at): // nextRestart wakes it
		return p, nil
	}
	m := s.memory
	m.vars, m.targets, m.lost = workflow.Vars{}, nil, false
	return workflow.Restart(p), nil
}

// nextRestart is how long it takes until a run that has come this far is followed
// by another one, or the annotation that asked for it can be taken away: no event
// tells of either. 0: nobody asks.
func (r *Reconciler) nextRestart(s *state) time.Duration {
	at, _ := restartAt(s.app.Annotations[oam.AnnotationRestartWorkflow], s.progress)
	return r.until(at)
}

// restartAt is when the next run is to begin, and whether that is the only one.
func restartAt(asked string, p workflow.Progress) (at time.Time, once bool) {
	if at, err := time.Parse(time.RFC3339, asked); err == nil {
		return at, true
	}
	every, err := interval(asked)
	if err != nil || every <= 0 || !p.Finished {
		return time.Time{}, false
	}
	return p.StartTime.Add(every), false
}

// interval reads a duration, in days too.
func interval(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(text)
}

// annotateRestart writes the annotation, or takes it away.
func (r *Reconciler) annotateRestart(ctx context.Context, s *state, value string) error {
	before := s.app.DeepCopy()
	s.app.Annotations[oam.AnnotationRestartWorkflow] = value
	if value == "" {
		delete(s.app.Annotations, oam.AnnotationRestartWorkflow)
	}
	if err := r.Client.Patch(ctx, s.app, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("note when the workflow is to begin again: %w", err)
	}
	s.memory.wrote(s.app)
	return nil
}
