package observe

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
)

// A PolicyTarget is one policy with everything that it gives.
type PolicyTarget struct {
	Policy  blueprint.Policy
	Objects []Object
	// Context holds further fields for the rules of the definition.
	Context map[string]any
}

// Policy returns the health of a policy, which is judged like a component: its
// rule counts, then the kinds of its objects. Without either it is healthy. The
// error is only about ctx.
func (o *Observer) Policy(ctx context.Context, bp *blueprint.Blueprint, t PolicyTarget) (Health, error) {
	def := bp.Definitions[definition.Ref{Kind: definition.Policy, Name: t.Policy.Type}]
	live := live{outputs: map[string]*unstructured.Unstructured{}}
	for _, obj := range t.Objects {
		switch {
		case obj.Live == nil:
		case obj.Manifest.Output == "":
			live.output = obj.Live
		default:
			live.outputs[obj.Manifest.Output] = obj.Live
		}
	}
	target := Target{
		Component: blueprint.Component{Name: t.Policy.Name}, Cluster: manifest.Local, Namespace: bp.App.Namespace,
		Objects: t.Objects, Context: t.Context,
	}
	h := Health{Policy: t.Policy.Name, Type: t.Policy.Type, Cluster: manifest.Local, Namespace: bp.App.Namespace}
	h = o.judge(ctx, bp, target, part{def: def, objects: t.Objects, parameter: t.Policy.Properties, live: live}, h)
	return h, ctx.Err()
}
