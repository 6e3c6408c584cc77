package workflow

import (
	"context"
	"time"
)

// A Mode says how steps follow each other.
type Mode string

// Modes. The empty mode of a workflow is StepByStep, of sub steps DAG.
const (
	StepByStep Mode = "StepByStep" // one after the other
	DAG        Mode = "DAG"        // all whose dependencies are finished, side by side
)

// Types of steps that the engine itself knows.
const (
	TypeSuspend = "suspend"
	typeGroup   = "step-group"
)

// A Spec is the order of work. Names of steps are unique over all levels.
type Spec struct {
	Mode    Mode
	SubMode Mode // of step groups without a mode of their own
	Steps   []Step
}

// A Step is one unit of work, or a group of sub steps.
type Step struct {
	Name       string
	Type       string
	If         string // "", "always" or a CUE expression
	Timeout    string // Go duration, counted from the first execution
	Mode       Mode   // of the sub steps of a group
	DependsOn  []string
	Inputs     []Input
	Outputs    []Output
	Properties map[string]any // JSON-like
	SubSteps   []Step
}

// An Input takes the value of an output by name; with a ParameterKey it is set
// in the properties at that path ("a.b", "a[0].b", `a["x-y"]`).
type Input struct{ From, ParameterKey string }

// An Output gives the value of an expression over the step a name.
type Output struct{ Name, ValueFrom string }

// A Phase is the state of a workflow or of one step.
type Phase string

// Phases of a workflow.
const (
	executing  Phase = "executing"
	Terminated Phase = "terminated"
)

// Phases of a step. Suspending, Failed and Succeeded are phases of a workflow
// too.
const (
	pending    Phase = "pending"
	Running    Phase = "running"
	Suspending Phase = "suspending"
	Succeeded  Phase = "succeeded"
	Failed     Phase = "failed"
	Skipped    Phase = "skipped"
)

// A Reason says in a word why a step is in its phase.
type Reason string

// Reasons of a step. A failed step with reason Execute or Output is tried
// again; with any other reason it has failed for good.
const (
	reasonWait               Reason = "Wait"
	reasonSkip               Reason = "Skip"
	reasonRendering          Reason = "Rendering"
	reasonExecute            Reason = "Execute"
	reasonSuspend            Reason = "Suspend"
	reasonTerminate          Reason = "Terminate"
	reasonParameter          Reason = "ProcessParameter"
	reasonInput              Reason = "Input"
	reasonOutput             Reason = "Output"
	reasonFailedAfterRetries Reason = "FailedAfterRetries"
	reasonTimeout            Reason = "Timeout"
	reasonAction             Reason = "Action"
)

// A Progress is how far a workflow has come. Its JSON form has the fields of
// status.workflow; Vars are stored elsewhere. It is a value: Run and the
// operations return a new one and leave theirs alone.
type Progress struct {
	Mode         string         `json:"mode"` // "StepByStep-DAG"
	Phase        Phase          `json:"status,omitempty"`
	Message      string         `json:"message,omitempty"`
	Suspend      bool           `json:"suspend"`
	SuspendState string         `json:"suspendState,omitempty"`
	Terminated   bool           `json:"terminated"`
	Finished     bool           `json:"finished"`
	Steps        []StepProgress `json:"steps,omitempty"`
	StartTime    time.Time      `json:"startTime,omitzero"`
	EndTime      time.Time      `json:"endTime,omitzero"`

	Vars Vars `json:"-"`
}

// A StepProgress is how far one step has come.
type StepProgress struct {
	ID      string `json:"id"` // stable: derived from the name
	Name    string `json:"name,omitempty"`
	Type    string `json:"type,omitempty"`
	Phase   Phase  `json:"phase,omitempty"`
	Reason  Reason `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`

	// FirstExecuteTime is when the step was first tried, LastExecuteTime when
	// its state last changed; both in whole seconds.
	FirstExecuteTime time.Time `json:"firstExecuteTime,omitzero"`
	LastExecuteTime  time.Time `json:"lastExecuteTime,omitzero"`

	Plan     *Plan          `json:"plan,omitempty"`
	SubSteps []StepProgress `json:"subSteps,omitempty"` // of a group, one level deep
}

// A Plan is what a step shows for approval. An approval holds for Digest only.
type Plan struct {
	Digest     string `json:"digest"`
	Approved   string `json:"approved,omitempty"`
	ApprovedBy string `json:"approvedBy,omitempty"`
	Summary    string `json:"summary,omitempty"`
}

// ApprovedByTime is the ApprovedBy of a suspension that ended by itself: nobody
// has seen the plan, and nobody wanted to be asked.
const ApprovedByTime = "duration"

// Env is what a run needs from outside.
type Env struct {
	// Runners finds what executes a step of a type. It is not asked for groups.
	Runners func(stepType string) (Runner, error)
	// Engine evaluates `if` and outputs; *cue.Engine does.
	Engine Engine
	// Context holds the fields of `context` that all steps see. The engine adds
	// stepName, stepSessionID, stepGroupName and spanID.
	Context map[string]any
	Now     func() time.Time // nil means time.Now

	Parallel int // steps that run at the same time; 0 means 10
	Retry    Retry
}

// Retry limits how often a step that returns errors is tried again. Zero
// fields mean the defaults in parentheses.
type Retry struct {
	Times  int           // after the first attempt (10)
	Min    time.Duration // between two attempts (1s)
	Max    time.Duration // (5m)
	Waiter time.Duration // longest pause between two looks of a step that polls (1m)
}

// An Engine evaluates CUE expressions over named values.
type Engine interface {
	Bool(expr string, scope map[string]any) (bool, error)
	Expr(expr string, scope map[string]any) (any, error)
}

// A Runner executes one step once. It must not wait: what takes longer is an
// outcome (Running) and it will be asked again. It must be idempotent, because
// a process can die between the effect and the storing of the Progress. An error
// is tried again with back-off unless it is terminal (package fault). A Runner
// is used concurrently.
type Runner interface {
	Run(ctx context.Context, run StepRun) (StepResult, error)
}

// A StepRun is one attempt to execute a step. The runner must not modify it.
type StepRun struct {
	ID, Name, Type, Group string

	Properties map[string]any // with the inputs set
	Inputs     map[string]any // by name
	Context    map[string]any // fields of `context` of this step
	Values     map[string]any // of the workflow: outputs and variables, by name
	Now        time.Time

	// Resumed says that the step was suspended and goes on.
	Resumed bool
	// Plan is what the step has shown and what was approved of it; nil if
	// nothing.
	Plan *Plan
	// Memory is what the runner wanted to remember when it last ran.
	Memory map[string]string
	// Next are the steps that a step of type suspend holds back, in order, up to
	// the next of that type. Groups are replaced by their sub steps.
	Next []Step
}

// A StepResult is the outcome of one attempt.
type StepResult struct {
	Phase   Phase  // Succeeded, Running, Suspending or Failed; empty is Succeeded
	Reason  Reason // empty: what goes with the phase
	Message string

	// After is when to look again at a step that is Running; 0 leaves it to
	// events. Poll asks for a look at growing intervals instead.
	After time.Duration
	Poll  bool
	// Until ends a suspension by itself; zero does not.
	Until time.Time
	// Stop ends the workflow after this step: it counts as terminated.
	Stop bool

	Plan *Plan // what the step shows from now on; nil leaves it as it is
	// Approves passes an approval on to steps that have not begun, by name.
	Approves map[string]Approval
	// Memory replaces what the runner remembers; nil leaves it as it is.
	Memory map[string]string
	// Values are variables to set for later steps.
	Values map[string]any
	// Value is what outputs are evaluated over; nil: over properties, inputs and
	// context only.
	Value Value
}

// An Approval lets a later step execute one plan without asking.
type Approval struct {
	Digest  string
	Summary string
	Memory  map[string]string // what the later step remembers of it
}

// A Value evaluates expressions over the fields of an executed step;
// *cue.Result does.
type Value interface {
	Expr(expr string) (any, error)
}
