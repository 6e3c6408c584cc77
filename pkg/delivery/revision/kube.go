package revision

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// Kube is the Store in a cluster. Reads are rare: give it a reader without a
// cache, which would hold every revision of every Application in memory. It is
// safe for concurrent use.
type Kube struct {
	Reader client.Reader
	Writer client.Writer
}

// Get implements Store.
func (k Kube) Get(ctx context.Context, namespace, name string) (*v1beta1.ApplicationRevision, error) {
	rev := &v1beta1.ApplicationRevision{}
	if err := k.Reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, rev); err != nil {
		return nil, err
	}
	return rev, nil
}

// Create implements Store.
func (k Kube) Create(ctx context.Context, rev *v1beta1.ApplicationRevision) error {
	return k.Writer.Create(ctx, rev)
}

// Delete implements Store.
func (k Kube) Delete(ctx context.Context, namespace, name string) error {
	return client.IgnoreNotFound(k.Writer.Delete(ctx, &v1beta1.ApplicationRevision{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}))
}

// Names implements Store. It asks for the metadata only.
func (k Kube) Names(ctx context.Context, namespace, app string) ([]string, error) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(v1beta1.GroupVersion.WithKind(v1beta1.ApplicationRevisionKind + "List"))
	err := k.Reader.List(ctx, list, client.InNamespace(namespace), client.MatchingLabels{oam.LabelAppName: app})
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(list.Items))
	for _, o := range list.Items {
		names = append(names, o.Name)
	}
	return names, nil
}
