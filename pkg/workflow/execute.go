package workflow

import (
	"context"
	"fmt"
	"math"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// An outcome is what one attempt to execute a step gave.
type outcome struct {
	result StepResult
	err    error
	broken *failure // the step could not even be tried, and never can
}

// A failure is a mistake that trying again does not mend.
type failure struct {
	reason  Reason
	message string
}

// round executes steps side by side and takes their results in order.
func (r *run) round(ctx context.Context, ready []*node) error {
	outcomes := make([]outcome, len(ready))
	var group errgroup.Group
	group.SetLimit(r.env.Parallel)
	for i, n := range ready {
		n.tried = true
		job, broken := r.prepare(n)
		if broken != nil {
			outcomes[i].broken = broken
			continue
		}
		group.Go(func() error {
			outcomes[i].result, outcomes[i].err = attempt(ctx, r.env, job)
			return nil
		})
	}
	_ = group.Wait() // no goroutine returns an error
	for i, n := range ready {
		if outcomes[i].err != nil && ctx.Err() != nil {
			continue // the attempt was called off: it says nothing about the step
		}
		r.settle(n, outcomes[i])
	}
	if r.stopper != nil {
		r.stop(r.stopper)
	}
	return ctx.Err()
}

// attempt executes one step. A panic of a runner is an error of its step.
func attempt(ctx context.Context, env Env, job StepRun) (result StepResult, err error) {
	defer func() {
		if p := recover(); p != nil {
			result, err = StepResult{}, fmt.Errorf("the step crashed: %v", p)
		}
	}()
	if err := ctx.Err(); err != nil {
		return StepResult{}, err
	}
	runner, err := env.Runners(job.Type)
	if err != nil {
		return StepResult{}, err
	}
	return runner.Run(ctx, job)
}

// prepare gathers what one attempt needs.
func (r *run) prepare(n *node) (StepRun, *failure) {
	properties, inputs, err := r.arguments(n)
	if err != nil {
		return StepRun{}, &failure{reasonInput, err.Error()}
	}
	job := StepRun{
		ID: n.state.ID, Name: n.Name, Type: n.Type, Group: groupName(n.group),
		Properties: properties, Inputs: inputs, Context: r.context(n), Values: r.p.Vars.Values,
		Now: r.now, Resumed: n.state.resumed(), Memory: r.p.Vars.Steps[n.state.ID].Memory,
	}
	if n.state.Plan != nil {
		plan := *n.state.Plan
		job.Plan = &plan
	}
	if n.Type == TypeSuspend {
		job.Next = r.next(n)
	}
	return job, nil
}

// settle writes an outcome into the progress.
func (r *run) settle(n *node, o outcome) {
	was := *n.state
	if !n.began() {
		n.state.FirstExecuteTime = r.seconds()
	}
	n.at = n.expiry()
	if o.result.Memory != nil {
		r.remember(n, func(s *StepVars) { s.Memory = o.result.Memory })
	}
	switch {
	case o.broken != nil:
		r.fail(n, o.broken.reason, o.broken.message)
	case fault.Terminal(o.err):
		r.fail(n, reasonRendering, fault.Message(o.err))
	case fault.Waiting(o.err):
		r.await(n, fault.Message(o.err))
	case o.err != nil:
		r.retry(n, reasonExecute, fault.Message(o.err))
	default:
		r.take(n, o.result)
	}
	r.touch(n, was)
	if n.done() {
		r.forget(n)
	}
}

func (r *run) remember(n *node, change func(*StepVars)) { r.p.Vars = r.p.Vars.step(n.state.ID, change) }

func (r *run) fail(n *node, reason Reason, message string) {
	n.state.Phase, n.state.Reason, n.state.Message = Failed, reason, message
}

// retry fails a step for now, or for good when it had all its attempts.
func (r *run) retry(n *node, reason Reason, message string) {
	failed := r.p.Vars.Steps[n.state.ID].Retries + 1
	if failed > r.env.Retry.Times {
		r.fail(n, reasonFailedAfterRetries, message)
		return
	}
	at := r.now.Add(r.env.Retry.pause(failed))
	r.remember(n, func(s *StepVars) { s.Retries, s.RetryAt = failed, at })
	r.fail(n, reason, message)
	n.wake(at)
}

// await fails a step for now, for as long as the world is as it is: attempts are
// not counted against it, only their pauses grow.
func (r *run) await(n *node, message string) {
	failed := min(r.p.Vars.Steps[n.state.ID].Retries+1, r.env.Retry.Times)
	at := r.now.Add(min(r.env.Retry.pause(failed), r.env.Retry.Waiter))
	r.remember(n, func(s *StepVars) { s.Retries, s.RetryAt = failed, at })
	r.fail(n, reasonExecute, message)
	n.wake(at)
}

// pause is how long to wait after the nth failure in a row: 2^n * 50ms in whole
// seconds, within the limits.
func (l Retry) pause(n int) time.Duration {
	seconds := math.Floor(math.Pow(2, float64(n)) * 0.05)
	if seconds > l.Max.Seconds() {
		return l.Max
	}
	return max(l.Min, time.Duration(seconds)*time.Second)
}

// take writes what a runner said into the progress.
func (r *run) take(n *node, result StepResult) {
	if result.Phase == Running || result.Phase == Suspending {
		r.remember(n, func(s *StepVars) { s.Retries, s.RetryAt, s.ResumeAt = 0, time.Time{}, result.Until })
	}
	r.p.Vars = r.p.Vars.set(result.Values)
	n.show(result.Plan)
	n.state.Message = result.Message
	switch result.Phase {
	case Running:
		n.state.Phase, n.state.Reason = Running, orReason(result.Reason, reasonWait)
		if n.state.Reason == reasonSuspend {
			n.state.Reason = reasonWait // Running with Suspend means resumed
		}
		r.wakeRunning(n, result)
	case Suspending:
		n.state.Phase, n.state.Reason = Suspending, orReason(result.Reason, reasonSuspend)
		n.wake(result.Until)
	case Failed:
		r.fail(n, final(result.Reason), result.Message)
	default:
		r.succeed(n, result)
	}
	if result.Stop {
		r.stopper = n
	}
}

func orReason(reason, otherwise Reason) Reason {
	if reason == "" {
		return otherwise
	}
	return reason
}

// final keeps a runner that says Failed from being tried again.
func final(reason Reason) Reason {
	if reason == "" || reason == reasonExecute || reason == reasonOutput {
		return reasonAction
	}
	return reason
}

// wakeRunning says when to look again at a step that is under way. A step that
// polls is looked at rarer the longer it takes.
func (r *run) wakeRunning(n *node, result StepResult) {
	if result.After > 0 {
		n.wake(r.now.Add(result.After))
	}
	if result.Poll {
		waited := r.now.Sub(n.state.FirstExecuteTime)
		n.wake(r.now.Add(min(max(waited/4, r.env.Retry.Min), r.env.Retry.Waiter)))
	}
}

func (r *run) succeed(n *node, result StepResult) {
	values, err := r.outputs(n, result.Value)
	if err != nil {
		r.retry(n, reasonOutput, err.Error())
		return
	}
	r.p.Vars = r.p.Vars.set(values)
	n.state.Phase, n.state.Reason = Succeeded, ""
	for name, approval := range result.Approves {
		to, ok := r.byName[name]
		if !ok || to.began() {
			continue
		}
		by := ""
		if n.state.Plan != nil {
			by = n.state.Plan.ApprovedBy
		}
		to.state.Plan = &Plan{Digest: approval.Digest, Approved: approval.Digest, ApprovedBy: by, Summary: approval.Summary}
		r.remember(to, func(s *StepVars) { s.Memory = approval.Memory })
	}
}

// show makes plan the one that the step shows. What was approved before stays
// on record; it counts only while the digests are equal.
func (n *node) show(plan *Plan) {
	if plan == nil {
		return
	}
	shown := *plan
	if old := n.state.Plan; old != nil && shown.Approved == "" {
		shown.Approved, shown.ApprovedBy = old.Approved, old.ApprovedBy
	}
	n.state.Plan = &shown
}

// stop ends the workflow: what is under way is terminated, the rest skipped.
func (r *run) stop(by *node) {
	by.state.Reason = reasonTerminate
	message := fmt.Sprintf("step %q ended the workflow", by.Name)
	for _, n := range r.all {
		switch {
		case n == by || n.done() || n.isGroup() && n.began():
		case n.began():
			r.end(n, Failed, reasonTerminate, message)
		default:
			r.end(n, Skipped, reasonSkip, message)
		}
	}
}
