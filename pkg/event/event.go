// Package event decides which Kubernetes events a change of an Application's
// status is worth, and words them.
//
// Something happened: one event, with the new value. Nothing changed: no event.
// An event costs an API write, so steps that simply went well (parsed, rendered)
// have none; a failure always has one, with the text of its condition. Only Emit
// writes.
package event

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
)

// Reasons of events. KubeVela's users filter on the words that it has too.
const (
	Deployed             = "Deployed"
	Unhealthy            = "Unhealthy"
	WaitingForApproval   = "WaitingForApproval"
	Approved             = "Approved"
	PlanChanged          = "PlanChanged"
	ParseWarning         = "ParseWarning"
	FailedParse          = "FailedParse"
	FailedRevision       = "FailedRevision"
	FailedPolicyGenerate = "FailedPolicyGenerate"
	FailedRender         = "FailedRender"
	FailedWorkflow       = "FailedWorkflow"
	FailedApply          = "FailedApply"
	FailedStateKeep      = "FailedStateKeep"
	FailedGC             = "FailedGC"
	GlobalPolicyApplied  = "GlobalPolicyApplied"
)

// An Event is one thing that happened to an Application.
type Event struct {
	Type    string // Normal or Warning
	Reason  string
	Message string
}

// Recorder writes events; record.EventRecorder is one.
type Recorder interface {
	Event(object runtime.Object, eventtype, reason, message string)
}

// Emit writes the events of one change.
func Emit(r Recorder, object runtime.Object, events []Event) {
	for _, e := range events {
		r.Event(object, e.Type, e.Reason, e.Message)
	}
}

// failures maps the condition that went wrong to the reason of the event, in the
// order of the delivery.
func failures() []struct{ condition, reason string } {
	return []struct{ condition, reason string }{
		{v1beta1.ConditionParsed, FailedParse},
		{v1beta1.ConditionRevision, FailedRevision},
		{v1beta1.ConditionPolicy, FailedPolicyGenerate},
		{v1beta1.ConditionRender, FailedRender},
		{v1beta1.ConditionSynced, FailedApply},
		{v1beta1.ConditionWorkflow, FailedWorkflow},
		{v1beta1.ConditionStateKeep, FailedStateKeep},
		{v1beta1.ConditionDeleting, FailedGC},
	}
}

// Between returns what happened between two states of an Application, in the
// order of the delivery. Equal states give no event.
func Between(before, after v1beta1.ApplicationStatus) []Event {
	var out []Event
	for _, f := range failures() {
		if e, ok := failed(before.Conditions, after.Conditions, f.condition, f.reason); ok {
			out = append(out, e)
		}
	}
	if e, ok := warned(before.Conditions, after.Conditions); ok {
		out = append(out, e)
	}
	out = append(out, policies(before.AppliedApplicationPolicies, after.AppliedApplicationPolicies)...)
	out = append(out, approvals(before.Workflow, after.Workflow)...)
	if e, ok := phase(before, after); ok {
		out = append(out, e)
	}
	return out
}

// failed reports a condition that turned false, or is false for a new cause. A
// condition that is false because something is under way is no failure.
func failed(before, after []v1beta1.Condition, conditionType, reason string) (Event, bool) {
	now := v1beta1.FindCondition(after, conditionType)
	if now == nil || string(now.Status) != "False" || underWay(now.Reason) {
		return Event{}, false
	}
	was := v1beta1.FindCondition(before, conditionType)
	if was != nil && was.Status == now.Status && was.Reason == now.Reason && was.Message == now.Message {
		return Event{}, false
	}
	if now.Message == "" {
		return warning(reason, "%s", now.Reason), true
	}
	return warning(reason, "%s: %s", now.Reason, now.Message), true
}

// warned reports that the specification was understood with doubts.
func warned(before, after []v1beta1.Condition) (Event, bool) {
	now := v1beta1.FindCondition(after, v1beta1.ConditionParsed)
	if now == nil || string(now.Status) != "True" || now.Message == "" {
		return Event{}, false
	}
	if was := v1beta1.FindCondition(before, v1beta1.ConditionParsed); was != nil && was.Status == now.Status && was.Message == now.Message {
		return Event{}, false
	}
	return warning(ParseWarning, "%s", now.Message), true
}

func underWay(reason string) bool {
	return slices.Contains([]string{
		v1beta1.ReasonCreating,
		v1beta1.ReasonDeleting,
		v1beta1.ReasonUnavailable,
		v1beta1.ReasonWaitingForApproval,
		v1beta1.ReasonSuspended,
	}, reason)
}

// approvals reports plans that started to wait, changed while they waited, or
// were approved.
func approvals(before, after *v1beta1.WorkflowStatus) []Event {
	was := map[string]v1beta1.StepStatus{}
	for _, s := range steps(before) {
		was[s.ID] = s
	}
	var out []Event
	for _, s := range steps(after) {
		if e, ok := approval(was[s.ID], s); ok {
			out = append(out, e)
		}
	}
	return out
}

func approval(was, now v1beta1.StepStatus) (Event, bool) {
	if now.Plan == nil {
		return Event{}, false
	}
	old := v1beta1.StepPlan{}
	if was.Plan != nil {
		old = *was.Plan
	}
	plan := now.Plan
	switch {
	case plan.Approved != "" && plan.Approved != old.Approved && plan.Approved == plan.Digest:
		by := ""
		if plan.ApprovedBy != "" {
			by = " by " + plan.ApprovedBy
		}
		return normal(Approved, "step %q: plan %s was approved%s", now.Name, plan.Digest, by), true
	case now.Phase != v1beta1.StepSuspending || plan.Digest == old.Digest && was.Phase == now.Phase:
		return Event{}, false
	case old.Digest != "" && was.Phase == v1beta1.StepSuspending:
		return warning(PlanChanged, "step %q: plan %s replaces %s%s", now.Name, plan.Digest, old.Digest, summary(plan)), true
	default:
		return normal(WaitingForApproval, "step %q waits for the approval of plan %s%s", now.Name, plan.Digest, summary(plan)), true
	}
}

func summary(p *v1beta1.StepPlan) string {
	if p.Summary == "" {
		return ""
	}
	return ": " + p.Summary
}

// steps returns steps and sub-steps in their order.
func steps(w *v1beta1.WorkflowStatus) []v1beta1.StepStatus {
	if w == nil {
		return nil
	}
	var out []v1beta1.StepStatus
	for _, s := range w.Steps {
		out = append(out, s.StepStatus)
		out = append(out, s.SubSteps...)
	}
	return out
}

// phase reports that an Application arrived at running or fell out of it.
func phase(before, after v1beta1.ApplicationStatus) (Event, bool) {
	if before.Phase == after.Phase {
		return Event{}, false
	}
	switch after.Phase {
	case v1beta1.ApplicationRunning:
		if after.LatestRevision != nil {
			return normal(Deployed, "revision %q runs and is healthy", after.LatestRevision.Name), true
		}
		return normal(Deployed, "the application runs and is healthy"), true
	case v1beta1.ApplicationUnhealthy:
		return warning(Unhealthy, "%s", unhealthy(after)), true
	}
	return Event{}, false
}

func unhealthy(status v1beta1.ApplicationStatus) string {
	for _, s := range status.Services {
		if s.Healthy {
			continue
		}
		place := ""
		if s.Cluster != "" {
			place = fmt.Sprintf(" in cluster %q", s.Cluster)
		}
		if s.Message == "" {
			return fmt.Sprintf("component %q%s is not healthy", s.Name, place)
		}
		return fmt.Sprintf("component %q%s is not healthy: %s", s.Name, place, s.Message)
	}
	if ready := v1beta1.FindCondition(status.Conditions, v1beta1.ConditionReady); ready != nil && ready.Message != "" {
		return ready.Message // a policy decides about the health
	}
	return "the application is not healthy"
}

func normal(reason, format string, args ...any) Event {
	return Event{Type: corev1.EventTypeNormal, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

func warning(reason, format string, args ...any) Event {
	return Event{Type: corev1.EventTypeWarning, Reason: reason, Message: fmt.Sprintf(format, args...)}
}
