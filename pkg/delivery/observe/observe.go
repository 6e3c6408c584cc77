// Package observe judges whether what was sent works: from the live objects of
// a component it makes one Health for the workload and one for each trait. It
// is stage eight of a delivery and reads no cluster itself; status folds what
// it finds.
//
// What counts is, in this order: that the cluster could be asked, that every
// object exists, the rule of the definition (details, then healthPolicy, then
// customStatus), the rule of the object's kind (package kinds), the conditions
// that the object has. It runs for every event of a live object, so the rules
// of definitions are compiled once, by the engine, get only the fields that
// they read, and what they answered to the same fields is remembered.
package observe

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/observe/kinds"
)

// DisableHealthCheck is the annotation of a live object that counts as healthy
// as long as it exists.
const DisableHealthCheck = "app.oam.dev/disable-health-check"

// pendingMessage is KubeVela's word for a trait that waits for its workload.
const pendingMessage = "⏳ Waiting for component to be healthy"

// An Observer judges the health of components. It is safe for concurrent use.
type Observer struct {
	engine *cue.Engine
	reader *reader
	memo   *memo
}

// New returns an observer that compiles the rules of definitions with engine.
func New(engine *cue.Engine) *Observer {
	return &Observer{engine: engine, reader: &reader{}, memo: newMemo()}
}

// Component returns the health of a component in one place: first that of its
// workload and companions, then one for each of its traits, in their order.
// The error is only about ctx; what goes wrong in a rule is in the message.
func (o *Observer) Component(ctx context.Context, bp *blueprint.Blueprint, t Target) ([]Health, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	base := Health{
		Component: t.Component.Name, Type: t.Component.Type,
		Cluster: t.Cluster, Namespace: t.Namespace, Replica: t.Component.ReplicaKey,
	}
	live := liveOf(t.Objects)
	if w := workloadOf(t.Objects); w != nil {
		base.WorkloadAPIVersion, base.WorkloadKind = w.Manifest.Object.GetAPIVersion(), w.Manifest.Object.GetKind()
	}
	def := bp.Definitions[definition.Ref{Kind: definition.Component, Name: t.Component.Type}]
	part := part{def: def, objects: objectsOf(t.Objects, ""), parameter: t.Component.Properties, live: live}
	health := []Health{o.judge(ctx, bp, t, part, base)}
	seen := map[string]bool{}
	for _, trait := range t.Component.Traits {
		name := definition.Ref{Name: trait.Type}.Base()
		if seen[name] {
			continue // objects do not say of which of two equal traits they are
		}
		seen[name] = true
		base := base
		base.Trait = name
		if slices.Contains(t.Pending, trait.Type) || slices.Contains(t.Pending, name) {
			base.Known, base.Pending, base.Message = true, true, pendingMessage
			health = append(health, base)
			continue
		}
		part.def = bp.Definitions[definition.Ref{Kind: definition.Trait, Name: trait.Type}]
		part.objects, part.parameter = objectsOf(t.Objects, name), trait.Properties
		health = append(health, o.judge(ctx, bp, t, part, base))
	}
	if err := ctx.Err(); err != nil {
		return nil, err // a rule that was cut short proves nothing
	}
	return health, nil
}

// A part is what one Health is about.
type part struct {
	def       definition.Definition
	objects   []Object
	parameter map[string]any
	live      live
}

// judge fills in what is known about one part.
func (o *Observer) judge(ctx context.Context, bp *blueprint.Blueprint, t Target, p part, h Health) Health {
	h.Known = true
	for _, obj := range t.Objects { // also those of other parts: rules may read them
		if !obj.Known {
			h.Known, h.Message = false, fmt.Sprintf("cluster %q cannot be reached", obj.Manifest.Key.Cluster)
			return h
		}
	}
	for _, obj := range p.objects {
		if obj.Owner != "" {
			h.Message = fmt.Sprintf("%s %q belongs to Application %q", obj.Manifest.Key.Kind, obj.Manifest.Key.Name, obj.Owner)
			return h
		}
		if obj.Live == nil {
			h.Message = fmt.Sprintf("%s %q does not exist", obj.Manifest.Key.Kind, obj.Manifest.Key.Name)
			return h
		}
	}
	verdict := byKind(p.objects)
	h.Healthy, h.Message = verdict.Healthy, verdict.Message
	if p.def.HealthPolicy == "" && p.def.CustomStatus == "" && p.def.Details == "" {
		return h
	}
	return o.byDefinition(ctx, bp, t, p, h)
}

// byKind judges objects by the rules of their kinds. The message is that of
// the first that is not healthy, or else of the first.
func byKind(objects []Object) kinds.Verdict {
	out := kinds.Verdict{Healthy: true}
	for i, obj := range objects {
		if obj.Live.GetAnnotations()[DisableHealthCheck] != "" {
			continue
		}
		v := kinds.Judge(obj.Live)
		if !v.Healthy && out.Healthy || i == 0 {
			out = v
		}
	}
	return out
}

// live holds the live objects of a component by the names that rules use.
type live struct {
	output  *unstructured.Unstructured
	outputs map[string]*unstructured.Unstructured
}

func liveOf(objects []Object) live {
	l := live{outputs: map[string]*unstructured.Unstructured{}}
	for _, o := range objects {
		switch {
		case o.Live == nil:
		case o.Manifest.Workload():
			l.output = o.Live
		default:
			l.outputs[o.Manifest.Output] = o.Live
		}
	}
	return l
}

func workloadOf(objects []Object) *Object {
	i := slices.IndexFunc(objects, func(o Object) bool { return o.Manifest.Workload() })
	if i < 0 {
		return nil
	}
	return &objects[i]
}

// objectsOf returns the objects of a trait, or of the component itself.
func objectsOf(objects []Object, trait string) []Object {
	var out []Object
	for _, o := range objects {
		if (definition.Ref{Name: o.Manifest.Trait}).Base() == trait {
			out = append(out, o)
		}
	}
	return out
}
