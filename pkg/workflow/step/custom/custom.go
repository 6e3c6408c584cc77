// Package custom executes steps that are written in CUE (WorkflowStepDefinition).
//
// It evaluates the template with the actions of the run and turns how the
// evaluation ended into an outcome. A template that pauses before it delivers
// shows the plan of what it is going to deliver: the runner looks ahead by
// evaluating the template once more with everything but planning switched off.
package custom

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/builtin"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/oam"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
	"github.com/seed-c5f95f19/vela/pkg/workflow/step/approval"
)

// A Runner executes the steps of one type.
type Runner struct {
	Engine *cue.Engine // made with the texts of the workflow packages
	Name   string      // of the definition
	Text   string      // its template
	// Actions returns what the template may call in one attempt. allow is asked
	// before a delivery.
	Actions func(run workflow.StepRun, s Session, allow oam.Allow) provider.Table
}

// A Session is what the packages of one attempt have in common.
type Session interface {
	builtin.Session
	provider.Memory
}

// Reasons of terminal errors, as conditions show them.
const (
	invalidDefinition = "InvalidDefinition"
	invalidProperties = "InvalidProperties"
	renderFailed      = "RenderFailed"
)

// Run implements workflow.Runner.
func (r Runner) Run(ctx context.Context, run workflow.StepRun) (workflow.StepResult, error) {
	tmpl, err := r.Engine.Compile(cue.Source{Kind: "workflow-step", Name: r.Name, Text: r.Text})
	if err != nil {
		return workflow.StepResult{}, fault.Invalid(invalidDefinition, fmt.Errorf("step definition %q: %w", r.Name, err))
	}
	if err := tmpl.Check(parameter(run)); err != nil {
		return workflow.StepResult{}, fault.Invalid(invalidProperties, err)
	}
	s := &session{run: run}
	gate := approval.New(run, false)
	value, err := tmpl.Eval(ctx, input(run, r.Actions(run, s, gate.Func())))
	if gate.Held() {
		return s.result(gate.Result()), nil
	}
	if err != nil {
		return r.ended(ctx, tmpl, s, err)
	}
	if err := broken(value); err != nil {
		return s.result(workflow.StepResult{}), fault.Invalid(renderFailed, err)
	}
	return s.result(workflow.StepResult{Value: value}), nil
}

func parameter(run workflow.StepRun) map[string]any {
	if run.Properties == nil {
		return map[string]any{}
	}
	return run.Properties
}

func input(run workflow.StepRun, actions provider.Table) cue.Input {
	fields := maps.Clone(run.Context)
	if fields == nil {
		fields = map[string]any{}
	}
	fields["parameter"] = parameter(run)
	return cue.Input{Parameter: parameter(run), Context: fields, Actions: actions}
}

// broken finds what is wrong with a template that came to its end.
func broken(value *cue.Result) error {
	if err := value.Err(); err != nil {
		return err
	}
	errs, err := value.Errs()
	if err != nil {
		return err
	}
	if len(errs) > 0 {
		return errors.New(strings.Join(errs, "; "))
	}
	return nil
}

// ended turns the reason for which an evaluation stopped into an outcome.
func (r Runner) ended(ctx context.Context, tmpl *cue.Template, s *session, err error) (workflow.StepResult, error) {
	var (
		unhealthy oam.Unhealthy
		wait      provider.Wait
		pause     provider.Suspend
		fail      provider.Fail
		end       provider.Break
	)
	switch {
	case errors.As(err, &unhealthy):
		return s.result(workflow.StepResult{Phase: workflow.Running, Message: unhealthy.Message, After: unhealthy.After}), nil
	case errors.As(err, &wait):
		return s.result(workflow.StepResult{Phase: workflow.Running, Message: wait.Message, Poll: true}), nil
	case errors.As(err, &pause):
		return r.paused(ctx, tmpl, s, pause)
	case errors.As(err, &fail):
		return s.result(workflow.StepResult{Phase: workflow.Failed, Message: fail.Message}), nil
	case errors.As(err, &end):
		return s.result(workflow.StepResult{Message: end.Message, Stop: true}), nil
	}
	return s.result(workflow.StepResult{}), classify(tmpl, err)
}

// classify says whether trying again can help. What a template makes of its
// properties alone will not change; what it makes of answers may.
func classify(tmpl *cue.Template, err error) error {
	if fault.Reason(err) != "" {
		return err
	}
	hopeless := false
	for _, e := range cue.Errors(err) {
		switch {
		case e.Kind == cue.Provider:
			return err
		case e.InParameter, e.Kind == cue.Limit, e.Kind == cue.UserError, !tmpl.Calls():
			hopeless = true
		}
	}
	if hopeless {
		return fault.Invalid(renderFailed, err)
	}
	return err
}

// paused is the outcome of a template that wants to pause, with the plan of what
// it would deliver next.
func (r Runner) paused(ctx context.Context, tmpl *cue.Template, s *session, pause provider.Suspend) (workflow.StepResult, error) {
	message := pause.Message
	if message == "" {
		message = fmt.Sprintf("suspended by step %q", s.run.Name)
	}
	plan, err := r.lookAhead(ctx, tmpl, s.run)
	if err != nil {
		return workflow.StepResult{}, err // without the pause being noted: it is asked for again
	}
	res := workflow.StepResult{Phase: workflow.Suspending, Message: message}
	if plan != nil {
		res = approval.Ask(s.run, message, *plan)
	}
	res.Until = pause.Until
	if pause.For > 0 && res.Until.IsZero() {
		res.Until = s.run.Now.Add(pause.For)
	}
	return s.result(res), nil
}

// lookAhead plans what the template would deliver if it did not pause; nil if
// it would not deliver, or not before something else has an effect.
func (r Runner) lookAhead(ctx context.Context, tmpl *cue.Template, run workflow.StepRun) (*oam.Plan, error) {
	gate := approval.Look(run)
	s := &session{run: run, ahead: true}
	_, err := tmpl.Eval(ctx, input(run, onlyPlanning(r.Actions(run, s, gate.Func()))))
	if plan, ok := gate.Plan(); ok {
		return &plan, nil
	}
	var wait provider.Wait
	var fail provider.Fail
	var end provider.Break
	if err == nil || errors.As(err, &wait) || errors.As(err, &fail) || errors.As(err, &end) {
		return nil, nil
	}
	return nil, classify(tmpl, err)
}

// onlyPlanning replaces the actions that have an effect by one that ends the
// evaluation. A delivery stays: its gate lets nothing pass.
func onlyPlanning(table provider.Table) provider.Table {
	stop := func(context.Context, provider.Call) (any, error) { return nil, provider.Wait{} }
	out := make(provider.Table, len(table))
	for name, bound := range table {
		writes := make(provider.Actions, len(bound.Write))
		for do, action := range bound.Write {
			if planned := name+"."+do == "multicluster.deploy" || name+"."+do == "oam.component-apply"; planned {
				writes[do] = action
				continue
			}
			writes[do] = stop
		}
		out[name] = provider.Bound{Read: bound.Read, Write: writes}
	}
	return out
}
