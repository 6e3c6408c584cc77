package connect

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
)

// References reads the Policy and Workflow objects that an Application refers
// to.
type References struct{ Reader client.Reader }

// Policy reads one Policy.
func (r References) Policy(ctx context.Context, namespace, name string) (*v1alpha1.Policy, error) {
	out := &v1alpha1.Policy{}
	return out, r.Reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, out)
}

// Workflow reads one Workflow.
func (r References) Workflow(ctx context.Context, namespace, name string) (*v1alpha1.Workflow, error) {
	out := &v1alpha1.Workflow{}
	return out, r.Reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, out)
}
