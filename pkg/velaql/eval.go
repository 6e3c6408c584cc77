package velaql

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/charts"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

// templateKey is where a ConfigMap has the text of a view.
const templateKey = "template"

// Engine compiles views and offers them what they may call. It is safe for
// concurrent use.
type Engine struct {
	Engine  *cue.Engine    // with the packages of workflow steps
	Actions provider.Table // only the reads are used
}

// Query evaluates a view for a query. Text is that of the view.
func (e Engine) Query(ctx context.Context, text string, q Query) (any, error) {
	view, err := e.Engine.Compile(cue.Source{Kind: "view", Name: q.View, Text: text})
	if err != nil {
		return nil, fmt.Errorf("view %q does not compile: %w", q.View, err)
	}
	res, err := view.Eval(ctx, cue.Input{
		Parameter: q.Parameters, Context: map[string]any{}, Actions: e.Actions.ReadOnly(), ReadOnly: true,
	})
	if err != nil {
		return nil, fmt.Errorf("view %q: %w", q.View, err)
	}
	out, ok, err := res.Lookup(q.Export)
	switch {
	case err != nil:
		return nil, fmt.Errorf("view %q: %w", q.View, err)
	case !ok:
		return nil, fmt.Errorf("view %q has no field %q for these parameters", q.View, q.Export)
	}
	return out, nil
}

// Load returns the text of a view: the stored one, or else the one that comes with
// vela.
func Load(ctx context.Context, hub client.Reader, namespace, name string) (string, error) {
	stored := &corev1.ConfigMap{}
	err := hub.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, stored)
	if apierrors.IsNotFound(err) {
		if text, err := charts.Views.ReadFile("vela-core/views/" + name + ".cue"); err == nil {
			return string(text), nil
		}
		return "", fmt.Errorf("there is no view %q in namespace %q: store one with `vela ql apply -f %s.cue`: %w", name, namespace, name, err)
	}
	if err != nil {
		return "", fmt.Errorf("read view %q: %w", name, err)
	}
	text, ok := stored.Data[templateKey]
	if !ok {
		return "", fmt.Errorf("the ConfigMap %s/%s is no view: it has no key %q", namespace, name, templateKey)
	}
	return text, nil
}

// Store keeps a view under a name, unless it is the same already. One that does
// not compile is refused.
func (e Engine) Store(ctx context.Context, hub client.Client, namespace, name, text string) (changed bool, err error) {
	if _, err := e.Engine.Compile(cue.Source{Kind: "view", Name: name, Text: text}); err != nil {
		return false, fmt.Errorf("view %q does not compile: %w", name, err)
	}
	stored := &corev1.ConfigMap{}
	err = hub.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, stored)
	if apierrors.IsNotFound(err) {
		stored.ObjectMeta = metav1.ObjectMeta{Namespace: namespace, Name: name}
		stored.Data = map[string]string{templateKey: text}
		if err := hub.Create(ctx, stored); err != nil {
			return false, fmt.Errorf("store view %q: %w", name, err)
		}
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("read view %q: %w", name, err)
	}
	if _, view := stored.Data[templateKey]; !view && len(stored.Data)+len(stored.BinaryData) > 0 {
		return false, errors.New("the ConfigMap " + namespace + "/" + name + " is no view and holds other data: choose another name")
	}
	if stored.Data[templateKey] == text {
		return false, nil
	}
	stored.Data = map[string]string{templateKey: text}
	if err := hub.Update(ctx, stored); err != nil {
		return false, fmt.Errorf("store view %q: %w", name, err)
	}
	return true, nil
}
