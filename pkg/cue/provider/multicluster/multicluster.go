// Package multicluster is the provider package "vela/multicluster": templates
// of workflow steps see the clusters and deliver the components of their
// Application by policies.
package multicluster

import (
	"context"
	_ "embed"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/oam"
)

//go:embed multicluster.cue
var schema string

// A Fleet knows the clusters.
type Fleet interface {
	// Clusters returns the names of all clusters, the control plane's first.
	Clusters(ctx context.Context) ([]string, error)
	// Placements returns where the named topology policies of the Application
	// lead.
	Placements(ctx context.Context, policies []string) ([]Placement, error)
}

// A Placement is one target of a delivery.
type Placement struct {
	Cluster   string `json:"cluster"`
	Namespace string `json:"namespace"`
}

// Options are what the package needs; actions of a part that is nil are not
// offered.
type Options struct {
	Fleet     Fleet
	Envs      Envs
	Namespace string // of the Application
	Deployer  oam.Deployer
	Allow     oam.Allow // asked before each effect; nil allows everything
}

// Schema is the text that templates import.
func Schema() provider.Schema { return provider.Schema{Path: "vela/multicluster", Text: schema} }

// New returns the package.
func New(o Options) provider.Package {
	p := provider.Package{Name: "multicluster", Schema: schema, Read: provider.Actions{}, Write: provider.Actions{}}
	if o.Fleet != nil {
		f := fleet{o.Fleet}
		p.Read["list-clusters"] = provider.Func(f.list)
		p.Read["get-placements-from-topology-policies"] = provider.Func(f.placements)
		p.Read["get-placements-from-tmulticlusterology-policies"] = provider.Func(f.placements)
	}
	if o.Fleet != nil && o.Envs != nil {
		e := envs{o.Fleet, o.Envs, o.Namespace}
		p.Read["make-placement-decisions"] = provider.Func(e.decide)
		p.Read["patch-application"] = provider.Func(e.patch)
	}
	if o.Deployer != nil {
		p.Write["deploy"] = provider.Func(o.deploy)
	}
	return p
}

type fleet struct{ Fleet }

type clusters struct {
	Outputs struct {
		Clusters []string `json:"clusters"`
	} `json:"outputs"`
}

func (f fleet) list(ctx context.Context, _ struct{}) (clusters, error) {
	var out clusters
	names, err := f.Clusters(ctx)
	out.Outputs.Clusters = names
	return out, err
}

type placementsIn struct {
	Policies []string `json:"policies"`
}

type placementsOut struct {
	Placements []Placement `json:"placements"`
}

func (f fleet) placements(ctx context.Context, in placementsIn) (placementsOut, error) {
	places, err := f.Placements(ctx, in.Policies)
	if places == nil {
		places = []Placement{}
	}
	return placementsOut{places}, err
}

func (o Options) deploy(ctx context.Context, req oam.DeployRequest) (any, error) {
	req.Allow = o.Allow
	res, err := o.Deployer.Deploy(ctx, req)
	switch {
	case err != nil:
		return nil, err
	case !res.Healthy:
		return nil, oam.Unhealthy{Message: res.Message, After: res.After}
	}
	return nil, nil
}
