package impact

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/preview"
	"github.com/seed-c5f95f19/vela/references/cli/source"
)

// pageSize is how many Applications one request asks for.
const pageSize = 500

// Live lists the Applications in the cluster; namespace "" means all.
func Live(ctx context.Context, c client.Reader, namespace string) ([]preview.App, error) {
	var out []preview.App
	for next := ""; ; {
		var page v1beta1.ApplicationList
		if err := c.List(ctx, &page, client.InNamespace(namespace), client.Limit(pageSize), client.Continue(next)); err != nil {
			return nil, fmt.Errorf("list applications: %w", err)
		}
		for i := range page.Items {
			out = append(out, preview.App{Application: &page.Items[i]})
		}
		if next = page.Continue; next == "" {
			return out, nil
		}
	}
}

// Definitions returns the definitions among documents, as they would lie in
// namespace.
func Definitions(docs []source.Document, namespace string) ([]definition.Definition, error) {
	var out []definition.Definition
	for _, doc := range docs {
		if !definition.IsDefinition(doc.Object) {
			continue
		}
		object, err := connect.Scheme().New(doc.Object.GroupVersionKind())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", doc.At("kind"), err)
		}
		if _, err := doc.Decode(object); err != nil {
			return nil, err
		}
		d, err := Changed(object, namespace)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// Changed is what obj, a typed definition, would be in namespace.
func Changed(obj runtime.Object, namespace string) (definition.Definition, error) {
	d, err := definition.FromObject(obj)
	if err != nil {
		return d, err
	}
	if own, ok := obj.(client.Object); ok && own.GetNamespace() != "" {
		namespace = own.GetNamespace()
	}
	d.Namespace = namespace
	return d, nil
}

// InCluster is Of for all Applications of the cluster and obj, a typed definition
// in the namespace where it would lie.
func InCluster(ctx context.Context, f *connect.Factory, obj runtime.Object) (*Report, error) {
	changed, err := Changed(obj, f.SystemNamespace())
	if err != nil {
		return nil, err
	}
	p, err := preview.New(preview.Options{Factory: f})
	if err != nil {
		return nil, err
	}
	apps, err := Live(ctx, p.Client, "")
	if err != nil {
		return nil, err
	}
	return Of(ctx, Options{Preview: p, Apps: apps, Changed: changed})
}
