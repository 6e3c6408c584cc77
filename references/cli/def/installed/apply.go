package installed

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/references/cli/def/author"
	"github.com/seed-c5f95f19/vela/references/cli/def/linediff"
)

// Live returns what the cluster has of an object, nil when it has none.
func Live(ctx context.Context, c client.Reader, obj client.Object) (client.Object, error) {
	live, _ := emptyOf(TypeOf(obj))
	err := c.Get(ctx, client.ObjectKeyFromObject(obj), live)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s %q: %w", TypeOf(obj), obj.GetName(), err)
	}
	live.GetObjectKind().SetGroupVersionKind(obj.GetObjectKind().GroupVersionKind())
	return live, nil
}

// Apply writes a definition and says what that did: created, changed or
// unchanged.
func Apply(ctx context.Context, c client.Client, obj client.Object) (string, error) {
	live, err := Live(ctx, c, obj)
	if err != nil {
		return "", err
	}
	content, err := author.Content(obj)
	if err != nil {
		return "", err
	}
	u := &unstructured.Unstructured{Object: content}
	if err := c.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(Manager), client.ForceOwnership); err != nil {
		return "", fmt.Errorf("%s %q was not applied: %w", TypeOf(obj), obj.GetName(), err)
	}
	switch {
	case live == nil:
		return "created", nil
	case live.GetResourceVersion() == u.GetResourceVersion():
		return "unchanged", nil
	}
	return "changed", nil
}

// Difference shows how a definition differs from the one in the cluster, as
// their authors would have written them. nil stands for none.
func Difference(live, wanted client.Object) (string, error) {
	before := ""
	var err error
	if live != nil {
		if before, err = definition.FormatCUE(live); err != nil {
			return "", err
		}
	}
	after, err := definition.FormatCUE(normal(wanted))
	if err != nil {
		return "", err
	}
	return linediff.Unified(before, after), nil
}

// normal is a copy of a definition as a cluster would give it back.
func normal(obj client.Object) runtime.Object {
	out := obj.DeepCopyObject().(client.Object)
	if len(out.GetAnnotations()) == 0 {
		out.SetAnnotations(nil)
	}
	return out
}
