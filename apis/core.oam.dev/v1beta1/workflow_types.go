package v1beta1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Workflow orders a delivery: inline steps, or a reference to a Workflow object
// in the same namespace.
//
// +kubebuilder:skipversion
type Workflow struct {
	Ref   string               `json:"ref,omitempty"`
	Mode  *WorkflowExecuteMode `json:"mode,omitempty"`
	Steps []WorkflowStep       `json:"steps,omitempty"`
}

// WorkflowMode says how steps follow each other.
type WorkflowMode string

// Modes of execution.
const (
	WorkflowModeDAG        WorkflowMode = "DAG"
	WorkflowModeStepByStep WorkflowMode = "StepByStep"
)

// WorkflowExecuteMode is the mode of the steps and of the sub-steps.
type WorkflowExecuteMode struct {
	Steps    WorkflowMode `json:"steps,omitempty"`
	SubSteps WorkflowMode `json:"subSteps,omitempty"`
}

// WorkflowStep is one step, or a group of sub-steps.
type WorkflowStep struct {
	WorkflowStepBase `json:",inline"`

	// Mode is how the sub-steps of a group follow each other.
	// +nullable
	Mode     WorkflowMode       `json:"mode,omitempty"`
	SubSteps []WorkflowStepBase `json:"subSteps,omitempty"`
}

// WorkflowStepBase is what a step and a sub-step have in common.
type WorkflowStepBase struct {
	// Name may be left out: the step is then called step-<index>, a sub-step
	// step-<index>-<sub-index>.
	Name string            `json:"name,omitempty"`
	Type string            `json:"type"`
	Meta *WorkflowStepMeta `json:"meta,omitempty"`

	// If is a CUE expression over status, inputs and context; "always" runs the
	// step even after a failure.
	If      string `json:"if,omitempty"`
	Timeout string `json:"timeout,omitempty"`

	DependsOn []string     `json:"dependsOn,omitempty"`
	Inputs    []StepInput  `json:"inputs,omitempty"`
	Outputs   []StepOutput `json:"outputs,omitempty"`

	// +kubebuilder:pruning:PreserveUnknownFields
	Properties *runtime.RawExtension `json:"properties,omitempty"`
}

// WorkflowStepMeta is for people.
type WorkflowStepMeta struct {
	Alias string `json:"alias,omitempty"`
}

// StepInput copies a value another step or component has put out into the
// properties.
type StepInput struct {
	From         string `json:"from"`
	ParameterKey string `json:"parameterKey,omitempty"`
}

// StepOutput offers a value of this step or component to others.
type StepOutput struct {
	Name      string `json:"name"`
	ValueFrom string `json:"valueFrom"`
}

// WorkflowPhase is the state of a whole workflow.
type WorkflowPhase string

// Phases of a workflow.
const (
	WorkflowInitializing WorkflowPhase = "initializing"
	WorkflowExecuting    WorkflowPhase = "executing"
	WorkflowSuspending   WorkflowPhase = "suspending"
	WorkflowTerminated   WorkflowPhase = "terminated"
	WorkflowFailed       WorkflowPhase = "failed"
	WorkflowSucceeded    WorkflowPhase = "succeeded"
	WorkflowSkipped      WorkflowPhase = "skipped"
)

// WorkflowStatus is the progress of the workflow of an Application.
type WorkflowStatus struct {
	AppRevision string `json:"appRevision,omitempty"`

	// Mode is "<steps>-<sub-steps>", for example StepByStep-DAG.
	Mode    string        `json:"mode"`
	Phase   WorkflowPhase `json:"status,omitempty"`
	Message string        `json:"message,omitempty"`

	Suspend      bool   `json:"suspend"`
	SuspendState string `json:"suspendState,omitempty"`
	Terminated   bool   `json:"terminated"`
	Finished     bool   `json:"finished"`

	// ContextBackend names the object that holds the values of the run.
	ContextBackend *corev1.ObjectReference `json:"contextBackend,omitempty"`
	Steps          []WorkflowStepStatus    `json:"steps,omitempty"`

	StartTime metav1.Time `json:"startTime,omitzero"`
	// +nullable
	EndTime metav1.Time `json:"endTime,omitzero"`
}

// WorkflowStepStatus is the progress of one step and its sub-steps.
type WorkflowStepStatus struct {
	StepStatus `json:",inline"`
	SubSteps   []StepStatus `json:"subSteps,omitempty"`
}

// StepPhase is the state of one step.
type StepPhase string

// Phases of a step.
const (
	StepPending    StepPhase = "pending"
	StepRunning    StepPhase = "running"
	StepSuspending StepPhase = "suspending"
	StepSucceeded  StepPhase = "succeeded"
	StepFailed     StepPhase = "failed"
	StepSkipped    StepPhase = "skipped"
)

// Reasons of a step's phase.
const (
	StepReasonWait               = "Wait"
	StepReasonSkip               = "Skip"
	StepReasonRendering          = "Rendering"
	StepReasonExecute            = "Execute"
	StepReasonSuspend            = "Suspend"
	StepReasonTerminate          = "Terminate"
	StepReasonParameter          = "ProcessParameter"
	StepReasonInput              = "Input"
	StepReasonOutput             = "Output"
	StepReasonFailedAfterRetries = "FailedAfterRetries"
	StepReasonTimeout            = "Timeout"
	StepReasonAction             = "Action"
)

// StepStatus is the progress of a step or sub-step.
type StepStatus struct {
	ID      string    `json:"id"`
	Name    string    `json:"name,omitempty"`
	Type    string    `json:"type,omitempty"`
	Phase   StepPhase `json:"phase,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Message string    `json:"message,omitempty"`

	FirstExecuteTime metav1.Time `json:"firstExecuteTime,omitzero"`
	LastExecuteTime  metav1.Time `json:"lastExecuteTime,omitzero"`

	// Plan is the plan that the step waits for or has executed. KubeVela has no
	// such field; its tools ignore it.
	Plan *StepPlan `json:"plan,omitempty"`
}

// StepPlan binds a step to the exact plan it waits for or has executed.
type StepPlan struct {
	// Digest identifies the plan by its content.
	Digest string `json:"digest"`

	// Approved is the digest that was approved. The approval is void as soon as
	// it differs from Digest.
	Approved string `json:"approved,omitempty"`

	// ApprovedBy is who approved it.
	ApprovedBy string `json:"approvedBy,omitempty"`

	// Summary says in one line what the plan changes.
	Summary string `json:"summary,omitempty"`
}
