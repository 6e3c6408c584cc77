package revision

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// putProduced stores what Application-scoped policies made: the Application of a
// revision is the one that they left, as in KubeVela, and an annotation in it
// holds the rest.
func putProduced(rev *v1beta1.ApplicationRevision, p *blueprint.Produced) error {
	delete(rev.Spec.Application.Annotations, oam.AnnotationPolicyProduced) // nobody says that but we
	if p == nil {
		return nil
	}
	data, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode what policies made: %w", err)
	}
	set(&rev.Spec.Application.Annotations, oam.AnnotationPolicyProduced, string(data))
	for _, t := range p.Applied {
		if t.Applied {
			set(&rev.Spec.PolicyVersions, t.Name, v1beta1.PolicyVersion{
				DefinitionRevisionName: t.DefinitionRevisionName, Revision: t.Revision, RevisionHash: t.RevisionHash,
			})
		}
	}
	return nil
}

// takeProduced returns the Application of a revision without that annotation.
func takeProduced(rev *v1beta1.ApplicationRevision) (*v1beta1.Application, *blueprint.Produced, error) {
	app := &rev.Spec.Application
	text, ok := app.Annotations[oam.AnnotationPolicyProduced]
	if !ok {
		return app, nil, nil
	}
	app = app.DeepCopy()
	delete(app.Annotations, oam.AnnotationPolicyProduced)
	p := &blueprint.Produced{}
	if err := json.Unmarshal([]byte(text), p); err != nil {
		return nil, nil, fmt.Errorf("read revision %q: what policies made: %w", rev.Name, err)
	}
	v, err := provider.Unmarshal([]byte(text)) // whole numbers stay whole
	if err != nil {
		return nil, nil, fmt.Errorf("read revision %q: what policies made: %w", rev.Name, err)
	}
	whole, _ := v.(map[string]any)
	p.Custom, _ = whole["custom"].(map[string]any)
	applied, _ := whole["applied"].([]any)
	for i := range p.Applied {
		one, _ := applied[i].(map[string]any)
		p.Applied[i].Output, _ = one["output"].(map[string]any)
	}
	return app, p, nil
}

// Produced returns the Application as policies left it for the previous revision,
// when that is still about what is written now: nobody runs them again then. A
// revision from before they were switched on has none, and that stays too. ok is
// false when they have to run.
func Produced(ctx context.Context, store Store, app *v1beta1.Application, written string, previous *v1beta1.Revision) (left *v1beta1.Application, p *blueprint.Produced, ok bool, err error) {
	if previous == nil {
		return nil, nil, false, nil
	}
	stored, err := store.Get(ctx, app.Namespace, previous.Name)
	if apierrors.IsNotFound(err) {
		return nil, nil, false, nil
	}
	if err != nil {
		return nil, nil, false, fmt.Errorf("read revision %q: %w", previous.Name, err)
	}
	left, p, err = takeProduced(stored)
	switch {
	case err != nil:
		return nil, nil, false, err
	case p == nil:
		return app, nil, sameSpec(app, left), nil
	case p.Written != written:
		return nil, p, false, nil
	}
	return Restore(app, left, p), p, true, nil
}

// sameSpec reports whether both ask for the same, apart from what they refer to.
func sameSpec(a, b *v1beta1.Application) bool {
	const published = oam.AnnotationPublishVersion
	if v := a.Annotations[published]; v != "" || b.Annotations[published] != "" {
		return v == b.Annotations[published]
	}
	return digest(canonical(a.Spec)) == digest(canonical(b.Spec))
}

// Restore is app with what policies left of it.
func Restore(app, left *v1beta1.Application, p *blueprint.Produced) *v1beta1.Application {
	out := app.DeepCopy()
	out.Spec = *left.Spec.DeepCopy()
	for k, v := range p.Labels {
		set(&out.Labels, k, v)
	}
	for k, v := range p.Annotations {
		set(&out.Annotations, k, v)
	}
	return out
}

// Remembering returns a store that asks for each revision once. It is for one
// pass of one Application, and is not safe for concurrent use.
func Remembering(s Store) Store { return remembering{s, map[string]*v1beta1.ApplicationRevision{}} }

type remembering struct {
	Store
	got map[string]*v1beta1.ApplicationRevision
}

// Get implements Store.
func (r remembering) Get(ctx context.Context, namespace, name string) (*v1beta1.ApplicationRevision, error) {
	if rev, ok := r.got[namespace+"/"+name]; ok {
		return rev, nil
	}
	rev, err := r.Store.Get(ctx, namespace, name)
	if err == nil {
		r.got[namespace+"/"+name] = rev
	}
	return rev, err
}
