package status

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
)

// FromProgress is how the status of an Application shows the progress of its
// workflow. Values between steps are not part of it.
func FromProgress(p workflow.Progress) *v1beta1.WorkflowStatus {
	out := &v1beta1.WorkflowStatus{
		Mode: p.Mode, Phase: v1beta1.WorkflowPhase(p.Phase), Message: p.Message,
		Suspend: p.Suspend, SuspendState: p.SuspendState, Terminated: p.Terminated, Finished: p.Finished,
		StartTime: metav1.NewTime(p.StartTime), EndTime: metav1.NewTime(p.EndTime),
	}
	for _, s := range p.Steps {
		step := v1beta1.WorkflowStepStatus{StepStatus: fromStep(s)}
		for _, sub := range s.SubSteps {
			step.SubSteps = append(step.SubSteps, fromStep(sub))
		}
		out.Steps = append(out.Steps, step)
	}
	return out
}

func fromStep(s workflow.StepProgress) v1beta1.StepStatus {
	out := v1beta1.StepStatus{
		ID: s.ID, Name: s.Name, Type: s.Type, Phase: v1beta1.StepPhase(s.Phase), Reason: string(s.Reason), Message: s.Message,
		FirstExecuteTime: metav1.NewTime(s.FirstExecuteTime), LastExecuteTime: metav1.NewTime(s.LastExecuteTime),
	}
	if s.Plan != nil {
		plan := v1beta1.StepPlan(*s.Plan)
		out.Plan = &plan
	}
	return out
}

// ToProgress reads the progress of a workflow out of the status; nil has not
// begun.
func ToProgress(wf *v1beta1.WorkflowStatus) workflow.Progress {
	if wf == nil {
		return workflow.Progress{}
	}
	out := workflow.Progress{
		Mode: wf.Mode, Phase: workflow.Phase(wf.Phase), Message: wf.Message,
		Suspend: wf.Suspend, SuspendState: wf.SuspendState, Terminated: wf.Terminated, Finished: wf.Finished,
		StartTime: wf.StartTime.UTC(), EndTime: wf.EndTime.UTC(),
	}
	for _, s := range wf.Steps {
		step := toStep(s.StepStatus)
		for _, sub := range s.SubSteps {
			step.SubSteps = append(step.SubSteps, toStep(sub))
		}
		out.Steps = append(out.Steps, step)
	}
	return out
}

func toStep(s v1beta1.StepStatus) workflow.StepProgress {
	out := workflow.StepProgress{
		ID: s.ID, Name: s.Name, Type: s.Type, Phase: workflow.Phase(s.Phase), Reason: workflow.Reason(s.Reason), Message: s.Message,
		FirstExecuteTime: s.FirstExecuteTime.UTC(), LastExecuteTime: s.LastExecuteTime.UTC(),
	}
	if s.Plan != nil {
		plan := workflow.Plan(*s.Plan)
		out.Plan = &plan
	}
	return out
}
