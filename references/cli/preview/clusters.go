package preview

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"

	"k8s.io/client-go/rest"

	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/delivery"
)

// reach returns the clusters: those that joined the hub, or offline none.
func (p *Preview) reach() (delivery.Clusters, error) {
	if !p.from.Offline {
		return p.from.Factory.Clusters()
	}
	registry, err := cluster.NewRegistry(cluster.Options{Hub: &rest.Config{Host: "https://offline.invalid", Transport: nowhere{}}})
	if err != nil {
		return nil, err
	}
	return offline{registry.Hub()}, nil
}

// offline is the one cluster that there is without any: it can be asked nothing
// but its version, which is a recent one.
type offline struct{ hub *cluster.Cluster }

// Get implements delivery.Clusters.
func (o offline) Get(context.Context, string) (*cluster.Cluster, error) { return o.hub, nil }

// List implements delivery.Clusters.
func (o offline) List(context.Context) ([]cluster.Info, error) {
	return []cluster.Info{{Name: cluster.Local}}, nil
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
