package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/seed-c5f95f19/vela/pkg/identity"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// Local is the name of the hub among the clusters.
const Local = oam.LocalCluster

// FieldManager owns the fields of every object that the control plane sends.
const FieldManager = "vela"

// A Cluster sends requests to one cluster. It is safe for concurrent use. The
// objects that it returns from its cache are shared: nobody may modify them.
type Cluster struct {
	name    string
	config  *rest.Config
	rest    *rest.RESTClient
	dynamic dynamic.Interface
	timeout time.Duration
	slots   chan struct{}
	link    *link
	mapper  *mapper
	owned   *owned

	mu      sync.Mutex
	version *Version
}

// Version is what the API server says about itself.
type Version struct {
	Major      string `json:"major"`
	Minor      string `json:"minor"`
	GitVersion string `json:"gitVersion"`
	Platform   string `json:"platform"`
}

// settings are what a Registry decides for all clusters.
type settings struct {
	timeout     time.Duration
	concurrency int
	metrics     *Metrics
	now         func() time.Time
	notify      func(Event)
}

// connect returns the cluster behind cfg. It sends nothing.
func connect(name string, cfg *rest.Config, s settings) (*Cluster, error) {
	cfg = rest.CopyConfig(cfg)
	cfg.QPS, cfg.Burst, cfg.RateLimiter = -1, 0, nil // concurrency is what is bounded
	cfg.UserAgent = FieldManager
	cfg.WarningHandler = rest.NoWarnings{}
	cfg.NegotiatedSerializer = statusCodec()
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{Timeout: min(s.timeout, 5*time.Second), KeepAlive: 30 * time.Second}).DialContext
	}
	if s.metrics != nil {
		cfg.Wrap(s.metrics.Wrap)
	}
	l := &link{cluster: name, now: s.now, changed: func(bool) { s.notify(Event{Cluster: name}) }}
	cfg.Wrap(l.wrap)
	hc, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("transport of cluster %q: %w", name, err)
	}
	rc, err := rest.UnversionedRESTClientForConfigAndClient(cfg, hc)
	if err != nil {
		return nil, fmt.Errorf("client of cluster %q: %w", name, err)
	}
	dc, err := dynamic.NewForConfigAndClient(cfg, hc)
	if err != nil {
		return nil, fmt.Errorf("client of cluster %q: %w", name, err)
	}
	c := &Cluster{
		name: name, config: cfg, rest: rc, dynamic: dc,
		timeout: s.timeout, slots: make(chan struct{}, s.concurrency), link: l,
	}
	c.mapper = &mapper{fetch: c.discover, now: s.now}
	c.owned = newOwned(c, s.notify)
	return c, nil
}

// statusCodec decodes the one type that the client has to understand itself:
// the status that an API server answers errors with.
func statusCodec() runtime.NegotiatedSerializer {
	scheme := runtime.NewScheme()
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	return serializer.NewCodecFactory(scheme).WithoutConversion()
}

// Name returns the name under which the cluster joined.
func (c *Cluster) Name() string { return c.name }

// Config returns how to reach the cluster as identity, for clients of
// subresources (logs, exec, port-forward). The caller owns the copy.
func (c *Cluster) Config(as identity.Identity) *rest.Config {
	cfg := rest.CopyConfig(c.config)
	cfg.NegotiatedSerializer = nil
	if !as.ControlPlane() {
		cfg.Impersonate = as.Impersonation()
	}
	return cfg
}

// Away returns since when and why the cluster cannot be reached, or nil.
func (c *Cluster) Away() *AwayError { return c.link.state() }

// Mapping returns the resource of a kind. A kind that the cluster does not have
// gives an error that satisfies meta.IsNoMatchError.
func (c *Cluster) Mapping(ctx context.Context, gvk schema.GroupVersionKind) (meta.RESTMapping, error) {
	m, err := c.mapper.Mapping(ctx, gvk)
	if err != nil && !meta.IsNoMatchError(err) {
		return m, fmt.Errorf("discover %s in cluster %q: %w", gvk.GroupVersion(), c.name, err)
	}
	return m, err
}

// Version asks the server once and remembers the answer.
func (c *Cluster) Version(ctx context.Context) (Version, error) {
	c.mu.Lock()
	known := c.version
	c.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	return c.Probe(ctx)
}

// Probe asks the server whether it is there, even while it is known to be away.
func (c *Cluster) Probe(ctx context.Context) (Version, error) {
	var v Version
	raw, _, err := c.send(ctx, c.rest.Get().AbsPath("/version"))
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, fmt.Errorf("version of cluster %q: %w", c.name, err)
	}
	c.mu.Lock()
	c.version = &v
	c.mu.Unlock()
	return v, nil
}

func (c *Cluster) discover(ctx context.Context, gv schema.GroupVersion) (*metav1.APIResourceList, error) {
	path := "/apis/" + gv.String()
	if gv.Group == "" {
		path = "/api/" + gv.Version
	}
	raw, _, err := c.do(ctx, c.rest.Get().AbsPath(path))
	if err != nil {
		return nil, err
	}
	var list metav1.APIResourceList
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("list of resources: %w", err)
	}
	return &list, nil
}

// do sends one request, unless the cluster is known to be away, and returns
// the body and the status code.
func (c *Cluster) do(ctx context.Context, req *rest.Request) ([]byte, int, error) {
	if err := c.link.allow(); err != nil {
		return nil, 0, err
	}
	return c.send(ctx, req)
}

// send takes one of the slots and bounds the time.
func (c *Cluster) send(ctx context.Context, req *rest.Request) ([]byte, int, error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, 0, context.Cause(ctx)
	}
	started := c.link.now()
	limited, cancel := context.WithTimeoutCause(ctx, c.timeout, errTimeout)
	defer cancel()
	var code int
	result := req.MaxRetries(3).Do(limited).StatusCode(&code)
	if err := result.Error(); err != nil {
		if errors.Is(context.Cause(limited), errTimeout) && ctx.Err() == nil {
			err = fmt.Errorf("%w (%s)", errTimeout, c.timeout)
		}
		return nil, code, c.link.seen(started, err)
	}
	raw, err := result.Raw()
	return raw, code, err
}
