package preview

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"k8s.io/client-go/rest"

	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/delivery"
)

// reach returns the clusters: those that joined the hub, or offline none.
func (p *Preview) reach() (delivery.Clusters, error) {
	if !p.from.Offline {
		return p.from.Factory.Clusters()
	}
	version, err := kubeVersion(p.from.KubeVersion)
	if err != nil {
		return nil, err
	}
	registry, err := cluster.NewRegistry(cluster.Options{Hub: &rest.Config{Host: "https://offline.invalid", Transport: nowhere{version}}})
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

// recent is the version of the cluster that nobody asked.
const recent = "1.36"

// kubeVersion reads a version of Kubernetes: 1.29, v1.29 or v1.29.3.
func kubeVersion(text string) (cluster.Version, error) {
	text = strings.TrimPrefix(cmp.Or(text, recent), "v")
	m := regexp.MustCompile(`^([0-9]+)\.([0-9]+)(\.[0-9]+\S*)?$`).FindStringSubmatch(text)
	if m == nil {
		return cluster.Version{}, fmt.Errorf("--kube-version %q is no version of Kubernetes: want one like 1.29 or v1.29.3", text)
	}
	return cluster.Version{Major: m[1], Minor: m[2], GitVersion: "v" + m[1] + "." + m[2] + cmp.Or(m[3], ".0"), Platform: "linux/amd64"}, nil
}

// nowhere answers the question for the version and has nothing else.
type nowhere struct{ version cluster.Version }

// RoundTrip implements http.RoundTripper.
func (n nowhere) RoundTrip(req *http.Request) (*http.Response, error) {
	status, body := http.StatusNotFound, any(map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404})
	if req.URL.Path == "/version" {
		status, body = http.StatusOK, n.version
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
