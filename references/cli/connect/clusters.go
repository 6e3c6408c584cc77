package connect

import (
	"github.com/seed-c5f95f19/vela/pkg/cluster"
)

// Clusters returns the clusters that joined the hub.
func (f *Factory) Clusters() (*cluster.Registry, error) {
	config, err := f.Config()
	if err != nil {
		return nil, err
	}
	return cluster.NewRegistry(cluster.Options{Hub: config, Namespace: f.SystemNamespace()})
}
