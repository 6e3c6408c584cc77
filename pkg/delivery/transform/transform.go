// Package transform lets Application-scoped policies change an Application
// before it is read: labels, annotations, components, workflow, policies, and
// values that templates see as context.custom. It is the step before
// blueprint.Parse and runs only for what is new: what policies made belongs to
// the revision, and nobody runs them again for it.
//
// Global policies come first, by priority and then by name, and one that fails
// is left out. Those that the Application names come after, in their order, and
// one that fails stops the delivery. Each sees what those before it have left.
// Nothing is written here.
package transform

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// Options are what Apply needs. The zero value changes nothing.
type Options struct {
	Gates       Gates
	Definitions definition.Source
	Engine      *cue.Engine // compiles the templates of policies
	// Actions are what a template may read with for Applications of a namespace.
	// trusted says that its definition is one of the whole installation and not of
	// that namespace. nil: nothing.
	Actions func(namespace string, trusted bool) provider.Table
}

// Sources of a policy, as KubeVela records them.
const (
	sourceGlobal   = "global"
	sourceExplicit = "explicit"
)

// Written is the content address of what the user wrote, as far as it makes
// policies run again.
func Written(app *v1beta1.Application) string {
	if v := app.Annotations[oam.AnnotationPublishVersion]; v != "" {
		return manifest.Digest([]any{"published", v})[:16]
	}
	spec, err := plain(&app.Spec) // the order of fields in free-form parts is no difference
	if err != nil {
		spec = err.Error() // blueprint.Parse refuses JSON that is not valid
	}
	return manifest.Digest([]any{spec, app.Annotations[oam.AnnotationPolicySkipGlobal]})[:16]
}

// Follows reports whether the Application wants what policies make now, and not
// only when it is changed itself.
func Follows(app *v1beta1.Application) bool {
	return app.Annotations[oam.AnnotationPublishVersion] == "" &&
		(app.Annotations[oam.AnnotationPolicyAutoRevision] == "true" || app.Annotations[oam.AnnotationAutoUpdate] == "true")
}

// Apply returns app as the policies make it, and what they did; nil when they
// are switched off. app itself stays as it is.
func Apply(ctx context.Context, app *v1beta1.Application, o Options) (*v1beta1.Application, *blueprint.Produced, error) {
	if !o.Gates.Scoped {
		return app, nil, nil
	}
	t := transformer{Options: o, app: app.DeepCopy(), produced: &blueprint.Produced{Written: Written(app), Global: o.Gates.Global}}
	if o.Gates.Global && app.Annotations[oam.AnnotationPolicySkipGlobal] != "true" {
		if err := t.globals(ctx); err != nil {
			return nil, nil, err
		}
	}
	if err := t.explicit(ctx); err != nil {
		return nil, nil, err
	}
	if t.respecified {
		t.produced.Spec = app.Spec.DeepCopy()
	}
	return t.app, t.produced, nil
}

type transformer struct {
	Options
	app         *v1beta1.Application
	produced    *blueprint.Produced
	respecified bool // a policy has changed the specification
}

// globals runs the global policies. What stops it is not of their making.
func (t *transformer) globals(ctx context.Context) error {
	defs, err := t.global(ctx)
	if err != nil {
		return err
	}
	for _, def := range defs {
		use := use{
			policy: blueprint.Policy{Name: def.Name, Type: def.Name, Origin: blueprint.Origin{Object: "PolicyDefinition " + def.Namespace + "/" + def.Name}},
			def:    def, source: sourceGlobal,
		}
		err := t.run(ctx, use)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !fault.Terminal(err) && len(cue.Errors(err)) == 0: // it could not be asked
			return err
		case err != nil:
			record := use.record()
			record.Error, record.Message = true, fault.Message(err)
			t.produced.Applied = append(t.produced.Applied, blueprint.Transformation{AppliedApplicationPolicy: record})
		}
	}
	return nil
}

// global returns the global policies for the namespace of the Application in
// their order. One of the namespace itself goes before one of the same name for
// all namespaces.
func (t *transformer) global(ctx context.Context) ([]definition.Definition, error) {
	names := map[string]bool{}
	namespaces := []string{t.app.Namespace, oam.SystemNamespace}
	for _, ns := range namespaces {
		list, err := t.Definitions.Names(ctx, ns, definition.Policy)
		if err != nil {
			return nil, fmt.Errorf("list global policies: %w", err)
		}
		for _, name := range list {
			names[name] = true
		}
	}
	var out []definition.Definition
	for name := range names {
		for _, ns := range namespaces {
			def, err := t.Definitions.Get(ctx, ns, definition.Ref{Kind: definition.Policy, Name: name})
			if errors.Is(err, definition.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("load global policy %q: %w", name, err)
			}
			if blueprint.Global(def) {
				out = append(out, def)
				break
			}
		}
	}
	slices.SortFunc(out, func(a, b definition.Definition) int {
		return cmp.Or(cmp.Compare(priority(a), priority(b)), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}

func priority(def definition.Definition) int32 {
	if o, ok := def.Object.(*v1beta1.PolicyDefinition); ok {
		return o.Spec.Priority
	}
	return 0
}

// Lost complains about a global policy that fails now and has shaped what is
// delivered: going on without it would take that away, and what fails takes
// nothing away.
func Lost(before, now *blueprint.Produced) error {
	if before == nil || now == nil {
		return nil
	}
	var errs []error
	for _, failed := range now.Applied {
		if !failed.Error || !slices.ContainsFunc(before.Applied, func(t blueprint.Transformation) bool {
			return t.Source == sourceGlobal && t.Type == failed.Type && t.Applied && (t.SpecModified || t.HasContext)
		}) {
			continue
		}
		errs = append(errs, fault.Because(v1beta1.ReasonInvalidPolicy,
			fmt.Errorf("global policy %q fails, and what it made is delivered: %s", failed.Type, failed.Message),
			fault.Hint("repair or remove its definition, or keep global policies away with the annotation %s", oam.AnnotationPolicySkipGlobal)))
	}
	return errors.Join(errs...)
}

// explicit runs the policies that the Application names. Types that do not exist
// are complained about with all others, when the Application is resolved.
func (t *transformer) explicit(ctx context.Context) error {
	for i, p := range slices.Clone(t.app.Spec.Policies) {
		def, err := t.Definitions.Get(ctx, t.app.Namespace, definition.Ref{Kind: definition.Policy, Name: p.Type})
		switch {
		case err != nil && !errors.Is(err, definition.ErrNotFound): // what it would have made must not be missing for good
			return fmt.Errorf("load policy %q: %w", p.Type, err)
		case err != nil || !blueprint.Scoped(def) || blueprint.Global(def):
			continue
		}
		use := use{policy: blueprint.PolicyOf(p, i), def: def, source: sourceExplicit}
		if err := t.run(ctx, use); err != nil {
			return err
		}
	}
	return nil
}
