// Package suspend is the native step that holds a workflow.
//
// Where it can be known what the steps after it are going to deliver, the step
// shows that plan, and resuming it approves the plan: the steps after it execute
// nothing else.
package suspend

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider/oam"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
	"github.com/seed-c5f95f19/vela/pkg/workflow/step/approval"
	"github.com/seed-c5f95f19/vela/pkg/workflow/step/properties"
)

// A Planner says what a step would deliver now. The plan is nil when that cannot
// be known yet; asks says that the step itself asks for approval.
type Planner interface {
	Plan(ctx context.Context, run workflow.StepRun) (plan *oam.Plan, asks bool, err error)
}

// A Runner holds the workflow.
type Runner struct {
	// Planner finds who can plan steps of a type; nil if nobody can.
	Planner func(stepType string) Planner
}

// A planned step is one that this suspension holds back.
type planned struct {
	step string
	plan oam.Plan
}

// Run implements workflow.Runner.
func (r Runner) Run(ctx context.Context, run workflow.StepRun) (workflow.StepResult, error) {
	var p struct {
		Duration string `json:"duration"`
		Message  string `json:"message"`
	}
	if err := properties.Decode(run.Properties, &p); err != nil {
		return workflow.StepResult{}, err
	}
	var until time.Time
	if p.Duration != "" {
		d, err := time.ParseDuration(p.Duration)
		if err != nil {
			return workflow.StepResult{}, properties.Invalid("duration: expected a duration such as 30s or 1h, got %q", p.Duration)
		}
		until = run.Now.Add(d)
	}
	if run.Resumed && (run.Plan == nil || run.Plan.ApprovedBy == workflow.ApprovedByTime) {
		return workflow.StepResult{}, nil
	}
	held, err := r.plan(ctx, run)
	if run.Resumed {
		if err != nil {
			return workflow.StepResult{}, err // what was approved cannot be compared yet
		}
		return resume(run, held), nil
	}
	message := p.Message
	if message == "" {
		message = fmt.Sprintf("suspended by step %q", run.Name)
	}
	res := workflow.StepResult{Phase: workflow.Suspending, Message: message}
	switch {
	case err != nil:
		res.Message = fmt.Sprintf("%s (what follows cannot be planned: %v)", message, err)
	case len(held) > 0:
		res = approval.Ask(run, message, join(held))
	}
	res.Until = until
	return res, nil
}

// resume ends the suspension if what follows is still what was approved.
func resume(run workflow.StepRun, held []planned) workflow.StepResult {
	now := join(held)
	same := len(held) > 0 && now.Digest == run.Plan.Approved
	if !same && !approval.Shown(run).Covers(now.Kept()) || run.Plan.Approved != run.Plan.Digest {
		return approval.Ask(run, fmt.Sprintf("suspended by step %q", run.Name), now)
	}
	if len(held) == 1 {
		held[0].plan = approvedPlan(run, held[0].plan)
	}
	res := workflow.StepResult{Approves: map[string]workflow.Approval{}}
	for _, h := range held {
		res.Approves[h.step] = workflow.Approval{
			Digest: h.plan.Digest, Summary: h.plan.Summary(), Memory: approval.Memory(nil, h.plan),
		}
	}
	return res
}

// approvedPlan is what was approved; what is left of it may be less.
func approvedPlan(run workflow.StepRun, now oam.Plan) oam.Plan {
	if shown := approval.Shown(run); shown.Digest == run.Plan.Approved {
		return shown
	}
	return now
}

// plan computes what the steps that wait for this one would do.
func (r Runner) plan(ctx context.Context, run workflow.StepRun) ([]planned, error) {
	if r.Planner == nil {
		return nil, nil
	}
	var out []planned
	for _, s := range run.Next {
		planner := r.Planner(s.Type)
		if planner == nil || !known(s) {
			continue
		}
		plan, asks, err := planner.Plan(ctx, workflow.StepRun{
			Name: s.Name, Type: s.Type, Properties: s.Properties, Context: run.Context, Values: run.Values, Now: run.Now,
		})
		if err != nil {
			return nil, fmt.Errorf("step %q: %w", s.Name, err)
		}
		if asks {
			return out, nil // it and what comes after it are asked for there
		}
		if plan != nil {
			out = append(out, planned{s.Name, *plan})
		}
	}
	return out, nil
}

// known says that nothing of the properties is given by another step.
func known(s workflow.Step) bool {
	for _, in := range s.Inputs {
		if in.ParameterKey != "" {
			return false
		}
	}
	return true
}

func join(held []planned) oam.Plan {
	plans := make([]oam.Plan, len(held))
	for i, h := range held {
		plans[i] = h.plan
	}
	return approval.Join(plans...)
}
