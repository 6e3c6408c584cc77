package cluster

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts API requests. It is safe for concurrent use.
type Metrics struct {
	requests *prometheus.CounterVec
}

// NewMetrics registers the counters with reg; a nil reg counts for nobody.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{requests: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "vela_cluster_requests_total",
		Help: "API requests to the hub and the members by verb and status code class.",
	}, []string{"verb", "code"})}
	if reg == nil {
		return m, nil
	}
	err := reg.Register(m.requests)
	var twice prometheus.AlreadyRegisteredError
	if errors.As(err, &twice) { // two registries in one process count together
		if existing, ok := twice.ExistingCollector.(*prometheus.CounterVec); ok {
			return &Metrics{requests: existing}, nil
		}
	}
	return m, err
}

// Wrap counts what goes through next. The Registry wraps its own transports;
// other clients of the hub can be counted too.
func (m *Metrics) Wrap(next http.RoundTripper) http.RoundTripper {
	return counter{next: next, requests: m.requests}
}

type counter struct {
	next     http.RoundTripper
	requests *prometheus.CounterVec
}

func (c counter) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(req)
	code := "none"
	if err == nil {
		code = strconv.Itoa(resp.StatusCode/100) + "xx"
	}
	c.requests.WithLabelValues(verb(req), code).Inc()
	return resp, err
}

// verb names a request as the audit log does, with apply and dryrun told apart
// from other patches.
func verb(req *http.Request) string {
	query := req.URL.Query()
	switch req.Method {
	case http.MethodGet:
		if w := query.Get("watch"); w == "true" || w == "1" {
			return "watch"
		}
		if named(req.URL.Path) {
			return "get"
		}
		return "list"
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	case http.MethodDelete:
		return "delete"
	case http.MethodPatch:
		if query.Get("dryRun") != "" {
			return "dryrun"
		}
		if strings.HasPrefix(req.Header.Get("Content-Type"), "application/apply-patch") {
			return "apply"
		}
		return "patch"
	}
	return strings.ToLower(req.Method)
}

// named reports whether path addresses one object, or none at all as discovery
// does, and not a collection.
func named(path string) bool {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	skip := len(parts)
	for n, p := range parts { // a server may be below a prefix
		if p == "api" {
			skip = n + 2
			break
		}
		if p == "apis" {
			skip = n + 3
			break
		}
	}
	if skip >= len(parts) {
		return true
	}
	parts = parts[skip:]
	if len(parts) > 2 && parts[0] == "namespaces" {
		parts = parts[2:]
	}
	return len(parts)%2 == 0 || len(parts) > 2
}
