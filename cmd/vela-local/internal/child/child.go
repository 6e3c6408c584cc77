// Package child is the process of one cluster: its control plane and, when
// nodes are simulated, its node. The supervisor starts it and starts it again
// when it ends; killing it is that cluster's outage and nobody else's.
package child

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/controlplane"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/pki"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/process"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/simnode"
)

const (
	// settleAfter is when the burst of starting is over; from then on memory
	// matters more than start time.
	settleAfter   = 10 * time.Second
	settledGC     = 30
	clientQPS     = 500
	clientBurst   = 1000
	specFile      = "spec.json"
	loopback      = "127.0.0.1"
	contentType   = "application/vnd.kubernetes.protobuf"
	acceptedTypes = "application/vnd.kubernetes.protobuf,application/json"
)

// A Spec is what one cluster's process needs to know.
type Spec struct {
	Cluster controlplane.Cluster `json:"cluster"`
	// Node is the name of the node to simulate; empty when it is real.
	Node string `json:"node,omitempty"`
	// NodeNetwork is the network namespace of the real node, whose pods need
	// name resolution; empty when the node is simulated.
	NodeNetwork string `json:"nodeNetwork,omitempty"`
}

// Save stores the spec in the cluster's directory and returns its path.
func (s Spec) Save() (string, error) {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return "", fmt.Errorf("spec of cluster %q: %w", s.Cluster.Name, err)
	}
	path := filepath.Join(s.Cluster.Dir, specFile)
	if err := os.WriteFile(path, append(data, '\n'), 0o600); err != nil {
		return "", fmt.Errorf("spec of cluster %q: %w", s.Cluster.Name, err)
	}
	return path, nil
}

// Run runs the cluster of the spec file until ctx is done.
func Run(ctx context.Context, path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read cluster spec: %w", err)
	}
	var spec Spec
	if err := json.Unmarshal(data, &spec); err != nil {
		return fmt.Errorf("read cluster spec %s: %w", path, err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	settle := time.AfterFunc(settleAfter, func() {
		debug.SetGCPercent(settledGC)
		debug.FreeOSMemory()
	})
	defer settle.Stop()
	err = controlplane.Run(ctx, spec.Cluster, func() error {
		client, err := newClient(spec.Cluster)
		if err != nil {
			return err
		}
		if spec.Node == "" {
			go func() { cancel(serveNames(ctx, spec, client)) }()
			return process.Announce()
		}
		node, err := newNode(spec, client)
		if err != nil {
			return err
		}
		go func() { cancel(node.Run(ctx, process.Announce)) }()
		return nil
	})
	if cause := context.Cause(ctx); cause != nil && cause != context.Canceled { //nolint:errorlint // exactly the plain stop
		return cause
	}
	return err
}

func newClient(c controlplane.Cluster) (kubernetes.Interface, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig())
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	cfg.QPS, cfg.Burst = clientQPS, clientBurst
	cfg.ContentType, cfg.AcceptContentTypes = contentType, acceptedTypes
	cfg.UserAgent = "vela-local-node"
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	return client, nil
}

// newNode returns the simulated node. Its address is loopback, so that what
// talks to it is answered, or refused, at once.
func newNode(spec Spec, client kubernetes.Interface) (*simnode.Node, error) {
	root, err := pki.LoadAuthority(spec.Cluster.PKI(), "ca")
	if err != nil {
		return nil, err
	}
	crt, key, err := root.Issue(pki.Identity{File: "kubelet-server", Name: spec.Node, Hosts: []string{loopback}})
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(crt, key)
	if err != nil {
		return nil, fmt.Errorf("simulated node: %w", err)
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(root.PEM())
	listener, err := tls.Listen("tcp", net.JoinHostPort(loopback, "0"), &tls.Config{
		Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12,
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients,
	})
	if err != nil {
		return nil, fmt.Errorf("simulated node: %w", err)
	}
	return simnode.New(simnode.Options{
		Name: spec.Node, Address: loopback, PodCIDR: spec.Cluster.PodCIDR(), Client: client, Listener: listener,
	})
}
