package connect_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
)

// A server that restarts in the middle is asked again, a change is seen, and so
// is the end.
func TestFollow(t *testing.T) {
	t.Parallel()
	app := &v1beta1.Application{}
	app.Namespace, app.Name = "default", "shop"
	gets := 0
	server := fake.NewClientBuilder().WithScheme(connect.Scheme()).WithObjects(app).WithInterceptorFuncs(interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
			if gets++; gets == 2 {
				return errors.New("connection refused")
			}
			return c.Get(ctx, key, obj, opts...)
		},
		Watch: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) (watch.Interface, error) {
			if gets == 1 {
				return nil, errors.New("connection refused")
			}
			return c.Watch(ctx, list, opts...)
		},
	}).Build()
	var seen []string
	err := connect.Follow(t.Context(), server, client.ObjectKeyFromObject(app), func(app *v1beta1.Application) (bool, error) {
		if app == nil {
			seen = append(seen, "gone")
			return true, nil
		}
		seen = append(seen, app.Labels["phase"])
		next := app.DeepCopy()
		switch {
		case len(seen) == 2:
			next.Labels = map[string]string{"phase": "changed"}
			go func() { _ = server.Update(context.Background(), next) }() // seen, or the test does not end
		case len(seen) == 3:
			go func() { _ = server.Delete(context.Background(), next) }()
		}
		return false, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"", "", "changed", "gone"}, slices.Clone(seen)); diff != "" {
		t.Errorf("Follow() saw (-want +got):\n%s", diff)
	}
}
