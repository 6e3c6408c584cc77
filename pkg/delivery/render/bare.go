package render

import "context"

// A Bare is one object as the templates of a component give it: without the
// name, the namespace and the labels that every object gets when it is sent.
type Bare struct {
	Trait  string // type of the trait that gave it, "" for the component
	Output string // name under outputs, "" for the workload
	Fields map[string]any
}

// Bare returns what the templates of a component give. Tests of definitions
// compare it: what is added to every object is not theirs.
func (r *Renderer) Bare(ctx context.Context, req Request) ([]Bare, error) {
	j, err := r.prepare(req)
	if err != nil {
		return nil, err
	}
	if err := j.readConfig(ctx); err != nil {
		return nil, err
	}
	if err := j.renderComponent(ctx); err != nil {
		return nil, err
	}
	for i, t := range j.traits {
		if err := j.renderTrait(ctx, t, req.Component.Traits[i].Type); err != nil {
			return nil, err
		}
	}
	out := []Bare{{Fields: j.workload}}
	for _, o := range j.objects {
		out = append(out, Bare{Trait: base(o.trait), Output: o.name, Fields: o.fields})
	}
	return out, nil
}
