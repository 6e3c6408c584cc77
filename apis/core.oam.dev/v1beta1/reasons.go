package v1beta1

// Reasons that KubeVela writes into conditions and its users know.
const (
	ReasonAvailable        = "Available"
	ReasonUnavailable      = "Unavailable"
	ReasonCreating         = "Creating"
	ReasonDeleting         = "Deleting"
	ReasonReconcileSuccess = "ReconcileSuccess"
	ReasonReconcileError   = "ReconcileError"
)

// Reasons that say what is wrong with the user's input. Conditions, events,
// faults and the CLI use the same words.
const (
	// ReasonInvalidApplication: the Application contradicts itself or has a field
	// that cannot be read.
	ReasonInvalidApplication = "InvalidApplication"
	// ReasonDuplicateName: two components, policies or steps have the same name.
	ReasonDuplicateName = "DuplicateName"
	// ReasonDuplicateOutput: two templates, or one trait twice, claim the same object.
	ReasonDuplicateOutput = "DuplicateOutput"
	// ReasonDefinitionMissing: a component, trait, policy or step type is not
	// installed. It may be installed later.
	ReasonDefinitionMissing = "DefinitionMissing"
	// ReasonInvalidDefinition: the template of a definition does not compile or
	// breaks the template contract.
	ReasonInvalidDefinition = "InvalidDefinition"
	// ReasonInvalidProperties: a property is missing or has the wrong type or value.
	ReasonInvalidProperties = "InvalidProperties"
	// ReasonUnknownProperty: a property is not a parameter of its type (strict mode).
	ReasonUnknownProperty = "UnknownProperty"
	// ReasonNotConformant: a rule of the Open Application Model is broken, such as
	// a trait on a workload that it does not apply to (strict mode).
	ReasonNotConformant = "NotConformant"
	// ReasonImmutable: a property changed that may not change after creation.
	ReasonImmutable = "ImmutableProperty"
	// ReasonInvalidPolicy: the properties of a policy make no sense.
	ReasonInvalidPolicy = "InvalidPolicy"
	// ReasonInvalidWorkflow: the steps cannot be put in order.
	ReasonInvalidWorkflow = "InvalidWorkflow"
	// ReasonReferenceMissing: an object that the Application refers to is absent.
	ReasonReferenceMissing = "ReferenceMissing"
	// ReasonRenderFailed: a template did not produce objects from its inputs.
	ReasonRenderFailed = "RenderFailed"
	// ReasonBudgetExceeded: an input or its rendering is too big.
	ReasonBudgetExceeded = "BudgetExceeded"
)

// Reasons that say what is wrong with the world.
const (
	// ReasonNoCluster: a topology selects no cluster.
	ReasonNoCluster = "NoClusterSelected"
	// ReasonClusterMissing: a named cluster has not been joined.
	ReasonClusterMissing = "ClusterMissing"
	// ReasonClusterUnreachable: a cluster does not answer.
	ReasonClusterUnreachable = "ClusterUnreachable"
	// ReasonInvalidCredential: the credential of a cluster cannot be used.
	ReasonInvalidCredential = "InvalidCredential"
	// ReasonOwnedByOther: an object belongs to another Application.
	ReasonOwnedByOther = "OwnedByAnotherApplication"
	// ReasonForbidden: the identity of the Application may not do this.
	ReasonForbidden = "Forbidden"
	// ReasonRefused: an API server rejected an object.
	ReasonRefused = "RefusedByServer"
	// ReasonConflict: another manager holds a field that is wanted.
	ReasonConflict = "FieldConflict"
	// ReasonDeleteFailed: an object could not be deleted and stays owned.
	ReasonDeleteFailed = "DeleteFailed"
	// ReasonUnhealthy: everything is applied, not everything is healthy.
	ReasonUnhealthy = "Unhealthy"
	// ReasonInternal: a defect of ours; the log says more.
	ReasonInternal = "InternalError"
)

// Reasons of a workflow that does not move.
const (
	// ReasonWaitingForApproval: a step waits until its plan is approved.
	ReasonWaitingForApproval = "WaitingForApproval"
	// ReasonPlanChanged: the approved plan is no longer the one that would run.
	ReasonPlanChanged = "PlanChanged"
	// ReasonSuspended: the workflow was suspended.
	ReasonSuspended = "Suspended"
	// ReasonTerminated: the workflow was terminated.
	ReasonTerminated = "Terminated"
	// ReasonStepFailed: a step has failed.
	ReasonStepFailed = "StepFailed"
)
