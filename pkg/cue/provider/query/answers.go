package query

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider/kube"
)

// object is an element of the answer to listResourcesInApp.
type object struct {
	Cluster   string         `json:"cluster"`
	Component string         `json:"component"`
	Revision  string         `json:"revision"`
	Object    map[string]any `json:"object"`
}

// content returns an object without what only servers use, and without its
// status when that is not wanted.
func content(o *unstructured.Unstructured, status bool) map[string]any {
	out := maps.Clone(o.Object)
	if meta, ok := out["metadata"].(map[string]any); ok {
		meta = maps.Clone(meta)
		delete(meta, "managedFields")
		out["metadata"] = meta
	}
	if !status {
		delete(out, "status")
	}
	return out
}

// applied is an element of the answer to listAppliedResources.
type applied struct {
	Name            string `json:"name"`
	Namespace       string `json:"namespace,omitempty"`
	Cluster         string `json:"cluster,omitempty"`
	Component       string `json:"component,omitempty"`
	Trait           string `json:"trait,omitempty"`
	Kind            string `json:"kind,omitempty"`
	UID             string `json:"uid,omitempty"`
	APIVersion      string `json:"apiVersion,omitempty"`
	ResourceVersion string `json:"resourceVersion,omitempty"`
	PublishVersion  string `json:"publishVersion,omitempty"`
	DeployVersion   string `json:"deployVersion,omitempty"`
	Revision        string `json:"revision,omitempty"`
	Latest          bool   `json:"latest"`
	ResourceTree    *tree  `json:"resourceTree,omitempty"`
}

// appliedOf describes what is owned. It is all of the newest delivery: what is
// not is swept.
func appliedOf(r Resource) applied {
	return applied{
		Name: r.Name, Namespace: r.Namespace, Cluster: r.Cluster, Component: r.Component, Trait: r.Trait,
		Kind: r.GVK.Kind, APIVersion: r.GVK.GroupVersion().String(), UID: string(r.UID),
		PublishVersion: r.PublishVersion, DeployVersion: r.DeployVersion, Revision: r.Revision, Latest: true,
	}
}

// grow adds what is live.
func (a *applied) grow(r Resource, n Node) {
	if n.Object == nil {
		a.ResourceTree = &tree{
			Cluster: r.Cluster, APIVersion: a.APIVersion, Kind: a.Kind, Namespace: r.Namespace, Name: r.Name,
			HealthStatus: health{StatusCode: Unknown, Message: "does not exist"},
		}
		return
	}
	a.UID, a.ResourceVersion = string(n.Object.GetUID()), n.Object.GetResourceVersion()
	t := treeOf(r.Cluster, n)
	a.ResourceTree = &t
}

// tree is a node of a resource tree.
type tree struct {
	Cluster           string  `json:"cluster"`
	APIVersion        string  `json:"apiVersion,omitempty"`
	Kind              string  `json:"kind"`
	Namespace         string  `json:"namespace,omitempty"`
	Name              string  `json:"name,omitempty"`
	UID               string  `json:"uid,omitempty"`
	HealthStatus      health  `json:"healthStatus"`
	CreationTimestamp *string `json:"creationTimestamp,omitempty"`
	DeletionTimestamp *string `json:"deletionTimestamp,omitempty"`
	LeafNodes         []tree  `json:"leafNodes,omitempty"`
}

type health struct {
	StatusCode Health `json:"statusCode"`
	Message    string `json:"message,omitempty"`
}

func treeOf(cluster string, n Node) tree {
	o := n.Object
	t := tree{
		Cluster: cluster, APIVersion: o.GetAPIVersion(), Kind: o.GetKind(), Namespace: o.GetNamespace(), Name: o.GetName(),
		UID: string(o.GetUID()), HealthStatus: health{n.Health, n.Message},
	}
	if at := o.GetCreationTimestamp(); !at.IsZero() {
		t.CreationTimestamp = written(at.Time)
	}
	if at := o.GetDeletionTimestamp(); at != nil {
		t.DeletionTimestamp = written(at.Time)
	}
	for _, c := range n.Children {
		t.LeafNodes = append(t.LeafNodes, treeOf(cluster, c))
	}
	return t
}

func written(at time.Time) *string {
	s := at.UTC().Format(time.RFC3339)
	return &s
}

// item is an element of the answer to collectResources.
type item struct {
	Cluster        string         `json:"cluster"`
	Workload       workload       `json:"workload"`
	Component      string         `json:"component"`
	Object         map[string]any `json:"object"`
	PublishVersion string         `json:"publishVersion,omitempty"`
	DeployVersion  string         `json:"deployVersion,omitempty"`
}

type workload struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	Namespace  string `json:"namespace"`
}

// collected appends what the filter chooses of a tree.
func collected(out []item, f filter, of Resource, n Node) []item {
	if n.Object == nil {
		return out
	}
	if f.kind(n.Object.GroupVersionKind()) {
		out = append(out, item{
			Cluster: of.Cluster, Component: of.Component, Object: content(n.Object, true),
			Workload:       workload{APIVersion: of.GVK.GroupVersion().String(), Kind: of.GVK.Kind, Name: of.Name, Namespace: of.Namespace},
			PublishVersion: of.PublishVersion, DeployVersion: of.DeployVersion,
		})
	}
	for _, c := range n.Children {
		out = collected(out, f, of, c)
	}
	return out
}

// serviceEndpoint is an element of the answer to collectServiceEndpoints.
type serviceEndpoint struct {
	Endpoint struct {
		Protocol    string `json:"protocol"`
		AppProtocol string `json:"appProtocol"`
		Host        string `json:"host"`
		Port        int64  `json:"port"`
		PortName    string `json:"portName,omitempty"`
		Path        string `json:"path,omitempty"`
		Inner       bool   `json:"inner"`
	} `json:"endpoint"`
	Ref       reference `json:"ref"`
	Cluster   string    `json:"cluster"`
	Component string    `json:"component"`
}

type reference struct {
	Kind            string `json:"kind"`
	Namespace       string `json:"namespace"`
	Name            string `json:"name"`
	UID             string `json:"uid,omitempty"`
	APIVersion      string `json:"apiVersion"`
	ResourceVersion string `json:"resourceVersion,omitempty"`
}

func endpointOf(e Endpoint) serviceEndpoint {
	r := e.Resource
	out := serviceEndpoint{
		Cluster: r.Cluster, Component: r.Component,
		Ref: reference{
			Kind: r.GVK.Kind, Namespace: r.Namespace, Name: r.Name, UID: string(r.UID),
			APIVersion: r.GVK.GroupVersion().String(), ResourceVersion: e.ResourceVersion,
		},
	}
	at := &out.Endpoint
	at.Protocol, at.AppProtocol = e.Protocol, cmp.Or(e.AppProtocol, wellKnown(e.Port))
	at.Host, at.Port, at.PortName, at.Path, at.Inner = e.Host, e.Port, e.PortName, e.Path, e.Inner
	return out
}

// wellKnown is what usually listens at a port.
func wellKnown(port int64) string {
	switch port {
	case 80, 8080:
		return "http"
	case 443:
		return "https"
	case 3306:
		return "mysql"
	case 6379:
		return "redis"
	}
	return ""
}

// about is the object whose events are wanted.
type about struct {
	Cluster string `json:"cluster"`
	Value   struct {
		Kind     string `json:"kind"`
		Metadata struct {
			Name      string `json:"name"`
			Namespace string `json:"namespace"`
			UID       string `json:"uid"`
		} `json:"metadata"`
	} `json:"value"`
}

// events answers with the events of one object, the oldest first.
func (o Options) events(ctx context.Context, in about) (any, error) {
	want := in.Value.Metadata
	if want.Name == "" || in.Value.Kind == "" {
		return nil, fmt.Errorf("events need an object with kind and metadata.name")
	}
	ns := cmp.Or(want.Namespace, "default") // events of objects without a namespace are there
	all, err := o.Reader.List(ctx, in.Cluster, schema.GroupVersionKind{Version: "v1", Kind: "Event"}, kube.Filter{Namespace: ns})
	if err != nil {
		return nil, fmt.Errorf("list events in namespace %q: %w", ns, err)
	}
	all = slices.DeleteFunc(all, func(e unstructured.Unstructured) bool {
		got, _, _ := unstructured.NestedMap(e.Object, "involvedObject")
		return got["kind"] != in.Value.Kind || got["name"] != want.Name || (want.UID != "" && got["uid"] != want.UID)
	})
	slices.SortStableFunc(all, func(a, b unstructured.Unstructured) int {
		return cmp.Or(cmp.Compare(seen(a), seen(b)), cmp.Compare(a.GetName(), b.GetName()))
	})
	out := make([]map[string]any, len(all))
	for i := range all {
		out[i] = content(&all[i], true)
	}
	return answered(out, nil)
}

// seen is when an event was seen last, in a form that sorts.
func seen(e unstructured.Unstructured) string {
	last, _ := e.Object["lastTimestamp"].(string)
	first, _ := e.Object["eventTime"].(string)
	return cmp.Or(last, first)
}
