package http

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"syscall"
	"time"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

// A Client sends the requests of all runs of a process. It is safe for
// concurrent use.
type Client struct {
	guard  func(netip.Addr) error
	now    func() time.Time
	dialer *net.Dialer
	shared *http.Client

	mu      sync.Mutex
	windows map[string]window
}

// NewClient returns a client that connects only to addresses that guard lets
// pass; nil means Guard.
func NewClient(guard func(netip.Addr) error, now func() time.Time) *Client {
	if guard == nil {
		guard = Guard
	}
	if now == nil {
		now = time.Now
	}
	c := &Client{guard: guard, now: now, windows: map[string]window{}}
	c.dialer = &net.Dialer{Timeout: maxTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return c.guard(at.Addr())
	}}
	c.shared = &http.Client{Transport: c.transport(nil)}
	return c
}

// Guard refuses addresses from which only the own machine or the cloud's
// metadata service answers. Addresses inside the cluster are fine.
func Guard(ip netip.Addr) error {
	ip = ip.Unmap()
	if b := ip.As16(); ip.Is6() && netip.MustParsePrefix("64:ff9b::/96").Contains(ip) { // IPv4 behind a translator
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	switch ip.String() {
	case "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16": // AWS, Alibaba, Oracle, Azure
		return fmt.Errorf("the address %s is not allowed", ip)
	}
	switch {
	case ip.IsLoopback(), ip.IsUnspecified(), ip.IsLinkLocalUnicast(), ip.IsMulticast():
		return fmt.Errorf("the address %s is not allowed", ip)
	}
	return nil
}

// transport connects through the guard. It uses no proxy: the guard would only
// see that.
func (c *Client) transport(config *tls.Config) *http.Transport {
	return &http.Transport{
		DialContext: c.Dial, TLSClientConfig: config, ForceAttemptHTTP2: true,
		MaxIdleConns: 100, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: maxTimeout,
	}
}

// Dial opens a connection to an address that the guard lets pass.
func (c *Client) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return c.dialer.DialContext(ctx, network, address)
}

// client returns what sends the request. A request with certificates of its own
// shares no connections with others.
func (o Options) client(ctx context.Context, in request) (client *http.Client, done func(), err error) {
	if in.TLS == nil {
		return o.Client.shared, func() {}, nil
	}
	data, err := o.secret(ctx, in.TLS.Namespace, in.TLS.Secret)
	if err != nil {
		return nil, nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca := data["ca.crt"]; len(ca) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(ca) {
			return nil, nil, fmt.Errorf("secret %q: ca.crt holds no certificate", in.TLS.Secret)
		}
	}
	if crt := data["client.crt"]; len(crt) > 0 {
		pair, err := tls.X509KeyPair(crt, data["client.key"])
		if err != nil {
			return nil, nil, fmt.Errorf("secret %q: client.crt and client.key are no pair", in.TLS.Secret)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	transport := o.Client.transport(config)
	return &http.Client{Transport: transport}, transport.CloseIdleConnections, nil
}

// plain keeps the query of the URL, which may hold secrets, out of an error.
func plain(in request, err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.New("no answer in time")
	}
	return fmt.Errorf("%s %s: %w", in.Method, host(in.URL), err)
}

// host is the part of a URL that may be shown.
func host(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "the URL"
	}
	return u.Scheme + "://" + u.Host
}

// A rate is how many requests to one place are sent in a period.
type rate struct {
	Limit  int    `json:"limit"`
	Period string `json:"period"`
}

// A window counts the requests of one period.
type window struct {
	until time.Time
	sent  int
}

// maxWindows bounds the places whose requests are counted.
const maxWindows = 1000

// limit counts a request. One too many waits.
func (c *Client) limit(in request) error {
	r := in.Request.RateLimiter
	if r == nil {
		return nil
	}
	period, err := time.ParseDuration(r.Period)
	if err != nil || period <= 0 {
		return fmt.Errorf("request.ratelimiter.period: expected a duration such as 10s, got %q", r.Period)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now, key := c.now(), in.Method+" "+in.URL
	w, known := c.windows[key]
	if !known && len(c.windows) >= maxWindows {
		for k, old := range c.windows {
			if !now.Before(old.until) || len(c.windows) >= maxWindows {
				delete(c.windows, k)
			}
		}
	}
	if !now.Before(w.until) {
		w = window{until: now.Add(period)}
	}
	if w.sent >= r.Limit {
		return provider.Wait{Message: fmt.Sprintf("%d requests in %s are allowed to %s", r.Limit, r.Period, host(in.URL))}
	}
	w.sent++
	c.windows[key] = w
	return nil
}
