package inspect

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/query"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/observe"
)

// Endpoints implements query.World.
func (w World) Endpoints(ctx context.Context, of []query.Resource) ([]query.Endpoint, error) {
	of = slices.DeleteFunc(slices.Clone(of), func(r query.Resource) bool {
		return r.GVK.Kind != "Service" && r.GVK.Kind != "Ingress"
	})
	live, err := w.Live(ctx, of)
	if err != nil {
		return nil, err
	}
	var inner, outer []query.Endpoint
	nodes := map[string]string{}
	for i, r := range of {
		if live[i] == nil {
			continue
		}
		found := endpoints(r, live[i])
		if isNodePort(live[i]) {
			if _, asked := nodes[r.Cluster]; !asked {
				if nodes[r.Cluster], err = w.node(ctx, r.Cluster); err != nil {
					return nil, err
				}
			}
			found = append(nodePorts(found, live[i], nodes[r.Cluster]), found...)
		}
		for _, e := range found {
			if e.Inner {
				inner = append(inner, e)
				continue
			}
			outer = append(outer, e)
		}
	}
	return append(outer, inner...), nil
}

func endpoints(r query.Resource, live *unstructured.Unstructured) []query.Endpoint {
	r.UID = live.GetUID()
	key := manifest.Key{Cluster: r.Cluster, Group: r.GVK.Group, Kind: r.GVK.Kind, Namespace: r.Namespace, Name: r.Name}
	var out []query.Endpoint
	for _, e := range observe.Endpoints([]observe.Object{{Manifest: manifest.Manifest{Key: key, Component: r.Component}, Live: live, Known: true}}) {
		q := query.Endpoint{
			Resource: r, ResourceVersion: live.GetResourceVersion(), Protocol: strings.ToUpper(e.Protocol),
			Host: e.Host, Port: e.Port, PortName: e.PortName, Path: e.Path, Inner: e.Inner,
		}
		if e.Protocol == "http" || e.Protocol == "https" {
			q.Protocol, q.AppProtocol = "TCP", e.Protocol
		}
		out = append(out, q)
	}
	return out
}

func isNodePort(o *unstructured.Unstructured) bool {
	kind, _, _ := unstructured.NestedString(o.Object, "spec", "type")
	return o.GetKind() == "Service" && kind == "NodePort"
}

// nodePorts returns how the ports of a Service are reached at a node.
func nodePorts(inside []query.Endpoint, svc *unstructured.Unstructured, host string) []query.Endpoint {
	ports, _, _ := unstructured.NestedSlice(svc.Object, "spec", "ports")
	var out []query.Endpoint
	for i, e := range inside {
		port, _ := ports[i].(map[string]any)
		number, _ := port["nodePort"].(int64)
		if number == 0 {
			continue
		}
		e.Host, e.Port, e.Inner = host, number, false
		out = append(out, e)
	}
	return out
}

// node returns an address of a node of a cluster, one that is reachable from
// outside if there is one, and "" when no node tells.
func (w World) node(ctx context.Context, name string) (string, error) {
	c, err := w.Clusters.Get(ctx, name)
	if err != nil {
		return "", err
	}
	nodes, err := c.List(ctx, schema.GroupVersionKind{Version: "v1", Kind: "Node"}, cluster.ListOptions{})
	if apierrors.IsForbidden(err) { // not everybody who delivers may look at nodes
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("list the nodes of cluster %q: %w", name, err)
	}
	for _, kind := range []string{"ExternalIP", "InternalIP"} {
		for _, n := range nodes {
			if at := nodeAddress(n, kind); at != "" {
				return at, nil
			}
		}
	}
	return "", nil
}

func nodeAddress(node unstructured.Unstructured, kind string) string {
	all, _, _ := unstructured.NestedSlice(node.Object, "status", "addresses")
	for _, a := range all {
		if m, ok := a.(map[string]any); ok && m["type"] == kind {
			at, _ := m["address"].(string)
			return at
		}
	}
	return ""
}
