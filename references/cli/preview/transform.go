package preview

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/revision"
	"github.com/seed-c5f95f19/vela/pkg/delivery/transform"
)

// draft reads app as Application-scoped policies make it. latest is the revision
// that the control plane has of it: what policies made for that one counts while
// nothing new is written, and it tells which of them run there.
func (p *Preview) draft(ctx context.Context, app App, latest *v1beta1.Revision) (blueprint.Draft, error) {
	written, produced, err := p.transform(ctx, app.Application, latest)
	if err != nil {
		return blueprint.Draft{}, p.Locate(app, err)
	}
	d, err := blueprint.Parse(ctx, written, p.references)
	d.Produced = produced
	return d, p.Locate(app, err)
}

func (p *Preview) transform(ctx context.Context, app *v1beta1.Application, latest *v1beta1.Revision) (*v1beta1.Application, *blueprint.Produced, error) {
	gates := p.from.Gates
	if p.Client != nil && latest != nil {
		store := revision.Kube{Reader: p.Client, Writer: p.Client}
		left, produced, ok, err := revision.Produced(ctx, store, app, transform.Written(app), latest)
		switch {
		case err != nil:
			return nil, nil, err
		case ok && !transform.Follows(app):
			return left, produced, nil
		case produced != nil:
			gates.Scoped, gates.Global = true, gates.Global || produced.Global
		}
	}
	if !gates.Scoped {
		return app, nil, nil
	}
	o := transform.Options{Gates: gates, Definitions: p.definitions, Engine: p.options.Components}
	if p.Client != nil {
		d, err := p.deliver()
		if err != nil {
			return nil, nil, err
		}
		o.Actions = func(namespace string, trusted bool) provider.Table {
			return all.Definition(all.Deps{Namespace: namespace, Reader: d.Reader(namespace, trusted)})
		}
	}
	return transform.Apply(ctx, app, o)
}

// latest returns the newest revision of an Application in the cluster, when it
// matters: where a policy may change it.
func (p *Preview) latest(ctx context.Context, app *v1beta1.Application) (*v1beta1.Revision, error) {
	if p.Client == nil {
		return nil, nil
	}
	changes, err := p.changes(ctx, app.Namespace)
	if err != nil || !changes {
		return nil, err
	}
	live := &v1beta1.Application{}
	err = p.Client.Get(ctx, client.ObjectKeyFromObject(app), live)
	return live.Status.LatestRevision, client.IgnoreNotFound(err)
}

// changes reports whether a namespace has policies that change Applications.
func (p *Preview) changes(ctx context.Context, namespace string) (bool, error) {
	if known, ok := p.scoped.Load(namespace); ok {
		return known.(bool), nil
	}
	names, err := p.definitions.Names(ctx, namespace, definition.Policy)
	if err != nil {
		return false, err
	}
	found := false
	for _, name := range names {
		def, err := p.definitions.Get(ctx, namespace, definition.Ref{Kind: definition.Policy, Name: name})
		found = found || err == nil && blueprint.Scoped(def)
	}
	p.scoped.Store(namespace, found)
	return found, nil
}
