package workflow

import (
	"fmt"
	"slices"
)

// ready looks at every step once more, settles those that need no execution
// (skipped, timed out, groups) and returns the ones to execute now.
func (r *run) ready() []*node {
	for {
		ready, changed := r.walk(r.top, r.mode)
		if len(ready) > 0 || !changed {
			return ready
		}
	}
}

// walk looks at the steps of one level in order.
func (r *run) walk(level []*node, mode Mode) (ready []*node, changed bool) {
	for i, n := range level {
		if n.done() {
			continue
		}
		more, settled := r.look(n, level[:i], mode)
		ready = append(ready, more...)
		changed = changed || settled
		if mode == StepByStep && !n.done() {
			break
		}
	}
	return ready, changed
}

// look judges one step that is not finished. changed says that its phase may
// let others begin.
func (r *run) look(n *node, earlier []*node, mode Mode) (ready []*node, changed bool) {
	if at := n.expiry(); !at.IsZero() && !r.now.Before(at) {
		r.expire(n)
		return nil, true
	}
	if n.tried {
		return nil, false // it had its turn; n.at says when the next one is
	}
	n.at = n.expiry()
	if n.state.Phase == Suspending && !n.isGroup() && !r.elapsed(n) {
		return nil, false
	}
	if !n.began() {
		if n.blocked, n.lost = r.waitsFor(n); n.blocked != "" {
			n.state.Phase, n.state.Reason, n.state.Message = pending, reasonWait, n.blocked
			return nil, false
		}
		if verdict := r.skip(n, earlier, mode); verdict != nil {
			verdict()
			return nil, true
		}
	}
	if n.isGroup() {
		return r.lookInside(n)
	}
	if at := r.p.Vars.Steps[n.state.ID].RetryAt; r.now.Before(at) {
		n.wake(at)
		return nil, false
	}
	return []*node{n}, false
}

// lookInside judges the sub steps of a group and derives its state from theirs.
func (r *run) lookInside(n *node) (ready []*node, changed bool) {
	was := *n.state
	if !n.began() {
		n.state.FirstExecuteTime = r.seconds()
		n.wake(n.expiry())
	}
	ready, changed = r.walk(n.subs, n.inner)
	n.aggregate()
	r.touch(n, was)
	return ready, changed || n.done()
}

// aggregate derives the state of a group from its sub steps.
func (n *node) aggregate() {
	s := n.state
	done, skipped, suspended, running := true, len(n.subs) > 0, false, false
	var failed *node
	for _, sub := range n.subs {
		done = done && sub.done()
		skipped = skipped && sub.state.Phase == Skipped
		suspended = suspended || sub.state.Phase == Suspending
		running = running || !sub.done() && sub.state.Phase != Suspending && sub.began()
		if failed == nil && sub.failed() {
			failed = sub
		}
	}
	switch {
	case done && failed != nil:
		s.Phase, s.Reason = Failed, failed.state.Reason
		s.Message = fmt.Sprintf("sub step %q failed: %s", failed.Name, failed.state.Message)
	case done && skipped:
		s.Phase, s.Reason, s.Message = Skipped, reasonSkip, "all sub steps were skipped"
	case done:
		s.Phase, s.Reason, s.Message = Succeeded, "", ""
	case suspended && !running:
		s.Phase, s.Reason, s.Message = Suspending, reasonSuspend, ""
	default:
		s.Phase, s.Reason, s.Message = Running, reasonWait, ""
	}
}

// elapsed ends a suspension whose time has come.
func (r *run) elapsed(n *node) bool {
	at := r.p.Vars.Steps[n.state.ID].ResumeAt
	if at.IsZero() {
		return false
	}
	if r.now.Before(at) {
		n.wake(at)
		return false
	}
	n.state.resume(ApprovedByTime)
	return true
}

// expire fails a step that took too long, with everything inside it.
func (r *run) expire(n *node) {
	for _, sub := range n.subs {
		switch {
		case sub.done():
		case sub.began():
			r.end(sub, Failed, reasonTimeout, fmt.Sprintf("the group %q did not finish within %s", n.Name, n.Timeout))
		default:
			r.end(sub, Skipped, reasonSkip, fmt.Sprintf("the group %q did not finish within %s", n.Name, n.Timeout))
		}
	}
	message := fmt.Sprintf("did not finish within %s", n.Timeout)
	if last := n.state.Message; last != "" && n.state.Phase != Suspending {
		message += ": " + last
	}
	r.end(n, Failed, reasonTimeout, message)
}

// end settles a step without executing it.
func (r *run) end(n *node, phase Phase, reason Reason, message string) {
	was := *n.state
	n.state.Phase, n.state.Reason, n.state.Message = phase, reason, message
	r.touch(n, was)
	r.forget(n)
	if phase == Skipped {
		r.nullOutputs(n)
		for _, sub := range n.subs {
			if !sub.done() {
				r.end(sub, Skipped, reasonSkip, message)
			}
		}
	}
}

// waitsFor says what has to happen before the step can begin, "" if nothing. lost
// says that no step stands for it.
func (r *run) waitsFor(n *node) (what string, lost bool) {
	for _, name := range n.DependsOn {
		dep, ok := r.byName[name]
		if !ok {
			return fmt.Sprintf("it depends on step %q, which does not exist", name), true
		}
		if !dep.done() {
			return fmt.Sprintf("it waits for step %q", name), false
		}
	}
	for _, in := range n.Inputs {
		if _, ok := r.value(n, in.From); ok {
			continue
		}
		givers := r.givers(in.From)
		if len(givers) == 0 {
			return fmt.Sprintf("it waits for the value %q, which no step puts out", in.From), true
		}
		for _, giver := range givers {
			if !giver.done() {
				return fmt.Sprintf("it waits for the output %q of step %q", in.From, giver.Name), false
			}
		}
	}
	return "", false
}

// givers are the steps that declare an output of the name, or of its first part.
func (r *run) givers(from string) []*node {
	var out []*node
	for _, n := range r.all {
		if slices.ContainsFunc(n.Outputs, func(o Output) bool { return o.Name == from || o.Name == firstPart(from) }) {
			out = append(out, n)
		}
	}
	return out
}

// skip returns what to do instead of executing the step; nil to execute it.
func (r *run) skip(n *node, earlier []*node, mode Mode) func() {
	skipped := func(format string, args ...any) func() {
		return func() { r.end(n, Skipped, reasonSkip, fmt.Sprintf(format, args...)) }
	}
	switch n.If {
	case "always":
		return nil
	case "":
		if bad := r.obstacle(n, earlier, mode); bad != nil {
			return skipped("step %q %s", bad.Name, pastTense(bad.state.Phase))
		}
		return nil
	}
	ok, err := r.condition(n)
	switch {
	case err != nil:
		return func() { r.end(n, Failed, reasonParameter, fmt.Sprintf("if: %v", err)) }
	case !ok:
		return skipped("if: %s is false", n.If)
	}
	return nil
}

func pastTense(p Phase) string {
	if p == Skipped {
		return "was skipped"
	}
	return "failed"
}

// obstacle is the step whose end keeps n from running when it has no `if`.
func (r *run) obstacle(n *node, earlier []*node, mode Mode) *node {
	if mode == StepByStep {
		for _, e := range earlier {
			if e.failed() {
				return e
			}
		}
	}
	for _, name := range n.DependsOn {
		if dep := r.byName[name]; dep.failed() || mode == DAG && dep.state.Phase == Skipped {
			return dep
		}
	}
	for _, in := range n.Inputs {
		if _, ok := r.value(n, in.From); ok {
			continue
		}
		for _, giver := range r.givers(in.From) {
			if giver.failed() {
				return giver
			}
		}
	}
	return nil
}

// unlock fails the steps that wait for something that can never happen, once
// nothing else is under way: those whose need does not exist, or else those that
// wait for each other. It reports whether it did.
func (r *run) unlock() bool {
	var blocked, lost []*node
	for _, n := range r.all {
		if n.isGroup() && n.began() || n.done() {
			continue
		}
		if n.began() || n.state.Phase == Suspending {
			return false
		}
		if n.blocked != "" {
			blocked = append(blocked, n)
		}
		if n.lost {
			lost = append(lost, n)
		}
	}
	if len(lost) > 0 {
		blocked = lost
	}
	if len(blocked) == 0 {
		return false
	}
	for _, n := range blocked {
		r.end(n, Failed, reasonInput, n.blocked+", and nothing else is left to do")
	}
	return true
}

// next are the steps that the suspension of n holds back.
func (r *run) next(n *node) []Step {
	level, mode := r.top, r.mode
	if n.group != nil {
		level, mode = n.group.subs, n.group.inner
	}
	var out []Step
	open := true
	if mode == StepByStep {
		out, open = r.following(n, level)
	} else {
		out = r.dependents(n)
	}
	if n.group != nil && open {
		rest := r.dependents(n.group)
		if r.mode == StepByStep {
			rest, _ = r.following(n.group, r.top)
		}
		out = append(out, rest...)
	}
	return out
}

// following are the steps of a level after n up to the next suspension; open
// says that there was none.
func (r *run) following(n *node, level []*node) (out []Step, open bool) {
	for _, next := range level[slices.Index(level, n)+1:] {
		if next.done() {
			continue
		}
		for _, leaf := range next.leaves() {
			if leaf.Type == TypeSuspend {
				return out, false
			}
			out = append(out, leaf.Step)
		}
	}
	return out, true
}

// dependents are the steps that wait for n, directly or not, and for nothing
// else.
func (r *run) dependents(n *node) []Step {
	in := map[string]bool{n.Name: true}
	for changed := true; changed; {
		changed = false
		for _, m := range r.all {
			if in[m.Name] || m.done() || m.Type == TypeSuspend || len(m.DependsOn) == 0 {
				continue
			}
			free := true
			for _, name := range m.DependsOn {
				dep := r.byName[name]
				free = free && (in[name] || dep != nil && dep.done())
			}
			if free {
				in[m.Name], changed = true, true
			}
		}
	}
	var out []Step
	for _, m := range r.all {
		if in[m.Name] && m != n && !m.isGroup() {
			out = append(out, m.Step)
		}
	}
	return out
}

func (n *node) leaves() []*node {
	if n.isGroup() {
		return n.subs
	}
	return []*node{n}
}

// touch notes when the state of a step changed.
func (r *run) touch(n *node, was StepProgress) {
	now := *n.state
	if was.Phase != now.Phase || was.Reason != now.Reason || was.Message != now.Message || !samePlan(was.Plan, now.Plan) {
		n.state.LastExecuteTime = r.seconds()
	}
}

func samePlan(a, b *Plan) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// forget drops what was remembered about a step that is finished.
func (r *run) forget(n *node) {
	if _, ok := r.p.Vars.Steps[n.state.ID]; ok {
		r.p.Vars = r.p.Vars.step(n.state.ID, func(s *StepVars) { *s = StepVars{} })
	}
}
