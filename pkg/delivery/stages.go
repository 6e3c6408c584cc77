package delivery

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/observe"
)

// stages are the stages in their order; no stage means the default one.
var stages = []manifest.Stage{manifest.PreDispatch, manifest.DefaultDispatch, manifest.PostDispatch}

func stageOf(m manifest.Manifest) manifest.Stage { return cmp.Or(m.Stage, manifest.DefaultDispatch) }

// inStages brings manifests in the order of their stages.
func inStages(manifests []manifest.Manifest) {
	slices.SortStableFunc(manifests, func(a, b manifest.Manifest) int {
		return cmp.Compare(slices.Index(stages, stageOf(a)), slices.Index(stages, stageOf(b)))
	})
}

// unrendered returns the traits of u that gave nothing because they wait for
// the live workload.
func (r *Run) unrendered(u *unit) []string {
	var out []string
	for _, t := range u.component.Traits {
		def := r.Blueprint.Definitions[definition.Ref{Kind: definition.Trait, Name: t.Type}]
		gave := slices.ContainsFunc(u.manifests, func(m manifest.Manifest) bool {
			return definition.Ref{Name: m.Trait}.Base() == def.Name
		})
		if def.Stage == string(manifest.PostDispatch) && !gave {
			out = append(out, t.Type)
		}
	}
	return out
}

// before returns what is live of the stages before PostDispatch, and whether all
// of it is healthy.
func (r *Run) before(ctx context.Context, u *unit) ([]observe.Object, bool, error) {
	var sent []manifest.Manifest
	for _, m := range u.manifests {
		if m.Stage != manifest.PostDispatch {
			sent = append(sent, m)
		}
	}
	objects := r.delivery.objects(ctx, sent)
	t := r.target(u, objects)
	for _, trait := range u.component.Traits {
		if r.stage(trait) == manifest.PostDispatch {
			t.Pending = append(t.Pending, trait.Type)
		}
	}
	health, err := r.delivery.Observer.Component(ctx, r.Blueprint, t)
	return objects, err == nil && allHealthy(health), err
}

// stage is when the objects of a trait are sent.
func (r *Run) stage(t blueprint.Trait) manifest.Stage {
	return manifest.Stage(r.Blueprint.Definitions[definition.Ref{Kind: definition.Trait, Name: t.Type}].Stage)
}

// due returns the manifests of u that may be sent now, the first of them all: a
// stage waits until the one before it is healthy.
func (r *Run) due(ctx context.Context, u *unit) []manifest.Manifest {
	for n, m := range u.manifests {
		if n == 0 || stageOf(m) == stageOf(u.manifests[n-1]) {
			continue
		}
		health, err := r.delivery.Observer.Component(ctx, r.Blueprint, r.target(u, r.delivery.objects(ctx, u.manifests[:n])))
		if err != nil || !allHealthy(r.until(u, stageOf(m), health)) {
			return u.manifests[:n]
		}
	}
	return u.manifests
}

// until returns the health of what comes before a stage: there is nothing of the
// rest yet that could be healthy.
func (r *Run) until(u *unit, stage manifest.Stage, health []observe.Health) []observe.Health {
	return slices.DeleteFunc(slices.Clone(health), func(h observe.Health) bool {
		own := manifest.DefaultDispatch
		for _, t := range u.component.Traits {
			if h.Trait != "" && (definition.Ref{Name: t.Type}).Base() == h.Trait {
				own = cmp.Or(r.stage(t), manifest.DefaultDispatch)
			}
		}
		return slices.Index(stages, own) >= slices.Index(stages, stage)
	})
}

// observe learns the health of u and reports whether all of it is sent and
// healthy.
func (r *Run) observe(ctx context.Context, u *unit) (bool, error) {
	due := r.due(ctx, u)
	held, workload := map[string]bool{}, false
	for _, m := range u.manifests[len(due):] {
		held[m.Trait] = true
		workload = workload || m.Workload()
	}
	delete(held, "")
	t := r.target(u, r.delivery.objects(ctx, due))
	t.Pending = append(t.Pending, slices.Sorted(maps.Keys(held))...)
	health, err := r.delivery.Observer.Component(ctx, r.Blueprint, t)
	if err != nil {
		return false, err
	}
	for i, h := range health {
		if workload && h.Trait == "" {
			health[i].Healthy, health[i].Message = false, "waits for traits that come before it"
		}
	}
	r.saw(u, health)
	return !workload && len(t.Pending) == 0 && allHealthy(health), nil
}
