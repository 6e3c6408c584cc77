package plan

import "github.com/seed-c5f95f19/vela/pkg/delivery/manifest"

// The stages as numbers.
const (
	firstStage   = 0
	defaultStage = 1
	lastStage    = 2
)

func stageOrder(s manifest.Stage) int {
	switch s {
	case manifest.PreDispatch:
		return firstStage
	case manifest.PostDispatch:
		return lastStage
	}
	return defaultStage
}

// Ranks inside a stage: what others need comes first.
const (
	rankNamespace = iota
	rankCluster   // kinds and classes
	rankConfig    // identities, permissions, configuration, storage
	rankWorkload
	rankTrait
	rankAdmission // what could refuse the objects before it
	ranks
)

// kindRank orders kinds that others need or that judge others; the rest is
// ordered by its part in the component.
func kindRank(group, kind string) (int, bool) {
	switch group + "/" + kind {
	case "/Namespace":
		return rankNamespace, true
	case "apiextensions.k8s.io/CustomResourceDefinition", "scheduling.k8s.io/PriorityClass",
		"storage.k8s.io/StorageClass", "networking.k8s.io/IngressClass", "node.k8s.io/RuntimeClass":
		return rankCluster, true
	case "/ServiceAccount", "/Secret", "/ConfigMap", "/PersistentVolume", "/PersistentVolumeClaim",
		"/LimitRange", "/ResourceQuota",
		"rbac.authorization.k8s.io/ClusterRole", "rbac.authorization.k8s.io/ClusterRoleBinding",
		"rbac.authorization.k8s.io/Role", "rbac.authorization.k8s.io/RoleBinding":
		return rankConfig, true
	case "admissionregistration.k8s.io/ValidatingWebhookConfiguration",
		"admissionregistration.k8s.io/MutatingWebhookConfiguration",
		"admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding",
		"apiregistration.k8s.io/APIService":
		return rankAdmission, true
	}
	return 0, false
}

func rank(key manifest.Key, trait string) int {
	if r, special := kindRank(key.Group, key.Kind); special {
		return r
	}
	if trait != "" {
		return rankTrait
	}
	return rankWorkload
}

// wave is the number of the group in which m is sent.
func wave(m manifest.Manifest) int { return stageOrder(m.Stage)*ranks + rank(m.Key, m.Trait) }
