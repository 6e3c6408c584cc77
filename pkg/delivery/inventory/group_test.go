package inventory_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// Components that are sent side by side must not cost a write of the whole
// tracker each.
func TestChangesThatComeTogetherAreWrittenTogether(t *testing.T) {
	t.Parallel()
	var writes atomic.Int64
	first := make(chan struct{})
	hub := env.Client(t, interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			writes.Add(1)
			<-first // until all others wait
			return c.Create(ctx, obj, opts...)
		},
		Update: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.UpdateOption) error {
			writes.Add(1)
			return c.Update(ctx, obj, opts...)
		},
	})
	tracker := inventory.NewTracker(hub)
	owner := inventory.Owner{Namespace: env.Namespace(t), Name: "web", UID: "1"}
	const n = 20
	var wg sync.WaitGroup
	var began sync.WaitGroup
	began.Add(n)
	for i := range n {
		wg.Go(func() {
			began.Done()
			key := manifest.Key{Cluster: "local", Kind: "ConfigMap", Namespace: "default", Name: fmt.Sprint("c", i)}
			if err := tracker.Record(t.Context(), owner, []inventory.Entry{{Key: key, Version: "v1"}}); err != nil {
				t.Error(err)
			}
		})
	}
	began.Wait()
	close(first)
	wg.Wait()
	got, err := inventory.NewTracker(hub).Load(t.Context(), owner)
	if err != nil || got.Len() != n {
		t.Fatalf("Load() = %d entries, %v; want %d", got.Len(), err, n)
	}
	if writes.Load() > n/2 {
		t.Errorf("%d records that came together took %d writes", n, writes.Load())
	}
}
