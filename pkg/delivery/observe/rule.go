package observe

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
)

// byDefinition applies the rules of a definition to h, which holds what the
// kinds of the objects say: details first, then healthPolicy, then
// customStatus, each with what the ones before it found in context.status.
func (o *Observer) byDefinition(ctx context.Context, bp *blueprint.Blueprint, t Target, p part, h Health) Health {
	r := rules{engine: o.engine, target: t, part: p, context: ruleContext(bp, t, p)}
	details, all := r.details(ctx)
	h.Details = details
	status := map[string]any{"details": all}
	r.context["status"] = status
	if p.def.HealthPolicy != "" {
		healthy, err := r.healthy(ctx)
		if err != nil {
			h.Healthy = false
			h.Message = cmp.Or(h.Message, fmt.Sprintf("health rule of %s %q: %v", p.def.Kind, p.def.Name, err))
		} else {
			if healthy != h.Healthy {
				h.Message = "" // what the kind says contradicts the definition
			}
			h.Healthy = healthy
		}
	}
	status["healthy"] = h.Healthy
	if p.def.CustomStatus != "" {
		// A message often cannot be told before the status has its fields; that
		// is no news, and what the kind says stays. It also stays when it only
		// says more ("Ready:0/1, FailedCreate: quota exceeded").
		if message, err := r.message(ctx); err == nil && message != "" && !strings.HasPrefix(h.Message, message) {
			h.Message = message
		}
	}
	return h
}

// rules are the rules of one definition with what they read.
type rules struct {
	engine  *cue.Engine
	target  Target
	part    part
	context map[string]any
}

func (r rules) healthy(ctx context.Context) (bool, error) {
	res, err := r.eval(ctx, "health", r.part.def.HealthPolicy)
	if err != nil {
		return false, err
	}
	healthy, ok, err := res.Bool("isHealth")
	if err == nil && !ok {
		err = fmt.Errorf("isHealth is not set")
	}
	return healthy, err
}

func (r rules) message(ctx context.Context) (string, error) {
	res, err := r.eval(ctx, "status", r.part.def.CustomStatus)
	if err != nil {
		return "", err
	}
	message, _, err := res.String("message")
	return message, err
}

func (r rules) eval(ctx context.Context, kind, text string) (*cue.Result, error) {
	tmpl, err := r.engine.Compile(cue.Source{Kind: kind, Name: r.part.def.Name, Text: text})
	if err != nil {
		return nil, err
	}
	fields := r.context
	if names, all := tmpl.ContextFields(); !all {
		// Live objects are large: only what the rule reads is given to it.
		fields = make(map[string]any, len(names))
		for _, name := range names {
			if v, ok := r.context[name]; ok {
				fields[name] = v
			}
		}
	}
	return tmpl.Eval(ctx, cue.Input{Parameter: r.part.parameter, Context: fields, ReadOnly: true})
}

// ruleContext is what the rules of a definition see as `context`.
func ruleContext(bp *blueprint.Blueprint, t Target, p part) map[string]any {
	fields := map[string]any{
		"name": t.Component.Name, "namespace": t.Namespace, "cluster": t.Cluster, "replicaKey": t.Component.ReplicaKey,
		"appName": bp.App.Name, "appLabels": bp.App.Labels, "appAnnotations": bp.App.Annotations,
		"publishVersion": bp.App.PublishVersion, "parameter": p.parameter,
	}
	for name, v := range t.Context {
		fields[name] = v
	}
	outputs := make(map[string]any, len(p.live.outputs))
	for name, o := range p.live.outputs {
		outputs[name] = visible(o.Object)
	}
	fields["outputs"] = outputs
	if p.live.output != nil {
		fields["output"] = visible(p.live.output.Object)
	}
	return fields
}

// visible is an object without the bookkeeping of the API server, which is
// often larger than the rest. The object itself is not modified.
func visible(object map[string]any) map[string]any {
	meta, ok := object["metadata"].(map[string]any)
	if !ok || meta["managedFields"] == nil {
		return object
	}
	return with(object, "metadata", without(meta, "managedFields"))
}

func with(m map[string]any, key string, value any) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	out[key] = value
	return out
}

func without(m map[string]any, key string) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		if k != key {
			out[k] = v
		}
	}
	return out
}
