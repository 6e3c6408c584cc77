package workflow

import (
	"context"
	"fmt"
	"time"
)

// Run does all work that can be done now and returns how far the workflow has
// come. again is the earliest time at which it has to be called again even if
// nothing happens, zero when only an event can bring it further. Steps that can
// run side by side are executed in rounds; the results of a round are taken in
// the order of the steps, so that equal outcomes give equal progress. The error
// is that of ctx; what goes wrong in a step is in its progress. The progress is
// valid in either case.
func Run(ctx context.Context, spec Spec, progress Progress, env Env) (next Progress, again time.Time, err error) {
	if progress.Finished {
		return progress, time.Time{}, nil
	}
	r := begin(spec, progress, env)
	switch {
	case r.p.Terminated:
		r.finish(Terminated)
		return r.p, time.Time{}, nil
	case r.held():
		return r.p, time.Time{}, nil
	}
	for {
		ready := r.ready()
		if len(ready) == 0 {
			if r.unlock() {
				continue
			}
			break
		}
		if err := r.round(ctx, ready); err != nil {
			r.conclude()
			return r.p, r.again, err
		}
	}
	r.conclude()
	return r.p, r.again, nil
}

// A run is one call of Run.
type run struct {
	env    Env
	mode   Mode
	now    time.Time
	p      Progress
	top    []*node
	all    []*node // groups before their sub steps
	byName map[string]*node
	again  time.Time

	stopper *node // the step that ended the workflow
}

func begin(spec Spec, p Progress, env Env) *run {
	r := &run{env: env.withDefaults(), mode: orMode(spec.Mode, StepByStep), p: p, byName: map[string]*node{}}
	r.now = r.env.Now()
	r.p.Mode = fmt.Sprintf("%s-%s", r.mode, orMode(spec.SubMode, DAG))
	if r.p.StartTime.IsZero() {
		r.p.StartTime = r.seconds()
	}
	r.p.Steps, r.top = layOut(spec, p.Steps)
	for _, n := range r.top {
		r.all = append(append(r.all, n), n.subs...)
	}
	for _, n := range r.all {
		if _, taken := r.byName[n.Name]; !taken {
			r.byName[n.Name] = n
		}
	}
	return r
}

func (e Env) withDefaults() Env {
	if e.Now == nil {
		e.Now = time.Now
	}
	if e.Parallel <= 0 {
		e.Parallel = 10
	}
	if e.Retry.Times == 0 {
		e.Retry.Times = 10
	}
	if e.Retry.Min == 0 {
		e.Retry.Min = time.Second
	}
	if e.Retry.Max == 0 {
		e.Retry.Max = 5 * time.Minute
	}
	if e.Retry.Waiter == 0 {
		e.Retry.Waiter = time.Minute
	}
	return e
}

func (r *run) seconds() time.Time { return r.now.UTC().Truncate(time.Second) }

// wake asks for another look at a step at a time.
func (n *node) wake(at time.Time) { n.at = earlier(n.at, at) }

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// held settles what happened to the suspension between two runs, by our
// operations or by a tool that only patched the status, and reports whether the
// workflow as a whole is suspended.
func (r *run) held() bool {
	was := r.p.Phase == Suspending
	switch {
	case r.p.Suspend && r.p.SuspendState == heldByUser:
	case r.p.Suspend && !was && !r.any(Running):
		r.p.SuspendState = heldByUser
	case !r.p.Suspend && was:
		r.p.SuspendState = ""
		r.lift()
		return false
	default:
		r.p.SuspendState = ""
		r.approveResumed()
		return false
	}
	r.p.Phase, r.p.Message = Suspending, messageHeld
	return true
}

const (
	heldByUser  = "workflow" // suspendState of a workflow that was suspended as a whole
	messageHeld = "suspended until it is resumed"
)

// lift resumes the suspended steps. When a tool has resumed some of them
// itself, the others stay.
func (r *run) lift() {
	for _, n := range r.all {
		if n.state.resumed() && !n.isGroup() {
			r.approveResumed()
			return
		}
	}
	for _, n := range r.all {
		if n.state.Phase == Suspending {
			n.state.resume("")
		}
	}
}

// approveResumed approves the plans of steps that somebody else resumed: they
// have seen what the status showed.
func (r *run) approveResumed() {
	for _, n := range r.all {
		if n.state.resumed() {
			n.state.approve("")
		}
	}
}

func (r *run) any(phase Phase) bool {
	for _, n := range r.all {
		if n.state.Phase == phase && !n.isGroup() {
			return true
		}
	}
	return false
}

// conclude derives the state of the workflow from the states of its steps.
func (r *run) conclude() {
	done, failed, terminated := true, false, false
	var suspended, broken *node
	for _, n := range r.all {
		done = done && n.done()
		if n.failed() && n.group == nil {
			failed = true
		}
		if n.failed() && !n.isGroup() && broken == nil {
			broken = n
		}
		terminated = terminated || n.done() && n.state.Reason == reasonTerminate
		if n.state.Phase == Suspending && !n.isGroup() && suspended == nil {
			suspended = n
		}
	}
	r.p.Suspend, r.p.Message, r.again = false, "", time.Time{}
	for _, n := range r.all {
		if !n.done() {
			r.again = earlier(r.again, n.at)
		}
	}
	switch {
	case done && terminated:
		r.finish(Terminated)
	case done && failed:
		r.finish(Failed)
	case done:
		r.finish(Succeeded)
	case suspended != nil:
		r.p.Phase, r.p.Suspend = Suspending, true
		r.p.Message = suspended.state.Message
	default:
		r.p.Phase = executing
	}
	if broken != nil && r.p.Phase != Suspending {
		r.p.Message = fmt.Sprintf("step %q failed: %s", broken.Name, broken.state.Message)
	}
}

func (r *run) finish(phase Phase) {
	r.p.Phase, r.p.Finished, r.p.Suspend, r.p.SuspendState = phase, true, false, ""
	r.p.Terminated = phase != Succeeded
	r.p.Vars.Steps = nil
	if r.p.EndTime.IsZero() {
		r.p.EndTime = r.seconds()
	}
}
