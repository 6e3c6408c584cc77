package workflow

import (
	"fmt"
	"slices"
	"time"
)

// An Approver says who resumes a workflow and what they have seen.
type Approver struct {
	Name string
	// Digest is the plan that is approved; empty approves what is shown. A digest
	// that is not the one shown is refused.
	Digest string
}

// Suspend holds the workflow, or one step of it that is running.
func Suspend(p Progress, step string, now time.Time) (Progress, error) {
	if err := unfinished(p); err != nil {
		return p, err
	}
	next, steps := edit(p, now)
	if step == "" {
		for _, s := range steps {
			if s.Phase == Running {
				s.Phase, s.Reason, s.LastExecuteTime = Suspending, reasonSuspend, next.now
			}
		}
		next.Suspend, next.SuspendState = true, heldByUser
		next.Phase, next.Message = Suspending, messageHeld
		return next.Progress, nil
	}
	s, err := find(steps, step)
	if err != nil {
		return p, err
	}
	if s.Phase != Running {
		return p, fmt.Errorf("step %q is %s: only a running step can be suspended", step, s.Phase)
	}
	for _, s := range withSubSteps(s) {
		if s.Phase == Running {
			s.Phase, s.Reason, s.LastExecuteTime = Suspending, reasonSuspend, next.now
		}
	}
	next.Suspend, next.Phase, next.Message = true, Suspending, ""
	return next.Progress, nil
}

// Resume lifts the suspension of the workflow and of all its steps, or of one
// step, and approves the plans that they show.
func Resume(p Progress, step string, by Approver, now time.Time) (Progress, error) {
	if err := unfinished(p); err != nil {
		return p, err
	}
	next, steps := edit(p, now)
	chosen := steps
	if step != "" {
		s, err := find(steps, step)
		if err != nil {
			return p, err
		}
		chosen = withSubSteps(s)
	}
	if err := checkDigest(chosen, by); err != nil {
		return p, err
	}
	lifted := 0
	for _, s := range chosen {
		if s.Phase == Suspending {
			s.resume(by.Name)
			s.LastExecuteTime = next.now
			lifted++
		}
	}
	held := p.Suspend && p.SuspendState == heldByUser
	if lifted == 0 && (step != "" || !held) {
		if step != "" {
			return p, fmt.Errorf("step %q is not suspended", step)
		}
		return p, fmt.Errorf("the workflow is not suspended")
	}
	if step == "" {
		next.SuspendState = ""
	}
	next.Suspend = next.SuspendState != "" || slices.ContainsFunc(steps, func(s *StepProgress) bool { return s.Phase == Suspending })
	if !next.Suspend {
		next.Phase, next.Message = executing, ""
	}
	return next.Progress, nil
}

// checkDigest refuses an approval of anything but what is shown.
func checkDigest(steps []*StepProgress, by Approver) error {
	if by.Digest == "" {
		return nil
	}
	shown := ""
	for _, s := range steps {
		if s.Phase != Suspending || s.Plan == nil {
			continue
		}
		if s.Plan.Digest == by.Digest {
			return nil
		}
		shown = fmt.Sprintf("step %q shows plan %s", s.Name, s.Plan.Digest)
	}
	if shown == "" {
		return fmt.Errorf("no suspended step shows a plan that %s could approve", by.Digest)
	}
	return fmt.Errorf("%s, not %s: look at it before you approve it", shown, by.Digest)
}

const messageTerminated = "the workflow was terminated"

// Terminate ends the workflow: steps under way count as failed, and nothing
// runs any more. The next Run notes that it is finished.
func Terminate(p Progress, now time.Time) (Progress, error) {
	if err := unfinished(p); err != nil {
		return p, err
	}
	next, steps := edit(p, now)
	for _, s := range steps {
		if s.done() || s.FirstExecuteTime.IsZero() {
			continue
		}
		s.Phase, s.Reason, s.Message, s.LastExecuteTime = Failed, reasonTerminate, messageTerminated, next.now
	}
	next.Suspend, next.SuspendState, next.Terminated = false, "", true
	next.Phase, next.Message = Terminated, messageTerminated
	return next.Progress, nil
}

// Restart begins the whole workflow anew.
func Restart(Progress) Progress { return Progress{} }

// RestartFrom begins a failed step anew, with all steps that come after it and
// the values that they gave.
func RestartFrom(spec Spec, p Progress, step string, now time.Time) (Progress, error) {
	next, _ := edit(p, now)
	r := begin(spec, next.Progress, Env{Now: func() time.Time { return now }})
	n, ok := r.byName[step]
	switch {
	case !ok:
		return p, fmt.Errorf("the workflow has no step %q", step)
	case n.state.Phase != Failed:
		return p, fmt.Errorf("step %q is %s: only a failed step can be restarted", step, n.state.Phase)
	}
	names := map[string]bool{}
	for n := range r.after(n) {
		s := n.state
		*s = StepProgress{ID: s.ID, Name: s.Name, Type: s.Type, Phase: pending, SubSteps: s.SubSteps}
		r.forget(n)
		for _, o := range n.Outputs {
			names[o.Name] = true
		}
	}
	if n.group != nil {
		g := n.group.state
		g.Phase, g.Reason, g.Message = Running, reasonWait, ""
		g.FirstExecuteTime = r.seconds() // its timeout begins anew
	}
	r.p.Vars = r.p.Vars.without(names)
	r.p.Phase, r.p.Message, r.p.EndTime = executing, "", time.Time{}
	r.p.Suspend, r.p.SuspendState, r.p.Terminated, r.p.Finished = false, "", false, false
	return r.p, nil
}

// after is n with everything that depends on its end.
func (r *run) after(n *node) map[*node]bool {
	out := map[*node]bool{}
	var add func(*node)
	add = func(n *node) {
		if out[n] {
			return
		}
		out[n] = true
		for _, sub := range n.subs {
			add(sub)
		}
		level, mode := r.top, r.mode
		if n.group != nil {
			level, mode = n.group.subs, n.group.inner
		}
		if mode == StepByStep {
			for _, later := range level[slices.Index(level, n)+1:] {
				add(later)
			}
		}
		for _, m := range r.all {
			if m != n.group && m.needs(n) {
				add(m)
			}
		}
		if g := n.group; g != nil && !out[g] {
			r.afterGroup(g, add)
		}
	}
	add(n)
	return out
}

// afterGroup adds what depends on a group that is opened again.
func (r *run) afterGroup(g *node, add func(*node)) {
	if r.mode == StepByStep {
		for _, later := range r.top[slices.Index(r.top, g)+1:] {
			add(later)
		}
	}
	for _, m := range r.all {
		if m.group != g && m.needs(g) {
			add(m)
		}
	}
}

// needs says that the step waits for another or for a value of it.
func (n *node) needs(other *node) bool {
	if slices.Contains(n.DependsOn, other.Name) {
		return true
	}
	return slices.ContainsFunc(n.Inputs, func(in Input) bool {
		return slices.ContainsFunc(other.Outputs, func(o Output) bool {
			return o.Name == in.From || o.Name == firstPart(in.From)
		})
	})
}

func unfinished(p Progress) error {
	if p.Finished || p.Terminated {
		return fmt.Errorf("the workflow is finished (%s): it can only be restarted", p.Phase)
	}
	return nil
}

// An edited Progress shares no steps with the one that it was made from.
type edited struct {
	Progress
	now time.Time
}

func edit(p Progress, now time.Time) (edited, []*StepProgress) {
	p.Steps = slices.Clone(p.Steps)
	var steps []*StepProgress
	for i := range p.Steps {
		p.Steps[i].SubSteps = slices.Clone(p.Steps[i].SubSteps)
		steps = append(steps, withSubSteps(&p.Steps[i])...)
	}
	return edited{p, now.UTC().Truncate(time.Second)}, steps
}

func withSubSteps(s *StepProgress) []*StepProgress {
	out := []*StepProgress{s}
	for i := range s.SubSteps {
		out = append(out, &s.SubSteps[i])
	}
	return out
}

func find(steps []*StepProgress, name string) (*StepProgress, error) {
	for _, s := range steps {
		if s.Name == name {
			return s, nil
		}
	}
	return nil, fmt.Errorf("the workflow has no step %q", name)
}
