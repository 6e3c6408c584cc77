package workflow

import (
	"crypto/sha256"
	"encoding/base32"
	"slices"
	"strings"
	"time"
)

// A node is one step of the spec together with its progress.
type node struct {
	Step
	state *StepProgress // points into the Progress that is being made
	group *node         // nil for a step of the workflow itself
	subs  []*node
	inner Mode      // how the sub steps follow each other
	tried bool      // executed in this run
	at    time.Time // when to look at it again; zero: at the next event
	// blocked says what the step waits for before it can begin; it is set
	// whenever the step is looked at.
	blocked string
	lost    bool // what it waits for does not exist at all
}

func (n *node) isGroup() bool { return n.Type == typeGroup || len(n.SubSteps) > 0 }

func (n *node) began() bool { return !n.state.FirstExecuteTime.IsZero() }

func (n *node) done() bool { return n.state.done() }

func (n *node) failed() bool { return n.done() && n.state.Phase == Failed }

func (s *StepProgress) done() bool {
	switch s.Phase {
	case Succeeded, Skipped:
		return true
	case Failed:
		return s.Reason != reasonExecute && s.Reason != reasonOutput
	}
	return false
}

// resumed says that a suspension of the step was lifted and that it has not
// run since. KubeVela's tools leave the same mark: they set the phase only.
func (s *StepProgress) resumed() bool { return s.Phase == Running && s.Reason == reasonSuspend }

// resume lifts the suspension of a step and approves the plan that it shows.
func (s *StepProgress) resume(by string) {
	s.Phase, s.Reason = Running, reasonSuspend
	s.approve(by)
}

func (s *StepProgress) approve(by string) {
	if s.Plan == nil || s.Plan.Approved == s.Plan.Digest {
		return
	}
	plan := *s.Plan
	plan.Approved, plan.ApprovedBy = plan.Digest, by
	s.Plan = &plan
}

// stepID is a name of ten characters that stays the same for a step.
func stepID(group, name string) string {
	sum := sha256.Sum256([]byte(group + "/" + name))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:10]
}

// layOut brings the steps of spec and what is known of them together. The
// result does not share steps with the given progress.
func layOut(spec Spec, known []StepProgress) (states []StepProgress, top []*node) {
	states, top = level(spec.Steps, known, nil)
	for i, n := range top {
		n.inner = orMode(n.Mode, orMode(spec.SubMode, DAG))
		if !n.isGroup() {
			continue
		}
		states[i].SubSteps, n.subs = level(n.SubSteps, states[i].SubSteps, n)
	}
	return states, top
}

func level(steps []Step, known []StepProgress, group *node) ([]StepProgress, []*node) {
	states := make([]StepProgress, len(steps))
	nodes := make([]*node, len(steps))
	for i, s := range steps {
		at := slices.IndexFunc(known, func(k StepProgress) bool { return k.Name == s.Name })
		if at >= 0 {
			states[i] = known[at]
		} else {
			states[i] = StepProgress{Name: s.Name, Phase: pending}
		}
		states[i].Type = s.Type
		if states[i].ID == "" {
			states[i].ID = stepID(groupName(group), s.Name)
		}
		if states[i].Phase == "" {
			states[i].Phase = pending
		}
		nodes[i] = &node{Step: s, state: &states[i], group: group}
	}
	return states, nodes
}

func groupName(group *node) string {
	if group == nil {
		return ""
	}
	return group.Name
}

func orMode(m, otherwise Mode) Mode {
	if m == "" {
		return otherwise
	}
	return m
}

// expiry is when the step times out; zero if never. Times are stored in whole
// seconds: the added second keeps a step from timing out early.
func (n *node) expiry() time.Time {
	d, err := time.ParseDuration(n.Timeout)
	if n.Timeout == "" || err != nil || !n.began() {
		return time.Time{}
	}
	return n.state.FirstExecuteTime.Add(d + time.Second)
}
