package preview

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"

	"k8s.io/client-go/rest"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/delivery"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
)

// reach returns the clusters: those that joined the hub, or offline whatever
// the Applications name.
func (p *Preview) reach(o Options) (delivery.Clusters, error) {
	if !o.Offline {
		return o.Factory.Clusters()
	}
	registry, err := cluster.NewRegistry(cluster.Options{Hub: &rest.Config{Host: "https://offline.invalid", Transport: nowhere{}}})
	if err != nil {
		return nil, err
	}
	return &offline{any: registry.Hub()}, nil
}

// offline is every cluster that an Application can name: none can be asked
// anything but its version, which is a recent one.
type offline struct {
	any   *cluster.Cluster
	named []cluster.Info
}

// Get implements delivery.Clusters.
func (o *offline) Get(context.Context, string) (*cluster.Cluster, error) { return o.any, nil }

// List implements delivery.Clusters.
func (o *offline) List(context.Context) ([]cluster.Info, error) {
	return append([]cluster.Info{{Name: cluster.Local}}, o.named...), nil
}

// know adds the clusters that policies name, and for every selector one that
// it selects, called like the policy.
func (o *offline) know(policies []blueprint.Policy) {
	for _, p := range policies {
		if p.Type != v1alpha1.TopologyPolicyType {
			continue
		}
		names, _ := p.Properties["clusters"].([]any)
		for _, n := range names {
			if name, ok := n.(string); ok {
				o.add(cluster.Info{Name: name})
			}
		}
		selector, _ := cmp.Or(p.Properties["clusterLabelSelector"], p.Properties["clusterSelector"]).(map[string]any)
		labels := map[string]string{}
		for key, v := range selector {
			if value, ok := v.(string); ok {
				labels[key] = value
			}
		}
		if len(labels) > 0 {
			o.add(cluster.Info{Name: p.Name, Labels: labels})
		}
	}
}

func (o *offline) add(info cluster.Info) {
	known := func(i cluster.Info) bool { return i.Name == info.Name }
	if info.Name != cluster.Local && !slices.ContainsFunc(o.named, known) {
		o.named = append(o.named, info)
	}
}

// nowhere answers the question for the version and has nothing else.
type nowhere struct{}

// RoundTrip implements http.RoundTripper.
func (nowhere) RoundTrip(req *http.Request) (*http.Response, error) {
	status, body := http.StatusNotFound, any(map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404})
	if req.URL.Path == "/version" {
		status, body = http.StatusOK, cluster.Version{Major: "1", Minor: "36", GitVersion: "v1.36.0", Platform: "linux/amd64"}
	}
	data, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": []string{"application/json"}}, Body: io.NopCloser(bytes.NewReader(data)),
	}, nil
}
