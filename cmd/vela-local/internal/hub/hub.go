// Package hub brings the control plane onto the hub cluster: it runs vela-core
// and joins the members, both through the product's own binaries.
//
// Nothing of the product is linked into vela-local; the commands and the
// Secrets of joined clusters are the whole interface.
package hub

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/process"
)

const (
	systemNamespace = "vela-system"
	credentialLabel = "cluster.core.oam.dev/cluster-credential-type"
	endpointKey     = "endpoint"
	probeEvery      = 100 * time.Millisecond
)

// A Hub is the cluster the control plane runs on.
type Hub struct {
	Kubeconfig string
	// Bin is the directory with vela-core and vela.
	Bin string
	// MetricsAddress, HealthAddress and WebhookAddress are vela-core's.
	MetricsAddress string
	HealthAddress  string
	WebhookAddress string
}

// A Member is a cluster to join.
type Member struct {
	Name       string
	Kubeconfig string
	Server     string
}

func (h Hub) core() string { return filepath.Join(h.Bin, "vela-core") }
func (h Hub) vela() string { return filepath.Join(h.Bin, "vela") }

// Missing returns the binaries that are not there yet, by name.
func (h Hub) Missing() []string {
	var missing []string
	for _, path := range []string{h.core(), h.vela()} {
		if _, err := os.Stat(path); err != nil {
			missing = append(missing, filepath.Base(path))
		}
	}
	return missing
}

// Core describes the vela-core process.
func (h Hub) Core(log, mark string) process.Spec {
	return process.Spec{
		Name: "vela-core",
		Args: []string{
			h.core(), "--kubeconfig", h.Kubeconfig, "--install",
			"--metrics-bind-address", h.MetricsAddress,
			"--health-probe-bind-address", h.HealthAddress,
			// A plain process on this machine has no Service. While it is down its
			// checks are left out: the controller repeats those that matter.
			"--use-webhook", "--webhook-bind-address", h.WebhookAddress, "--webhook-url", "https://" + h.WebhookAddress,
			"--webhook-failure-policy", "Ignore",
		},
		Env:     []string{mark},
		Log:     log,
		Metrics: h.MetricsAddress,
	}
}

// AwaitCore waits until vela-core answers its readiness probe and has made its
// namespace; p tells when it has ended too often to go on.
func (h Hub) AwaitCore(ctx context.Context, p *process.Process, limit int) error {
	client, err := h.client()
	if err != nil {
		return err
	}
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		if h.healthy(ctx) {
			_, err := client.CoreV1().Namespaces().Get(ctx, systemNamespace, metav1.GetOptions{})
			if err == nil {
				return nil
			}
		}
		status := p.Status()
		failure := &process.Failure{Name: status.Name, Log: status.Log, Restarts: status.Restarts}
		if status.Restarts >= limit {
			return failure
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			failure.Err = ctx.Err()
			return failure
		}
	}
}

func (h Hub) healthy(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+h.HealthAddress+"/readyz", nil)
	if err != nil {
		return false
	}
	client := http.Client{Timeout: 2 * time.Second}
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// Join makes m known to the control plane. A member that is joined stays as it
// is, except that a changed address is brought up to date.
func (h Hub) Join(ctx context.Context, m Member) (joined bool, err error) {
	client, err := h.client()
	if err != nil {
		return false, err
	}
	secrets := client.CoreV1().Secrets(systemNamespace)
	secret, err := secrets.Get(ctx, m.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		err := h.join(ctx, m)
		return err == nil, err
	case err != nil:
		return false, fmt.Errorf("look up cluster %q: %w", m.Name, err)
	case secret.Labels[credentialLabel] == "":
		return false, fmt.Errorf("secret %s/%s is in the way: it is no cluster credential", systemNamespace, m.Name)
	case string(secret.Data[endpointKey]) == m.Server:
		return false, nil
	}
	patch, err := json.Marshal(corev1.Secret{Data: map[string][]byte{endpointKey: []byte(m.Server)}})
	if err != nil {
		return false, fmt.Errorf("move cluster %q: %w", m.Name, err)
	}
	if _, err := secrets.Patch(ctx, m.Name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return false, fmt.Errorf("move cluster %q: %w", m.Name, err)
	}
	return true, nil
}

func (h Hub) join(ctx context.Context, m Member) error {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, h.vela(), "cluster", "join", m.Kubeconfig, "--name", m.Name, "--labels", "env="+m.Name)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+h.Kubeconfig)
	cmd.Stdout, cmd.Stderr = &stderr, &stderr
	if err := cmd.Run(); err != nil {
		said := strings.TrimSpace(stderr.String())
		if i := strings.LastIndexByte(said, '\n'); i >= 0 {
			said = said[i+1:]
		}
		return fmt.Errorf("join cluster %q: %w: %s", m.Name, err, said)
	}
	return nil
}

// AwaitJoin joins m, trying again until ctx is done: an admission webhook or
// the CRDs may need a moment more than vela-core's readiness.
func (h Hub) AwaitJoin(ctx context.Context, m Member) (joined bool, err error) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		joined, err = h.Join(ctx, m)
		if err == nil {
			return joined, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false, errors.Join(err, ctx.Err())
		}
	}
}

func (h Hub) client() (*kubernetes.Clientset, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", h.Kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("hub: %w", err)
	}
	cfg.Timeout = 10 * time.Second
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("hub: %w", err)
	}
	return client, nil
}
