// Package manifest holds the one value that every stage of a delivery hands
// to the next: a Kubernetes object, the cluster that it is meant for, and
// which part of the Application it came from. It renders, compares and sends
// nothing. Keys identify objects across the plan, the inventory and the
// clusters.
package manifest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Local is the name of the control plane's own cluster.
const Local = "local"

// A Key names one object in one cluster. The version of its API is not part
// of its identity: the same object may be read in several versions.
type Key struct {
	Cluster   string
	Group     string
	Kind      string
	Namespace string
	Name      string
}

// String returns "cluster: Kind.group namespace/name", for messages.
func (k Key) String() string { return k.Cluster + ": " + k.Object() }

// Object returns "Kind.group namespace/name".
func (k Key) Object() string {
	kind := schema.GroupKind{Group: k.Group, Kind: k.Kind}.String()
	if k.Namespace == "" {
		return kind + " " + k.Name
	}
	return fmt.Sprintf("%s %s/%s", kind, k.Namespace, k.Name)
}

// Compare orders keys by cluster, namespace, kind, name and group.
func Compare(a, b Key) int {
	return cmp.Or(
		cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Namespace, b.Namespace),
		cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Group, b.Group))
}

// A Stage says when an object is sent relative to the workload of its
// component (KubeVela's trait stages).
type Stage string

// The stages in the order in which they are sent. Each waits until the one
// before it is healthy.
const (
	PreDispatch     Stage = "PreDispatch"
	DefaultDispatch Stage = "DefaultDispatch"
	PostDispatch    Stage = "PostDispatch"
)

// A Manifest is one object that an Application wants in one cluster. Holders
// share it: nobody may modify Object.
type Manifest struct {
	Key    Key
	Object *unstructured.Unstructured

	Component     string // name of the component
	ComponentType string // type of the component, without @version
	Trait         string // type of the trait; "" for what the component itself gives
	Policy        string // name of the policy that gives it instead of a component
	Output        string // name under `outputs`; "" for the workload
	ReplicaKey    string // key of the replication policy, if any
	Stage         Stage  // "" means DefaultDispatch

	digest string
}

// New returns the manifest of obj in cluster with its digest computed. The
// caller must not modify obj afterwards.
func New(cluster string, obj *unstructured.Unstructured) Manifest {
	gvk := obj.GroupVersionKind()
	return Manifest{
		Key:    Key{Cluster: cluster, Group: gvk.Group, Kind: gvk.Kind, Namespace: obj.GetNamespace(), Name: obj.GetName()},
		Object: obj,
		digest: Digest(obj.Object),
	}
}

// With returns m with another content of the same object. The caller must not
// modify obj afterwards.
func (m Manifest) With(obj *unstructured.Unstructured) Manifest {
	m.Object, m.digest = obj, Digest(obj.Object)
	return m
}

// Workload reports whether m is the workload of its component.
func (m Manifest) Workload() bool { return m.Trait == "" && m.Output == "" && m.Policy == "" }

// Digest is the content address of the object: equal objects have equal
// digests, whatever the order of their fields was.
func (m Manifest) Digest() string {
	if m.digest == "" && m.Object != nil {
		return Digest(m.Object.Object)
	}
	return m.digest
}

// Digest returns the hex SHA-256 of the canonical JSON form of v.
func Digest(v any) string {
	data, err := json.Marshal(v) // sorts map keys
	if err != nil {
		panic(fmt.Sprintf("object is not JSON: %v", err)) // decoded from JSON or CUE, so it always is
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
