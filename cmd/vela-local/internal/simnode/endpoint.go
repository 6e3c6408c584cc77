package simnode

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"k8s.io/client-go/tools/cache"
)

const (
	// masters is the group of the API server's own certificate.
	masters           = "system:masters"
	readHeaderTimeout = 5 * time.Second
	nothingRuns       = "nothing runs on a simulated node; `vela local start --nodes real` runs pods"
)

// serve answers the API server where it expects a kubelet, so that asking for
// logs or a shell gives an answer instead of a long wait.
func (n *Node) serve(ctx context.Context) error {
	if n.listener == nil {
		<-ctx.Done()
		return nil
	}
	srv := &http.Server{Handler: n.endpoint(), ReadHeaderTimeout: readHeaderTimeout}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(n.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("kubelet endpoint of node %q: %w", n.name, err)
	}
	return nil
}

func (n *Node) endpoint() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", n.logs)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, nothingRuns, http.StatusNotImplemented)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 ||
			!slices.Contains(r.TLS.PeerCertificates[0].Subject.Organization, masters) {
			http.Error(w, "only the API server may ask", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// logs says what there is to say of a container that never wrote anything.
func (n *Node) logs(w http.ResponseWriter, r *http.Request) {
	key := cache.NewObjectName(r.PathValue("namespace"), r.PathValue("pod")).String()
	if _, exists, err := n.pods.GetStore().GetByKey(key); err != nil || !exists {
		http.Error(w, fmt.Sprintf("no pod %s on node %s", key, n.name), http.StatusNotFound)
		return
	}
	fmt.Fprintf(w, "container %s has no output: %s\n", r.PathValue("container"), nothingRuns)
}

// port is where the endpoint listens, 0 without one.
func (n *Node) port() int32 {
	if n.listener == nil {
		return 0
	}
	if addr, ok := n.listener.Addr().(*net.TCPAddr); ok {
		return int32(addr.Port)
	}
	return 0
}
