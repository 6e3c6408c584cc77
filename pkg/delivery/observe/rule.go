package observe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
)

// byDefinition applies the rules of a definition to h, which holds what the
// kinds of the objects say: details first, then healthPolicy, then
// customStatus, each with what the ones before it found in context.status.
func (o *Observer) byDefinition(ctx context.Context, bp *blueprint.Blueprint, t Target, p part, h Health) Health {
	r := rules{observer: o, part: p, context: ruleContext(bp, t, p)}
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
	observer *Observer
	part     part
	context  map[string]any
}

func (r rules) healthy(ctx context.Context) (bool, error) {
	a := r.ask(ctx, "health", r.part.def.HealthPolicy, func(res *cue.Result) (answer, error) {
		healthy, ok, err := res.Bool("isHealth")
		if err == nil && !ok {
			err = fmt.Errorf("isHealth is not set")
		}
		return answer{healthy: healthy}, err
	})
	return a.healthy, a.err
}

func (r rules) message(ctx context.Context) (string, error) {
	a := r.ask(ctx, "status", r.part.def.CustomStatus, func(res *cue.Result) (answer, error) {
		message, _, err := res.String("message")
		return answer{message: message}, err
	})
	return a.message, a.err
}

// An answer is what one rule said. Nobody may modify it.
type answer struct {
	healthy bool
	message string
	values  map[string]any
	err     error
}

// ask evaluates a rule over the fields that it reads, or remembers what it
// said to the same fields before, whatever objects they were of.
func (r rules) ask(ctx context.Context, kind, text string, read func(*cue.Result) (answer, error)) answer {
	reads := r.observer.reader.of(text)
	in := cue.Input{Context: prune(r.context, reads.context), ReadOnly: true}
	if reads.parameter {
		in.Parameter = r.part.parameter
	}
	key := manifest.Digest([]any{kind, text, in.Parameter, in.Context})
	if a, ok := r.observer.memo.get(key); ok {
		return a
	}
	a := r.eval(ctx, cue.Source{Kind: kind, Name: r.part.def.Name, Text: text}, in, read)
	if limit := new(cue.Error); ctx.Err() == nil && (!errors.As(a.err, &limit) || limit.Kind != cue.Limit) {
		r.observer.memo.put(key, a)
	}
	return a
}

func (r rules) eval(ctx context.Context, src cue.Source, in cue.Input, read func(*cue.Result) (answer, error)) answer {
	tmpl, err := r.observer.engine.Compile(src)
	if err != nil {
		return answer{err: err}
	}
	res, err := tmpl.Eval(ctx, in)
	if err != nil {
		return answer{err: err}
	}
	a, err := read(res)
	a.err = err
	return a
}

// ruleContext is what the rules of a definition see as `context`.
func ruleContext(bp *blueprint.Blueprint, t Target, p part) map[string]any {
	fields := map[string]any{
		"name": t.Component.Name, "namespace": t.Namespace, "cluster": t.Cluster, "replicaKey": t.Component.ReplicaKey,
		"appName": bp.App.Name, "appLabels": bp.App.Labels, "appAnnotations": bp.App.Annotations,
		"publishVersion": bp.App.PublishVersion, "parameter": p.parameter,
	}
	if custom := bp.Custom(); custom != nil {
		fields["custom"] = custom
	}
	for name, v := range t.Context {
		fields[name] = v
	}
	outputs := make(map[string]any, len(p.live.outputs))
	for name, o := range p.live.outputs {
		outputs[name] = o.Object
	}
	fields["outputs"] = outputs
	if p.live.output != nil {
		fields["output"] = p.live.output.Object
	}
	return fields
}
