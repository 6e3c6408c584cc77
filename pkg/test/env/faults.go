package env

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Refuse returns a Delete for interceptor.Funcs that answers Forbidden for the
// named object and passes every other on, as an admission webhook would.
func Refuse(kind, name string) func(context.Context, client.WithWatch, client.Object, ...client.DeleteOption) error {
	return func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
		gvk, err := c.GroupVersionKindFor(obj)
		if err != nil {
			return err
		}
		if gvk.Kind == kind && obj.GetName() == name {
			group := schema.GroupResource{Group: gvk.Group, Resource: gvk.Kind}
			return apierrors.NewForbidden(group, name, errors.New("refused by the test"))
		}
		return c.Delete(ctx, obj, opts...)
	}
}
