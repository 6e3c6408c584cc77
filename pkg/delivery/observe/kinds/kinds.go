// Package kinds judges the health of one live object by its kind, for the
// kinds that Kubernetes itself brings, and by its conditions for all others.
// It is pure: it looks at the object and at nothing else.
package kinds

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// A Verdict is what the status of an object says about its health.
type Verdict struct {
	Healthy bool
	Message string // one sentence without times; may be empty when healthy
}

// A rule judges objects of one kind. The object exists, has been seen by its
// controller and is not being deleted.
type rule func(object) Verdict

// rules is the list of kinds that have a rule of their own.
func rules(gk schema.GroupKind) rule {
	switch gk {
	case schema.GroupKind{Group: "apps", Kind: "Deployment"}:
		return deployment
	case schema.GroupKind{Group: "apps", Kind: "StatefulSet"}:
		return statefulSet
	case schema.GroupKind{Group: "apps", Kind: "DaemonSet"}:
		return daemonSet
	case schema.GroupKind{Group: "apps", Kind: "ReplicaSet"}:
		return replicaSet
	case schema.GroupKind{Kind: "ReplicationController"}:
		return replicaSet
	case schema.GroupKind{Kind: "Pod"}:
		return pod
	case schema.GroupKind{Group: "batch", Kind: "Job"}:
		return job
	case schema.GroupKind{Group: "batch", Kind: "CronJob"}:
		return cronJob
	case schema.GroupKind{Kind: "Service"}:
		return service
	case schema.GroupKind{Kind: "PersistentVolumeClaim"}:
		return persistentVolumeClaim
	case schema.GroupKind{Kind: "PersistentVolume"}:
		return persistentVolume
	case schema.GroupKind{Kind: "Namespace"}:
		return namespace
	case schema.GroupKind{Group: "networking.k8s.io", Kind: "Ingress"}:
		return ingress
	case schema.GroupKind{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}:
		return horizontalPodAutoscaler
	case schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}:
		return customResourceDefinition
	case schema.GroupKind{Group: "core.oam.dev", Kind: "Application"}:
		return application
	case schema.GroupKind{Group: "terraform.core.oam.dev", Kind: "Configuration"}:
		return terraformConfiguration
	}
	return nil
}

// Judge returns what the status of a live object says.
func Judge(live *unstructured.Unstructured) Verdict {
	o := object(live.Object)
	if live.GetDeletionTimestamp() != nil {
		return unhealthy("is being deleted")
	}
	observed, reports := o.number("status", "observedGeneration")
	if reports && observed < o.count("metadata", "generation") {
		return unhealthy("its controller has not seen the last change yet")
	}
	if r := rules(live.GroupVersionKind().GroupKind()); r != nil {
		return r(o)
	}
	return conditions(o)
}

func healthy(message string) Verdict   { return Verdict{Healthy: true, Message: message} }
func unhealthy(message string) Verdict { return Verdict{Message: message} }
