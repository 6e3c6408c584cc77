// Package render turns one component of a Blueprint, for one place, into the
// objects that it stands for: the template of the component gives the workload
// and its companions, then each trait in turn patches them or adds its own.
//
// Everything that the templates see comes with the Request, so the same Request
// gives the same bytes, and nothing is written anywhere: providers are offered
// for reading only. What was rendered is kept, by everything that it depends
// on: a Request that is seen again costs a digest and no CUE. Placement and
// overrides are decided before (package policy), what happens to the objects
// after (package plan).
//
// Objects carry who they belong to (KubeVela's labels), but not the revision
// that they came from: a change of one component must leave the objects of the
// others as they are.
package render

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// A Scope says whether objects of a kind live in namespaces; known is false
// when it cannot tell.
type Scope func(schema.GroupVersionKind) (namespaced, known bool)

// Options configure a Renderer.
type Options struct {
	Engine *cue.Engine // compiles the templates of components and traits
	// Scope asks the clusters; nil, and for kinds that it does not know, the
	// built-in kinds of Kubernetes are known and others taken as namespaced.
	Scope Scope
	// Keep is how many manifests are remembered (20,000); negative keeps none.
	Keep int
}

// A Renderer renders components. It is safe for concurrent use.
type Renderer struct {
	engine *cue.Engine
	scope  Scope
	cache  *cache
}

// New returns a renderer.
func New(o Options) *Renderer {
	if o.Keep == 0 {
		o.Keep = 20_000
	}
	return &Renderer{engine: o.Engine, scope: o.Scope, cache: newCache(o.Keep)}
}

// A ClusterVersion is what templates see as context.clusterVersion.
type ClusterVersion struct {
	Major      string `json:"major"`
	Minor      int    `json:"minor"`
	GitVersion string `json:"gitVersion"`
	Platform   string `json:"platform"`
}

// Fields returns the version as templates see it.
func (v ClusterVersion) Fields() map[string]any {
	return map[string]any{"major": v.Major, "minor": int64(v.Minor), "gitVersion": v.GitVersion, "platform": v.Platform}
}

// A Request is one component in one place, with all that its templates may see.
type Request struct {
	Blueprint *blueprint.Blueprint
	// Component is that of the Blueprint after overrides and replication.
	Component blueprint.Component

	// Cluster is "" when nobody was asked where: the objects are then those of the
	// hub, and templates see neither a cluster nor a revision of the component.
	Cluster        string
	Namespace      string
	ClusterVersion ClusterVersion

	RevisionName   string
	RevisionNumber int64

	// Live are the objects of the component as the cluster has them, for traits
	// of the stage PostDispatch. Nil: it is not healthy yet.
	Live *Live
	// Actions are what templates may read with.
	Actions provider.Table
	// Config reads a ConfigMap of the Application's namespace, for context.config;
	// nil: there is none.
	Config func(ctx context.Context, name string) (map[string]string, error)
}

// Live are the objects of one component as its cluster has them.
type Live struct {
	Output  *unstructured.Unstructured
	Outputs map[string]*unstructured.Unstructured
}

// Component returns the objects of a component as they are to be sent: the
// workload, its companions and those of its traits in their order, each object
// once (see Combine), without a workload that a trait manages itself. The caller
// must not modify them.
//
// A trait of the stage PostDispatch that needs the live workload is left out
// while Request.Live is nil.
func (r *Renderer) Component(ctx context.Context, req Request) ([]manifest.Manifest, error) {
	res, err := r.result(ctx, req)
	return slices.Clone(res.sent), err
}

// Parts returns what the templates of a component give, whoever sends it and
// before parts of one object are combined. The caller must not modify them.
func (r *Renderer) Parts(ctx context.Context, req Request) ([]manifest.Manifest, error) {
	res, err := r.result(ctx, req)
	return slices.Clone(res.parts), err
}

// A result is what was rendered. It is shared: nobody may modify it.
type result struct {
	parts []manifest.Manifest
	sent  []manifest.Manifest
}

// result renders, or remembers what was rendered.
func (r *Renderer) result(ctx context.Context, req Request) (result, error) {
	j, err := r.prepare(req)
	if err != nil {
		return result{}, err
	}
	if err := j.readConfig(ctx); err != nil {
		return result{}, err
	}
	key := j.key()
	if kept, ok := r.cache.get(key); ok && r.scoped(kept.parts) {
		return kept, nil
	}
	parts, err := j.run(ctx)
	if err != nil {
		return result{}, err
	}
	sent := parts
	if j.managed {
		sent = slices.DeleteFunc(slices.Clone(parts), manifest.Manifest.Workload)
	}
	if sent, err = Combine(sent); err != nil {
		return result{}, fault.With(err, fault.At(req.Component.Origin.String()))
	}
	out := result{parts, sent}
	if !j.moving {
		r.cache.put(key, out)
	}
	return out, nil
}

// Stats says how often a Request was seen before.
func (r *Renderer) Stats() (hits, misses int64) { return r.cache.stats() }
