package recovery

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"k8s.io/client-go/rest"
)

// A gate stands between vela-core and every API server. It counts what is
// written and, after the write that it is armed for has taken effect, calls
// kill before the answer gets back.
type gate struct {
	written atomic.Int64
	killAt  atomic.Int64 // 0: never
	kill    atomic.Pointer[func()]
}

// arm resets the counter; after the n-th write kill is called once.
func (g *gate) arm(n int64, kill func()) {
	g.written.Store(0)
	g.kill.Store(&kill)
	g.killAt.Store(n)
}

var errKilled = errors.New("the controller was killed")

// effect reports whether a request changes what is stored. Dry runs, reviews,
// events and leases do not change any delivery.
func effect(r *http.Request) bool {
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return false
	}
	path := r.URL.Path
	return r.URL.Query().Get("dryRun") == "" &&
		!strings.Contains(path, "/events") && !strings.Contains(path, "/leases") && !strings.HasSuffix(path, "reviews")
}

// door is the address of one API server behind the gate.
type door struct {
	URL string
	CA  []byte
}

// open starts a door to the API server of cfg. Callers need no credentials:
// the gate adds those of cfg.
func (g *gate) open(t *testing.T, cfg *rest.Config) door {
	t.Helper()
	target, err := url.Parse(cfg.Host)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := rest.TransportFor(cfg)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		FlushInterval: -1, // watches stream
		Transport:     transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Del("Authorization")
		},
		ModifyResponse: func(resp *http.Response) error {
			if !effect(resp.Request) || resp.StatusCode >= http.StatusBadRequest {
				return nil
			}
			if g.written.Add(1) == g.killAt.Load() {
				(*g.kill.Load())()
				return errKilled
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	s := httptest.NewUnstartedServer(proxy)
	s.EnableHTTP2 = true
	s.Config.ErrorLog = nil
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	s.StartTLS()
	t.Cleanup(s.CloseClientConnections)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	return door{URL: s.URL, CA: ca}
}
