package blueprint

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
)

// FromCluster returns the References of a cluster. The reader may be a cache.
func FromCluster(reader client.Reader) References { return inCluster{reader} }

type inCluster struct{ reader client.Reader }

// Policy implements References.
func (c inCluster) Policy(ctx context.Context, namespace, name string) (*v1alpha1.Policy, error) {
	p := &v1alpha1.Policy{}
	return p, c.reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, p)
}

// Workflow implements References.
func (c inCluster) Workflow(ctx context.Context, namespace, name string) (*v1alpha1.Workflow, error) {
	w := &v1alpha1.Workflow{}
	return w, c.reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, w)
}
