// Package oam holds the label, annotation and finalizer keys that connect
// objects to their Application. The keys are KubeVela's: other tools read them.
// Nothing here has behaviour.
package oam

// SystemNamespace is where definitions and clusters of the whole installation
// live.
const SystemNamespace = "vela-system"

// LocalCluster is the name of the hub itself among the clusters.
const LocalCluster = "local"

// Labels on managed resources, trackers and revisions.
const (
	LabelAppName         = "app.oam.dev/name"
	LabelAppNamespace    = "app.oam.dev/namespace"
	LabelAppUID          = "app.oam.dev/uid"
	LabelAppRevision     = "app.oam.dev/appRevision"
	LabelAppRevisionHash = "app.oam.dev/app-revision-hash"
	LabelComponent       = "app.oam.dev/component"
	LabelRevision        = "app.oam.dev/revision"
	LabelResourceType    = "app.oam.dev/resourceType"
	LabelReplicaKey      = "app.oam.dev/replicaKey"
	LabelCluster         = "app.oam.dev/cluster"
	LabelWorkloadType    = "workload.oam.dev/type"
	LabelTraitType       = "trait.oam.dev/type"
	LabelTraitResource   = "trait.oam.dev/resource"
	LabelTraitName       = "trait.oam.dev/name"
	LabelManageWorkload  = "trait.oam.dev/manage-workload"
	LabelRenderHash      = "oam.dev/render-hash"
	LabelPreCheck        = "core.oam.dev/pre-check"
)

// Values of the labels above.
const (
	ResourceTypeWorkload = "WORKLOAD"
	ResourceTypeTrait    = "TRAIT"
	// AuxiliaryWorkload is the trait type of the further outputs of a component.
	AuxiliaryWorkload = "AuxiliaryWorkload"
)

// Labels on Applications.
const (
	LabelProject         = "core.oam.dev/project"
	LabelControllerPause = "controller.core.oam.dev/pause"
	LabelSourceOfTruth   = "app.oam.dev/source-of-truth"
	LabelScheduled       = "controller.core.oam.dev/scheduled-shard-id"
	LabelShard           = "controller.core.oam.dev/shard-id"
)

// Labels on definitions and what is stored with them.
const (
	LabelComponentDefinition    = "componentdefinition.oam.dev/name"
	LabelTraitDefinition        = "trait.oam.dev/name"
	LabelPolicyDefinition       = "policydefinition.oam.dev/name"
	LabelWorkflowStepDefinition = "workflowstepdefinition.oam.dev/name"
	LabelDefinition             = "definition.oam.dev"
	LabelDefinitionName         = "definition.oam.dev/name"
	LabelDefinitionDeprecated   = "custom.definition.oam.dev/deprecated"
	LabelDefinitionHidden       = "custom.definition.oam.dev/ui-hidden"
	LabelControllerComponent    = "controller.oam.dev/component"
	LabelControllerName         = "controller.oam.dev/name"
)

// CustomDefinitionPrefix is put before definition labels and annotations that do
// not contain oam.dev.
const CustomDefinitionPrefix = "custom.definition.oam.dev/"

// Annotations on definitions.
const (
	AnnotationDefinitionRevision    = "definitionrevision.oam.dev/name"
	AnnotationDefinitionDescription = "definition.oam.dev/description"
	AnnotationDefinitionAlias       = "definition.oam.dev/alias"
	AnnotationDefinitionIcon        = "definition.oam.dev/icon"
	AnnotationDefinitionExample     = "definition.oam.dev/example-url"
	AnnotationDefinitionAppliesTo   = "definition.oam.dev/appliedWorkloads"
	AnnotationAddonBindComponent    = "addon.oam.dev/bind-component"
	AnnotationAddonIgnoreWithout    = "addon.oam.dev/ignore-without-component"
)

// Annotations on Applications.
const (
	AnnotationPublishVersion      = "app.oam.dev/publishVersion"
	AnnotationDeployVersion       = "app.oam.dev/deployVersion"
	AnnotationAutoUpdate          = "app.oam.dev/autoUpdate"
	AnnotationWorkflowName        = "app.oam.dev/workflowName"
	AnnotationAppName             = "app.oam.dev/appName"
	AnnotationAppAlias            = "app.oam.dev/appAlias"
	AnnotationAppRevision         = "app.oam.dev/app-revision"
	AnnotationRestartWorkflow     = "app.oam.dev/restart-workflow"
	AnnotationReconcileInterval   = "app.oam.dev/reconcile-interval"
	AnnotationForceParamMutations = "app.oam.dev/force-param-mutations"
	AnnotationControllerVersion   = "app.oam.dev/controller-version-require"
	AnnotationServiceAccount      = "app.oam.dev/service-account-name"
	AnnotationUsername            = "app.oam.dev/username"
	AnnotationGroup               = "app.oam.dev/group"
	AnnotationDisableHealthCheck  = "app.oam.dev/disable-health-check"
	AnnotationPolicyAutoRevision  = "policy.oam.dev/auto-revision"
	AnnotationPolicySkipGlobal    = "policy.oam.dev/skip-global"
	AnnotationPolicyProduced      = "policy.oam.dev/produced" // in revisions: what Application-scoped policies made
	AnnotationVersion             = "oam.dev/kubevela-version"
)

// Annotations that stay on the Application and are not copied to resources.
const (
	AnnotationInplaceUpgrade       = "app.oam.dev/inplace-upgrade"
	AnnotationFilterAnnotationKeys = "filter.oam.dev/annotation-keys"
	AnnotationFilterLabelKeys      = "filter.oam.dev/label-keys"
)

// Annotations on managed resources.
const (
	AnnotationLastApplied     = "app.oam.dev/last-applied-configuration"
	AnnotationLastAppliedTime = "app.oam.dev/last-applied-time"
	AnnotationSharedBy        = "app.oam.dev/shared-by"
	AnnotationResourceURL     = "app.oam.dev/resource-url"
	AnnotationReferredBy      = "app.oam.dev/referred-by"
)

// Keys on the Secret of a cluster.
const (
	LabelClusterCredentialType     = "cluster.core.oam.dev/cluster-credential-type"
	LabelClusterEndpointType       = "cluster.core.oam.dev/cluster-endpoint-type"
	LabelClusterControlPlane       = "cluster.core.oam.dev/control-plane"
	AnnotationClusterAlias         = "cluster.core.oam.dev/cluster-alias"
	AnnotationClusterVersion       = "cluster.core.oam.dev/cluster-version"
	AnnotationClusterHealthy       = "status.cluster.core.oam.dev/healthy"
	AnnotationClusterHealthyReason = "status.cluster.core.oam.dev/healthy-reason"
	AnnotationClusterProxy         = "cluster.core.oam.dev/cluster-gateway-proxy-configuration"
)

// Keys of addons, configs and environments.
const (
	LabelAddonName         = "addons.oam.dev/name"
	LabelAddonVersion      = "addons.oam.dev/version"
	LabelAddonRegistry     = "addons.oam.dev/registry"
	LabelAddonAuxiliary    = "addons.oam.dev/auxiliary-name"
	LabelConfigType        = "config.oam.dev/type"
	LabelConfigCatalog     = "config.oam.dev/catalog"
	LabelConfigSubType     = "config.oam.dev/sub-type"
	LabelConfigProject     = "config.oam.dev/project"
	LabelConfigMultiple    = "config.oam.dev/multi-cluster"
	LabelConfigIdentifier  = "config.oam.dev/identifier"
	LabelConfigScope       = "config.oam.dev/scope"
	AnnotationConfigSecret = "config.oam.dev/sensitive"
	AnnotationConfigTmplNS = "config.oam.dev/template-namespace"
	AnnotationConfigDesc   = "config.oam.dev/description"
	AnnotationConfigAlias  = "config.oam.dev/alias"
	AnnotationConfigDist   = "config.oam.dev/distribution-spec"
	LabelNamespaceEnv      = "namespace.oam.dev/env"
	LabelNamespaceTarget   = "namespace.oam.dev/target"
	LabelUsageControlPlane = "usage.oam.dev/control-plane"
	LabelUsageRuntime      = "usage.oam.dev/runtime"
	LabelRules             = "rules.oam.dev/resources"
	LabelRulesFormat       = "rules.oam.dev/resource-format"
)

// Keys of workflow runs and of objects that their steps apply.
const (
	LabelWorkflowRunName          = "workflowrun.oam.dev/name"
	LabelWorkflowRunNamespace     = "workflowrun.oam.dev/namespace"
	AnnotationWorkflowRunDebug    = "workflowrun.oam.dev/debug"
	AnnotationWorkflowRunVersion  = "workflowrun.oam.dev/controller-version-require"
	AnnotationWorkflowLastApplied = "workflow.oam.dev/last-applied-configuration"
	AnnotationWorkflowAppliedTime = "workflow.oam.dev/last-applied-time"
)

// Annotations of Packages, which are ours: KubeVela verifies no certificate and
// calls every function while it renders.
const (
	AnnotationPackageInsecure = "cue.oam.dev/insecure-skip-tls-verify" // "true" accepts every certificate
	AnnotationPackageCA       = "cue.oam.dev/ca-bundle"                // certificates to trust, as PEM
	AnnotationPackageEffects  = "cue.oam.dev/effects"                  // "true": functions change the world; only steps call them
)

// Finalizers.
const (
	// FinalizerResourceTracker on an Application waits for its resources to go.
	FinalizerResourceTracker = "app.oam.dev/resource-tracker-finalizer"
	// FinalizerOrphan on an Application leaves its resources when it is deleted.
	FinalizerOrphan = "app.oam.dev/orphan-resource"
	// FinalizerTracked on a ResourceTracker deletes what it lists.
	FinalizerTracked = "resourcetracker.core.oam.dev/finalizer"
)
