package connect

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
)

// pause is how long Follow waits before it connects again or, where watching
// is not allowed, asks again.
const pause = time.Second

// Follow calls see with the Application as it is now and after every change
// until see returns true or an error, or ctx ends. app is nil when it does not
// exist. A connection that breaks is made again.
func Follow(ctx context.Context, c client.WithWatch, key client.ObjectKey, see func(app *v1beta1.Application) (done bool, err error)) error {
	for {
		done, err := followOnce(ctx, c, key, see)
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// followOnce reads and watches until the connection ends.
func followOnce(ctx context.Context, c client.WithWatch, key client.ObjectKey, see func(*v1beta1.Application) (bool, error)) (bool, error) {
	app := &v1beta1.Application{}
	err := c.Get(ctx, key, app)
	switch {
	case apierrors.IsNotFound(err) && !missingKind(err):
		return see(nil)
	case err != nil && passing(err):
		return false, ctx.Err()
	case err != nil:
		return true, fmt.Errorf("read application %s: %w", key, err)
	}
	if done, err := see(app); done || err != nil {
		return true, err
	}
	return followFrom(ctx, c, app, see)
}

// passing reports whether an error says nothing but that the server could not
// answer now: it may be restarting.
func passing(err error) bool {
	return apierrors.ReasonForError(err) == metav1.StatusReasonUnknown || apierrors.IsServerTimeout(err) ||
		apierrors.IsTooManyRequests(err) || apierrors.IsServiceUnavailable(err) || apierrors.IsTimeout(err)
}

// followFrom watches until the connection ends.
func followFrom(ctx context.Context, c client.WithWatch, app *v1beta1.Application, see func(*v1beta1.Application) (bool, error)) (bool, error) {
	options := &client.ListOptions{Namespace: app.Namespace, FieldSelector: fields.OneTermEqualSelector("metadata.name", app.Name)}
	options.Raw = options.AsListOptions()
	options.Raw.ResourceVersion = app.ResourceVersion
	watcher, err := c.Watch(ctx, &v1beta1.ApplicationList{}, options)
	if err != nil {
		return false, ctx.Err() // the caller asks again
	}
	defer watcher.Stop()
	for {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case event, open := <-watcher.ResultChan():
			if !open || event.Type == watch.Error {
				return false, nil
			}
			next, ok := event.Object.(*v1beta1.Application)
			if !ok || next.Name != app.Name {
				continue
			}
			if event.Type == watch.Deleted {
				next = nil
			}
			if done, err := see(next); done || err != nil {
				return true, err
			}
			if next == nil {
				return false, nil
			}
		}
	}
}
