// Package status turns what one run of a delivery learned into the status of
// the Application. It is the last stage and pure: the same report gives the
// same bytes, so that a status that is unchanged is not written. KubeVela's
// words (phases, condition types, reasons) are derived here and nowhere else.
package status

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/observe"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// A Stage is a part of a run that has a condition of its own.
type Stage string

// The stages in the order in which a run passes them.
const (
	Parsed   Stage = "Parsed"
	Revision Stage = "Revision"
	Policy   Stage = "Policy"
	Render   Stage = "Render"
	Workflow Stage = "Workflow"
	Ready    Stage = "Ready"
)

var stages = []Stage{Parsed, Revision, Policy, Render, Workflow}

// A Report is everything that one run learned about an Application.
type Report struct {
	Generation int64
	Now        metav1.Time

	// Failed is the stage that Err came from; empty when all went well.
	Failed Stage
	Err    error

	// Warnings are things in the specification that work and are probably not
	// meant, one line each; "" when there are none.
	Warnings string

	// Deleting says what a deletion still waits for; nil when none was asked for.
	Deleting *Deleting

	Revision *v1beta1.Revision       // nil: not reached, the previous one stays
	Workflow *v1beta1.WorkflowStatus // nil: not reached, the previous one stays
	Health   []observe.Health        // of everything that was sent
	Observed bool                    // Health is complete; otherwise services stay as they were
	Owned    *inventory.Inventory    // nil: not read, appliedResources stay
	Policies *Policies               // nil: not reached, the previous ones stay
	Scoped   *Scoped                 // nil: not reached, the previous record stays
}

// Deleting says what the deletion of an Application waits for.
type Deleting struct {
	Remaining []manifest.Key
	Blocked   string // why nothing moves, one sentence; "" when it goes on
}

// Fold returns the status that follows from previous and r. It does not
// modify previous.
func Fold(previous v1beta1.ApplicationStatus, r Report) v1beta1.ApplicationStatus {
	next := *previous.DeepCopy()
	next.ObservedGeneration = r.Generation
	if r.Revision != nil {
		next.LatestRevision = r.Revision
	}
	if r.Workflow != nil {
		next.Workflow = r.Workflow
	}
	if r.Observed {
		next.Services = Services(r.Health)
	}
	if r.Owned != nil {
		next.AppliedResources = Applied(*r.Owned)
	}
	if r.Policies != nil {
		next.PolicyStatus = r.Policies.policyStatus()
	}
	r.applied(&next)
	next.Phase = phase(next, r)
	next.Conditions = conditions(previous.Conditions, next, r)
	return next
}

// phase derives KubeVela's one-word summary.
func phase(next v1beta1.ApplicationStatus, r Report) v1beta1.ApplicationPhase {
	switch {
	case r.Deleting != nil:
		return v1beta1.ApplicationDeleting
	case r.Failed == Parsed || r.Failed == Revision:
		return v1beta1.ApplicationRendering // what runs goes on; the newest specification is not in it
	case r.Failed == Policy:
		return v1beta1.ApplicationGeneratingPolicy
	}
	wf := next.Workflow
	switch {
	case wf == nil:
		return v1beta1.ApplicationStarting
	case wf.Phase == v1beta1.WorkflowSuspending:
		return v1beta1.ApplicationWorkflowSuspending
	case wf.Phase == v1beta1.WorkflowTerminated:
		return v1beta1.ApplicationWorkflowTerminated
	case wf.Phase == v1beta1.WorkflowFailed:
		return v1beta1.ApplicationWorkflowFailed
	case wf.Phase != v1beta1.WorkflowSucceeded:
		return v1beta1.ApplicationRunningWorkflow
	}
	if r.Policies != nil && r.Policies.Decide {
		if r.Policies.sick() != "" {
			return v1beta1.ApplicationUnhealthy
		}
		return v1beta1.ApplicationRunning
	}
	for _, s := range next.Services {
		if !s.Healthy {
			return v1beta1.ApplicationUnhealthy
		}
	}
	return v1beta1.ApplicationRunning
}

// conditions gives each stage its condition and sums them up in Ready.
func conditions(previous []v1beta1.Condition, next v1beta1.ApplicationStatus, r Report) []v1beta1.Condition {
	out := slices.Clone(previous)
	if r.Deleting != nil {
		return set(out, r.Now, deleting(r))
	}
	failedAt := slices.Index(stages, r.Failed)
	for i, s := range stages {
		switch {
		case failedAt >= 0 && i > failedAt:
			out = remove(out, string(s)) // not reached: what was said of it is old
		case i == failedAt:
			out = set(out, r.Now, failed(string(s), r.Err))
		case s == Workflow:
			out = set(out, r.Now, workflowCondition(next.Workflow))
		case s == Parsed:
			out = set(out, r.Now, v1beta1.Condition{Type: string(s), Status: metav1.ConditionTrue, Reason: v1beta1.ReasonAvailable, Message: r.Warnings})
		default:
			out = set(out, r.Now, v1beta1.Condition{Type: string(s), Status: metav1.ConditionTrue, Reason: v1beta1.ReasonAvailable})
		}
	}
	return set(out, r.Now, ready(next, r))
}

// ready sums up: the newest specification is delivered and healthy.
func ready(next v1beta1.ApplicationStatus, r Report) v1beta1.Condition {
	c := v1beta1.Condition{Type: string(Ready), Status: metav1.ConditionFalse}
	switch {
	case r.Err != nil:
		return failed(string(Ready), r.Err)
	case next.Phase == v1beta1.ApplicationRunning:
		c.Status, c.Reason = metav1.ConditionTrue, v1beta1.ReasonAvailable
	case next.Phase == v1beta1.ApplicationUnhealthy && r.Policies != nil && r.Policies.Decide:
		c.Reason, c.Message = v1beta1.ReasonUnavailable, r.Policies.sick()
	case next.Phase == v1beta1.ApplicationUnhealthy:
		c.Reason, c.Message = v1beta1.ReasonUnavailable, unhealthy(next.Services)
	default:
		w := workflowCondition(next.Workflow)
		c.Reason, c.Message = w.Reason, w.Message
	}
	return c
}

// workflowCondition says how far the workflow is.
func workflowCondition(wf *v1beta1.WorkflowStatus) v1beta1.Condition {
	c := v1beta1.Condition{Type: string(Workflow), Status: metav1.ConditionFalse}
	switch {
	case wf == nil:
		c.Reason = v1beta1.ReasonCreating
	case wf.Phase == v1beta1.WorkflowSucceeded:
		c.Status, c.Reason = metav1.ConditionTrue, v1beta1.ReasonAvailable
	case wf.Phase == v1beta1.WorkflowTerminated && !failing(wf):
		c.Reason, c.Message = v1beta1.ReasonTerminated, waiting(wf)
	case wf.Phase == v1beta1.WorkflowSuspending:
		c.Reason, c.Message = suspended(wf), waiting(wf)
	case wf.Phase == v1beta1.WorkflowFailed || wf.Phase == v1beta1.WorkflowTerminated || failing(wf):
		c.Reason, c.Message = v1beta1.ReasonStepFailed, waiting(wf) // the same while it is tried again and after the last time
	default:
		c.Reason, c.Message = v1beta1.ReasonCreating, waiting(wf)
	}
	return c
}

// failing reports whether a step has failed, for good or until it is tried again.
func failing(wf *v1beta1.WorkflowStatus) bool {
	for _, s := range wf.Steps {
		for _, each := range append([]v1beta1.StepStatus{s.StepStatus}, s.SubSteps...) {
			if each.Phase == v1beta1.StepFailed && each.Reason != v1beta1.StepReasonTerminate {
				return true
			}
		}
	}
	return false
}

// suspended tells a wait for the approval of a plan from another pause.
func suspended(wf *v1beta1.WorkflowStatus) string {
	for _, s := range wf.Steps {
		for _, each := range append([]v1beta1.StepStatus{s.StepStatus}, s.SubSteps...) {
			if each.Phase == v1beta1.StepSuspending && each.Plan != nil {
				return v1beta1.ReasonWaitingForApproval
			}
		}
	}
	return v1beta1.ReasonSuspended
}

// waiting is the sentence that says which steps did not succeed yet and why. Of
// a step that failed the others do not take away.
func waiting(wf *v1beta1.WorkflowStatus) string {
	var parts []string
	failed := failing(wf) && wf.Phase != v1beta1.WorkflowSuspending
	say := func(s v1beta1.StepStatus) {
		if failed && s.Phase != v1beta1.StepFailed {
			return
		}
		switch s.Phase {
		case v1beta1.StepRunning, v1beta1.StepSuspending, v1beta1.StepFailed:
			line := "step " + s.Name + " " + string(s.Phase)
			if s.Message != "" {
				line += ": " + s.Message
			}
			parts = append(parts, line)
		}
	}
	for _, s := range wf.Steps {
		if len(s.SubSteps) == 0 {
			say(s.StepStatus)
		}
		for _, sub := range s.SubSteps {
			say(sub)
		}
	}
	if len(parts) == 0 {
		return wf.Message
	}
	return strings.Join(parts, "; ")
}

// failed is the condition of a stage that ended in err.
func failed(kind string, err error) v1beta1.Condition {
	c := v1beta1.Condition{Type: kind, Status: metav1.ConditionFalse, Reason: v1beta1.ReasonReconcileError, Message: fault.Message(err)}
	if reason := fault.Reason(err); reason != "" {
		c.Reason = reason
	}
	return c
}

// deleting is the condition of an Application that goes.
func deleting(r Report) v1beta1.Condition {
	c := v1beta1.Condition{Type: "Deleting", Status: metav1.ConditionTrue, Reason: v1beta1.ReasonDeleting}
	names := make([]string, 0, len(r.Deleting.Remaining))
	for _, k := range r.Deleting.Remaining {
		names = append(names, k.String())
	}
	const most = 5
	if len(names) > most {
		names = append(names[:most], "...")
	}
	if len(names) > 0 {
		c.Message = "waits for " + strings.Join(names, ", ")
	}
	if r.Err != nil {
		c.Message = fault.Message(r.Err)
	}
	if r.Deleting.Blocked != "" {
		c.Message = r.Deleting.Blocked
	}
	return c
}

// set puts c into list; the time changes only when the status word does.
func set(list []v1beta1.Condition, now metav1.Time, c v1beta1.Condition) []v1beta1.Condition {
	c.LastTransitionTime = now
	i := slices.IndexFunc(list, func(o v1beta1.Condition) bool { return o.Type == c.Type })
	if i < 0 {
		return append(list, c)
	}
	if list[i].Status == c.Status {
		c.LastTransitionTime = list[i].LastTransitionTime
	}
	list[i] = c
	return list
}

func remove(list []v1beta1.Condition, kind string) []v1beta1.Condition {
	return slices.DeleteFunc(list, func(c v1beta1.Condition) bool { return c.Type == kind })
}

// unhealthy names the services that are not, in order.
func unhealthy(services []v1beta1.ApplicationComponentStatus) string {
	var parts []string
	for _, s := range services {
		if s.Healthy {
			continue
		}
		line := s.Name
		if s.Cluster != "" {
			line += " on " + s.Cluster
		}
		if s.Message != "" {
			line += ": " + s.Message
		}
		for _, t := range s.Traits {
			if !t.Healthy && t.Message != "" {
				line += "; trait " + t.Type + ": " + t.Message
			}
		}
		parts = append(parts, line)
	}
	return strings.Join(parts, "; ")
}
