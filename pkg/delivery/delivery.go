// Package delivery composes the inner loop of a delivery: one target of one
// step becomes units (components in places), units become manifests, manifests
// a plan, and the plan what is sent and observed. The controller, the command
// line and the deploy step all come through here and stop at different stages;
// there is no second renderer and no second way to write. The stages themselves
// are the packages below this one.
package delivery

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/dispatch"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/observe"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/override"
	"github.com/seed-c5f95f19/vela/pkg/delivery/render"
	"github.com/seed-c5f95f19/vela/pkg/identity"
)

// Clusters are the clusters that can be delivered to. *cluster.Registry is one.
type Clusters interface {
	Get(ctx context.Context, name string) (*cluster.Cluster, error)
	List(ctx context.Context) ([]cluster.Info, error)
}

// A Ledger tells what an Application owns. *inventory.Tracker is one.
type Ledger interface {
	Load(ctx context.Context, owner inventory.Owner) (inventory.Inventory, error)
}

// A Delivery holds what all runs share. It is safe for concurrent use.
type Delivery struct {
	Engine     *cue.Engine // of components and traits
	Renderer   *render.Renderer
	Observer   *observe.Observer
	Clusters   Clusters
	Ledger     Ledger
	Dispatcher *dispatch.Dispatcher
	Override   override.Options
	// Templates gives what templates may read with while they render; nil: nothing.
	Templates func(*Run) provider.Table
	// Applications reads another Application, which a step may ask about.
	Applications func(ctx context.Context, namespace, name string) (*v1beta1.Application, error)
	ReadOnly     bool // only plans: nothing is asked of a cluster that needs the right to write
	// Offline renders for no cluster: every component once, for the namespace of
	// the Application. What only a cluster or a stored revision knows is empty.
	Offline bool
}

// A Subject says what a run is about.
type Subject struct {
	Blueprint *blueprint.Blueprint
	Revision  string
	Number    int64
	As        identity.Identity
	Values    map[string]any // outputs of earlier steps and components; the run adds to them
}

// Begin starts a run.
func (d *Delivery) Begin(s Subject) (*Run, error) {
	rules, err := policy.Rules(s.Blueprint.Policies)
	if err != nil {
		return nil, err
	}
	app := s.Blueprint.App
	r := &Run{
		delivery: d, Blueprint: s.Blueprint, Revision: s.Revision, Number: s.Number, As: s.As,
		Values: s.Values, Owner: inventory.Owner{Namespace: app.Namespace, Name: app.Name, UID: app.UID}, rules: rules,
		given: map[string]any{},
	}
	if d.Templates != nil {
		r.Actions = d.Templates(r)
	}
	if r.Values == nil {
		r.Values = map[string]any{}
	}
	return r, nil
}

// version returns what templates see of a cluster.
func (d *Delivery) version(ctx context.Context, name string) (render.ClusterVersion, error) {
	c, err := d.Clusters.Get(ctx, name)
	if err != nil {
		return render.ClusterVersion{}, err
	}
	v, err := c.Version(ctx)
	if err != nil {
		return render.ClusterVersion{}, dispatch.Classify(err)
	}
	// Some providers say "27+".
	minor, err := strconv.Atoi(strings.TrimRight(v.Minor, "+"))
	if err != nil {
		return render.ClusterVersion{}, fmt.Errorf("cluster %q calls its minor version %q: want a number", name, v.Minor)
	}
	return render.ClusterVersion{Major: v.Major, Minor: minor, GitVersion: v.GitVersion, Platform: v.Platform}, nil
}

// objects returns what the clusters have of manifests, without a request where
// the owned cache knows.
func (d *Delivery) objects(ctx context.Context, manifests []manifest.Manifest) []observe.Object {
	out := make([]observe.Object, 0, len(manifests))
	for _, m := range manifests {
		o := observe.Object{Manifest: m}
		if c, err := d.Clusters.Get(ctx, cmp.Or(m.Key.Cluster, manifest.Local)); err == nil {
			key := types.NamespacedName{Namespace: m.Key.Namespace, Name: m.Key.Name}
			o.Live, o.Known = c.Live(m.Object.GroupVersionKind(), key)
			if owner, other := plan.OtherOwner(m, o.Live); other {
				o.Live, o.Owner = nil, owner.String()
			}
		}
		out = append(out, o)
	}
	return out
}
