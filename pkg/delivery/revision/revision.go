// Package revision remembers what was delivered: each new Blueprint becomes an
// ApplicationRevision, with every definition inside, so that a restart, a repair
// and a rollback render from what was frozen and not from the definitions of
// today.
//
// A revision is new when what the user wrote is new: the specification, the
// policies and the workflow that it refers to, or the published version.
// Newer definitions alone make one only when the Application asks for that
// (app.oam.dev/autoUpdate). Revisions are compared by content; generation
// numbers play no part. The stored form is KubeVela's.
package revision

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// DefaultLimit is how many revisions are kept beside the current one.
const DefaultLimit = 10

// A Store keeps ApplicationRevisions. Get returns an error that
// apierrors.IsNotFound recognises, Create one that IsAlreadyExists does. Names
// lists the revisions of one Application, in any order, with their numbers.
type Store interface {
	Get(ctx context.Context, namespace, name string) (*v1beta1.ApplicationRevision, error)
	Create(ctx context.Context, rev *v1beta1.ApplicationRevision) error
	Delete(ctx context.Context, namespace, name string) error
	Names(ctx context.Context, namespace, app string) ([]string, error)
}

// A Revision names a stored Blueprint.
type Revision struct {
	Name    string
	Number  int64
	Hash    string
	Created bool // just now
}

// Status returns the revision as the status of an Application shows it.
func (r Revision) Status() *v1beta1.Revision {
	return &v1beta1.Revision{Name: r.Name, Revision: r.Number, RevisionHash: r.Hash}
}

// Hash is the content address of what makes a revision new.
func Hash(b blueprint.Blueprint) string {
	in := content(b.Draft)
	if b.App.AutoUpdate {
		var defs []any
		for _, ref := range sortedRefs(b.Definitions) {
			defs = append(defs, string(ref.Kind), ref.Name, b.Definitions[ref].Digest)
		}
		in = append(in, defs)
		if len(b.Referred) > 0 {
			in = append(in, b.Referred)
		}
	}
	return digest(in)
}

// Content is the content address of what the user has written: drafts with the
// same content ask for the same thing.
func Content(d blueprint.Draft) string { return digest(content(d)) }

func digest(v any) string { return manifest.Digest(v)[:16] } // a label holds 63 characters

// content is what the user has written, in canonical form, and what policies made
// of it.
func content(d blueprint.Draft) []any {
	in := []any{canonical(d.Spec), d.App.PublishVersion}
	if p := d.Produced; p != nil && len(p.Labels)+len(p.Annotations)+len(p.Custom) > 0 {
		in = append(in, canonical([]any{p.Labels, p.Annotations, p.Custom}))
	}
	for _, p := range d.ReferencedPolicies {
		in = append(in, []any{p.Name, p.Type, canonical(p.Properties)})
	}
	if w := d.ReferencedWorkflow; w != nil {
		in = append(in, []any{w.Name, canonical(w.Mode), canonical(w.Steps)})
	}
	return in
}

// canonical forgets the order of fields in free-form parts.
func canonical(v any) any {
	data, err := json.Marshal(v)
	var out any
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	if err != nil {
		return err.Error() // Parse has refused JSON that is not valid
	}
	return out
}

func sortedRefs(defs map[definition.Ref]definition.Definition) []definition.Ref {
	return slices.SortedFunc(maps.Keys(defs), func(a, b definition.Ref) int {
		return strings.Compare(string(a.Kind)+"/"+a.Name, string(b.Kind)+"/"+b.Name)
	})
}

// Current returns the Blueprint that the previous revision froze when it is still
// what the draft asks for: nothing was changed, or the published version is the
// same. ok is false when the draft has to be resolved.
func Current(ctx context.Context, store Store, d blueprint.Draft, previous *v1beta1.Revision) (b blueprint.Blueprint, rev Revision, ok bool, err error) {
	if previous == nil || d.App.AutoUpdate && d.App.PublishVersion == "" {
		return b, rev, false, nil
	}
	stored, err := store.Get(ctx, d.App.Namespace, previous.Name)
	if apierrors.IsNotFound(err) {
		return b, rev, false, nil
	}
	if err != nil {
		return b, rev, false, fmt.Errorf("read revision %q: %w", previous.Name, err)
	}
	if !holds(stored, d) {
		return b, rev, false, nil
	}
	b, err = Decode(ctx, stored)
	if err != nil {
		return b, rev, false, err
	}
	if lacksReferred(b) { // KubeVela has not kept it, or calls it in a way of its own
		return blueprint.Blueprint{}, rev, false, nil
	}
	b.App.UID, b.App.Generation = d.App.UID, d.App.Generation
	return b, of(stored), true, nil
}

// holds reports whether the stored revision is the one for the draft.
func holds(stored *v1beta1.ApplicationRevision, d blueprint.Draft) bool {
	if v := d.App.PublishVersion; v != "" {
		return stored.Annotations[oam.AnnotationPublishVersion] == v
	}
	if stored.Labels[oam.LabelAppRevisionHash] == digest(content(d)) {
		return true
	}
	// KubeVela computes its hash differently: compare what it stands for.
	old, err := parse(context.Background(), stored)
	return err == nil && old.App.PublishVersion == "" && digest(content(old)) == digest(content(d))
}

func of(stored *v1beta1.ApplicationRevision) Revision {
	return Revision{Name: stored.Name, Number: number(stored.Name), Hash: stored.Labels[oam.LabelAppRevisionHash]}
}

// number reads N from <app>-vN; 0 is no revision.
func number(name string) int64 {
	i := strings.LastIndex(name, "-v")
	if i < 0 {
		return 0
	}
	n, err := strconv.ParseInt(name[i+2:], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Ensure stores the Blueprint as a new revision unless the previous one is
// equal. It writes once, and finds what an earlier run wrote that was
// interrupted before it could tell.
func Ensure(ctx context.Context, store Store, b blueprint.Blueprint, previous *v1beta1.Revision) (Revision, error) {
	hash := Hash(b)
	n := int64(1)
	if previous != nil {
		if previous.RevisionHash == hash {
			return Revision{Name: previous.Name, Number: previous.Revision, Hash: hash}, nil
		}
		n = previous.Revision + 1
	}
	for {
		rev, err := Encode(b, fmt.Sprintf("%s-v%d", b.App.Name, n))
		if err != nil {
			return Revision{}, err
		}
		err = store.Create(ctx, rev)
		if err == nil {
			return Revision{Name: rev.Name, Number: n, Hash: hash, Created: true}, nil
		}
		if !apierrors.IsAlreadyExists(err) {
			return Revision{}, fmt.Errorf("store revision %q: %w", rev.Name, err)
		}
		there, err := store.Get(ctx, rev.Namespace, rev.Name)
		switch {
		case apierrors.IsNotFound(err): // just deleted: the name is free again
			continue
		case err != nil:
			return Revision{}, fmt.Errorf("read revision %q: %w", rev.Name, err)
		case owned(there, b) && there.Labels[oam.LabelAppRevisionHash] == hash:
			return of(there), nil
		}
		if n, err = after(ctx, store, b, n); err != nil {
			return Revision{}, err
		}
	}
}

// owned reports whether the revision is of this Application and not of one of
// the same name that was deleted.
func owned(there *v1beta1.ApplicationRevision, b blueprint.Blueprint) bool {
	uid := there.Labels[oam.LabelAppUID]
	return uid == "" || b.App.UID == "" || uid == string(b.App.UID)
}

// after returns the first number behind n and all that are taken.
func after(ctx context.Context, store Store, b blueprint.Blueprint, n int64) (int64, error) {
	names, err := store.Names(ctx, b.App.Namespace, b.App.Name)
	if err != nil {
		return 0, fmt.Errorf("list revisions of %q: %w", b.App.Name, err)
	}
	for _, name := range names {
		n = max(n, number(name))
	}
	return n + 1, nil
}

// Load returns the Blueprint of a stored revision. UID and generation of the
// Application are not part of it.
func Load(ctx context.Context, store Store, namespace, name string) (blueprint.Blueprint, error) {
	stored, err := store.Get(ctx, namespace, name)
	if err != nil {
		return blueprint.Blueprint{}, fmt.Errorf("read revision %q: %w", name, err)
	}
	return Decode(ctx, stored)
}

// Trim deletes the oldest revisions of an Application, so that beside the
// current one at most limit are left. It asks for nothing while there cannot be
// more.
func Trim(ctx context.Context, store Store, app blueprint.App, current Revision, limit int) error {
	if current.Number <= int64(limit)+1 {
		return nil
	}
	names, err := store.Names(ctx, app.Namespace, app.Name)
	if err != nil {
		return fmt.Errorf("list revisions of %q: %w", app.Name, err)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return n == current.Name || number(n) == 0 })
	slices.SortFunc(names, func(a, b string) int { return int(number(a) - number(b)) })
	for len(names) > limit {
		if err := store.Delete(ctx, app.Namespace, names[0]); err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("delete revision %q: %w", names[0], err)
		}
		names = names[1:]
	}
	return nil
}
