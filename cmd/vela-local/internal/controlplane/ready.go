package controlplane

import (
	"context"
	"fmt"
	"time"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/tools/clientcmd"
)

// probeEvery is how often a starting API server is asked; it has no way to
// call back.
const probeEvery = 50 * time.Millisecond

// waitReady returns when the API server is ready, or with the error of the
// component that stopped.
func waitReady(ctx context.Context, c Cluster, done <-chan error) error {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		if err := Probe(ctx, c.Kubeconfig()); err == nil {
			return nil
		}
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// Probe asks an API server once whether it is ready.
func Probe(ctx context.Context, kubeconfig string) error {
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("read %s: %w", kubeconfig, err)
	}
	cfg.Timeout = 2 * time.Second
	client, err := discovery.NewDiscoveryClientForConfig(cfg)
	if err != nil {
		return fmt.Errorf("client of %s: %w", kubeconfig, err)
	}
	return client.RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
}
