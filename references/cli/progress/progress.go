// Package progress reads from the status of an Application how far its
// delivery is, and says it to people: as a report, as live lines, and as one
// word that decides about an exit code. It reads values only; nothing here
// asks a cluster.
package progress

import (
	"cmp"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// A State is where a delivery stands.
type State string

// The states. Only Working and Deleting change without somebody's doing.
const (
	Working   State = "working"
	Waiting   State = "waiting" // for a person
	Delivered State = "delivered"
	Unhealthy State = "unhealthy" // delivered, and something does not run as it should
	Failed    State = "failed"
	Deleting  State = "deleting"
)

// A Progress is what the status of an Application says.
type Progress struct {
	State  State
	Reason string // CamelCase, of a failure
	Why    string // one sentence, empty when all is well
	// Failing means that a step failed and is tried again: State is Working.
	Failing bool

	Steps    []Step
	Services []v1beta1.ApplicationComponentStatus
	Waits    []Wait
}

// A Step is one step of the workflow; Sub is empty except for groups.
type Step struct {
	Name    string
	Type    string
	Phase   v1beta1.StepPhase
	Message string
	Started time.Time
	Ended   time.Time // zero while it runs or waits
	Plan    *v1beta1.StepPlan
	Sub     []Step
}

// A Wait is a step that goes on only when a person says so.
type Wait struct {
	Step    string
	Message string
	Plan    *v1beta1.StepPlan // nil for a step that does not wait for a plan
}

// Of reads the progress of app.
func Of(app *v1beta1.Application) Progress {
	p := Progress{Services: app.Status.Services}
	if wf := app.Status.Workflow; wf != nil {
		p.Steps = Steps(wf.Steps)
	}
	p.Steps = append(p.Steps, planned(app, p.Steps)...)
	p.Waits = waits(p.Steps)
	p.State, p.Reason, p.Why = judge(app, p)
	if p.State == Working && Fresh(app) {
		p.Why = cmp.Or(failing(app.Status), failedSteps(p.Steps))
		p.Failing = p.Why != ""
	}
	return p
}

// Fresh reports whether the status is about the newest specification.
func Fresh(app *v1beta1.Application) bool {
	return app.Status.Phase != "" && app.Status.ObservedGeneration >= app.Generation
}

func judge(app *v1beta1.Application, p Progress) (State, string, string) {
	status := app.Status
	if app.DeletionTimestamp != nil {
		return Deleting, "", message(status, v1beta1.ConditionDeleting)
	}
	if !Fresh(app) {
		return Working, "", "the control plane has not looked at this version yet"
	}
	for _, kind := range []string{v1beta1.ConditionParsed, v1beta1.ConditionRevision, v1beta1.ConditionPolicy, v1beta1.ConditionRender} {
		if c := v1beta1.FindCondition(status.Conditions, kind); c != nil && c.Status == metav1.ConditionFalse {
			return Failed, c.Reason, c.Message
		}
	}
	switch status.Phase {
	case v1beta1.ApplicationRunning:
		return Delivered, "", ""
	case v1beta1.ApplicationUnhealthy:
		return Unhealthy, v1beta1.ReasonUnhealthy, cmp.Or(message(status, v1beta1.ConditionReady), Sick(status.Services))
	case v1beta1.ApplicationWorkflowFailed:
		return Failed, v1beta1.ReasonStepFailed, cmp.Or(failedSteps(p.Steps), message(status, v1beta1.ConditionWorkflow))
	case v1beta1.ApplicationWorkflowTerminated:
		why := cmp.Or(failedSteps(p.Steps), "the workflow was terminated")
		return Failed, v1beta1.ReasonTerminated, why
	case v1beta1.ApplicationWorkflowSuspending:
		if wf := status.Workflow; wf == nil || !wf.Suspend {
			return Working, "", "" // somebody resumed it; the control plane has not seen it yet
		}
		return Waiting, v1beta1.ReasonSuspended, ""
	default:
		return Working, "", ""
	}
}

// Retries reports whether a failure for this reason can go away without an
// edit by the user.
func Retries(reason string) bool {
	return !slices.Contains([]string{
		v1beta1.ReasonInvalidApplication, v1beta1.ReasonDuplicateName, v1beta1.ReasonDuplicateOutput,
		v1beta1.ReasonInvalidDefinition, v1beta1.ReasonInvalidProperties, v1beta1.ReasonUnknownProperty,
		v1beta1.ReasonInvalidPolicy, v1beta1.ReasonInvalidWorkflow, v1beta1.ReasonBudgetExceeded,
		v1beta1.ReasonStepFailed, v1beta1.ReasonTerminated,
	}, reason)
}

func message(status v1beta1.ApplicationStatus, kind string) string {
	if c := v1beta1.FindCondition(status.Conditions, kind); c != nil {
		return c.Message
	}
	return ""
}

// failing is the message of a workflow that runs and reports a problem.
func failing(status v1beta1.ApplicationStatus) string {
	c := v1beta1.FindCondition(status.Conditions, v1beta1.ConditionWorkflow)
	if c == nil || c.Status != metav1.ConditionFalse {
		return ""
	}
	switch c.Reason {
	case v1beta1.ReasonCreating, v1beta1.ReasonSuspended, v1beta1.ReasonWaitingForApproval: // who resumes it is seen a moment later
		return ""
	}
	return c.Message
}

// Steps reads the steps of a workflow.
func Steps(steps []v1beta1.WorkflowStepStatus) []Step {
	var out []Step
	for _, s := range steps {
		out = append(out, stepOf(s.StepStatus, s.SubSteps))
	}
	return out
}

func stepOf(s v1beta1.StepStatus, sub []v1beta1.StepStatus) Step {
	out := Step{Name: s.Name, Type: s.Type, Phase: s.Phase, Message: s.Message, Started: s.FirstExecuteTime.Time, Plan: s.Plan}
	switch s.Phase {
	case v1beta1.StepSucceeded, v1beta1.StepFailed, v1beta1.StepSkipped:
		out.Ended = s.LastExecuteTime.Time
	}
	for _, inner := range sub {
		out.Sub = append(out.Sub, stepOf(inner, nil))
	}
	return out
}

// planned lists the steps of the specification that the status does not show
// yet, so that a reader sees what is still to come.
func planned(app *v1beta1.Application, known []Step) []Step {
	if app.Spec.Workflow == nil || app.DeletionTimestamp != nil || !Fresh(app) || app.Status.Workflow == nil || app.Status.Workflow.Finished {
		return nil
	}
	var out []Step
	for _, s := range app.Spec.Workflow.Steps {
		if s.Name != "" && !slices.ContainsFunc(known, func(k Step) bool { return k.Name == s.Name }) {
			out = append(out, Step{Name: s.Name, Type: s.Type, Phase: v1beta1.StepPending})
		}
	}
	return out
}

func waits(steps []Step) []Wait {
	var out []Wait
	for _, s := range steps {
		inner := waits(s.Sub)
		out = append(out, inner...)
		if s.Phase == v1beta1.StepSuspending && len(inner) == 0 {
			out = append(out, Wait{Step: s.Name, Message: s.Message, Plan: s.Plan})
		}
	}
	return out
}

func failedSteps(steps []Step) string {
	var parts []string
	for _, s := range steps {
		if inner := failedSteps(s.Sub); inner != "" {
			parts = append(parts, inner)
			continue
		}
		if s.Phase == v1beta1.StepFailed {
			parts = append(parts, strings.TrimSuffix("step "+s.Name+" failed: "+s.Message, ": "))
		}
	}
	return strings.Join(parts, "; ")
}

// Sick names the services that are not healthy and says why; "" when all are.
func Sick(services []v1beta1.ApplicationComponentStatus) string {
	var parts []string
	for _, s := range services {
		if !s.Healthy {
			parts = append(parts, strings.TrimSuffix(s.Name+" in "+Place(s)+": "+Explain(s), ": "))
		}
	}
	return strings.Join(parts, "; ")
}

// Place is cluster/namespace of a service.
func Place(s v1beta1.ApplicationComponentStatus) string {
	place := cmp.Or(s.Cluster, oam.LocalCluster)
	if s.Namespace != "" {
		place += "/" + s.Namespace
	}
	return place
}

// Explain is the message of a service, and those of its unhealthy traits.
func Explain(s v1beta1.ApplicationComponentStatus) string {
	parts := []string{}
	if s.Message != "" {
		parts = append(parts, s.Message)
	}
	for _, t := range s.Traits {
		if !t.Healthy && !t.Pending && t.Message != "" {
			parts = append(parts, t.Type+": "+t.Message)
		}
	}
	return strings.Join(parts, "; ")
}

// Type returns the type of the component with that name, "" when the
// specification has no such component.
func Type(app *v1beta1.Application, component string) string {
	for _, c := range app.Spec.Components {
		if c.Name == component {
			return c.Type
		}
	}
	return ""
}
