// Package definition looks after definitions: it says on each whether it can be
// used, keeps its versions as DefinitionRevisions, and describes its properties in
// a ConfigMap for forms, editors and documentation.
//
// The judgements are those of pkg/definition (check, revisions); this package
// reads, writes and reports. It is woken by changes of definitions and of the
// ConfigMaps beside them, writes nothing when nothing changed, and asks nothing
// at rest. It delivers nothing: a definition that is broken concerns only those
// who use it.
package definition

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/definition/check"
	"github.com/seed-c5f95f19/vela/pkg/definition/revisions"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/event"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// Options are what the controller works with. All fields are needed.
type Options struct {
	Client        client.Client // reads from the cache, except for revisions
	Engines       check.Engines
	References    blueprint.References // to see which revisions Applications name
	Recorder      event.Recorder
	Clock         clock.PassiveClock
	RevisionLimit int // revisions kept besides the latest
	// Troubles wakes a definition whose text ran away while it was used. It may
	// be nil, and must otherwise be told by the Engines.
	Troubles *Troubles
	// Packages wakes definitions that did not compile. It may be nil.
	Packages Packages
}

// reconciler looks after the definitions of one kind.
type reconciler struct {
	Options
	kind       definition.Kind
	configMaps client.Reader // a cache of those beside definitions

	mu    sync.Mutex
	wrote map[client.ObjectKey]client.Object // as our last write left them, while the cache is behind
}

// Reconcile implements reconcile.Reconciler.
func (r *reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	obj := r.kind.Object()
	if err := r.Client.Get(ctx, req.NamespacedName, obj); err != nil {
		r.mu.Lock()
		delete(r.wrote, req.NamespacedName)
		r.mu.Unlock()
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	obj = r.newest(obj)
	if !obj.GetDeletionTimestamp().IsZero() {
		return ctrl.Result{}, nil // its ConfigMap goes with it
	}
	b, err := r.beside(ctx, obj)
	if err != nil {
		return ctrl.Result{}, err
	}
	if b.settled(obj) && !check.Troubled(b.definition, r.Engines) {
		return ctrl.Result{}, nil
	}
	report := check.Object(obj, r.Engines)
	next := statusOf(obj).DeepCopy()
	if len(report.Errors) == 0 {
		err = r.keep(ctx, report.Definition, next)
		if errors.Is(err, revisions.ErrTaken) {
			report.Errors = append(report.Errors, taken(err))
			err = nil
		}
	}
	if len(report.Errors) == 0 && err == nil {
		err = r.describe(ctx, obj, &report, b, next)
	}
	return ctrl.Result{}, errors.Join(err, r.report(ctx, obj, report, err, next))
}

// newest returns a definition as the cache shows it, or as our own last write left
// it while the cache has not caught up: judging by what is old would write twice.
func (r *reconciler) newest(cached client.Object) client.Object {
	key := client.ObjectKeyFromObject(cached)
	r.mu.Lock()
	defer r.mu.Unlock()
	ours, ok := r.wrote[key]
	if !ok {
		return cached
	}
	order, err := resourceversion.CompareResourceVersion(ours.GetResourceVersion(), cached.GetResourceVersion())
	if err == nil && order > 0 && ours.GetUID() == cached.GetUID() {
		return ours
	}
	delete(r.wrote, key)
	return cached
}

// taken says what to do about a revision whose name stands for something else.
func taken(err error) error {
	return fault.Invalid(v1beta1.ReasonInvalidDefinition, err,
		fault.Hint("revisions never change: give this content another version"))
}

// keep makes sure that a revision keeps the definition, and notes it in the
// status.
func (r *reconciler) keep(ctx context.Context, d definition.Definition, status *v1beta1.DefinitionStatus) error {
	given, err := revisions.Given(d)
	if err != nil {
		return err
	}
	list := &v1beta1.DefinitionRevisionList{}
	err = r.Client.List(ctx, list, client.InNamespace(d.Namespace), client.MatchingLabels{r.kind.RevisionLabel(): d.Name})
	if err != nil {
		return fmt.Errorf("list the revisions of %s %q: %w", r.kind, d.Name, err)
	}
	rev, err := revisions.Next(d, given, list.Items)
	if err != nil {
		return err
	}
	if rev.ResourceVersion == "" {
		err := r.Client.Create(ctx, rev)
		if apierrors.IsAlreadyExists(err) { // without our label, or of another definition
			err = r.adopt(ctx, d, rev)
		}
		if err != nil {
			return fmt.Errorf("keep revision %q: %w", rev.Name, err)
		}
		if err := r.trim(ctx, d, rev.Name, append(list.Items, *rev)); err != nil {
			return err
		}
	}
	status.LatestRevision = &v1beta1.Revision{Name: rev.Name, Revision: rev.Spec.Revision, RevisionHash: rev.Spec.RevisionHash}
	return nil
}

// adopt takes the revision that has the wanted name already.
func (r *reconciler) adopt(ctx context.Context, d definition.Definition, rev *v1beta1.DefinitionRevision) error {
	found := &v1beta1.DefinitionRevision{}
	if err := r.Client.Get(ctx, client.ObjectKeyFromObject(rev), found); err != nil {
		return err
	}
	kept, err := revisions.Next(d, rev.Name, []v1beta1.DefinitionRevision{*found})
	if err != nil {
		return err
	}
	*rev = *kept
	return nil
}

// trim removes old revisions that no Application names.
func (r *reconciler) trim(ctx context.Context, d definition.Definition, latest string, all []v1beta1.DefinitionRevision) error {
	if len(all) <= r.RevisionLimit+1 {
		return nil
	}
	used, err := r.used(ctx, d, all)
	if err != nil {
		return err
	}
	for _, rev := range revisions.Surplus(all, latest, r.RevisionLimit, used) {
		if err := r.Client.Delete(ctx, &rev, client.Preconditions{UID: &rev.UID}); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("remove old revision %q: %w", rev.Name, err)
		}
	}
	return nil
}

// used are the revisions of d that Applications name.
func (r *reconciler) used(ctx context.Context, d definition.Definition, all []v1beta1.DefinitionRevision) (map[string]bool, error) {
	apps := &v1beta1.ApplicationList{}
	scope := d.Namespace
	if scope == definition.SystemNamespace {
		scope = ""
	}
	if err := r.Client.List(ctx, apps, client.InNamespace(scope)); err != nil {
		return nil, fmt.Errorf("list Applications: %w", err)
	}
	names := make([]string, len(all))
	for i, rev := range all {
		names[i] = rev.Name
	}
	used := map[string]bool{}
	for i := range apps.Items {
		draft, _ := blueprint.Parse(ctx, &apps.Items[i], r.References) // what can be read of one with mistakes counts too
		for _, ref := range draft.Uses() {
			if ref.Kind == r.kind && ref.Base() == d.Name && ref.Version() != "" {
				used[ref.RevisionName()] = true
				used[ref.Meant(names)] = true
			}
		}
	}
	return used, nil
}

// report writes what this run learned: one status patch, and events for what is
// new in it.
func (r *reconciler) report(ctx context.Context, obj client.Object, found check.Report, failed error, next *v1beta1.DefinitionStatus) error {
	if apierrors.IsConflict(failed) || apierrors.IsAlreadyExists(failed) {
		return nil // tried again at once; users need not know
	}
	old := statusOf(obj)
	fold(next, obj.GetGeneration(), r.Clock.Now(), found, failed)
	if equality.Semantic.DeepEqual(old, next) {
		return nil
	}
	changed := obj.DeepCopyObject().(client.Object)
	*statusOf(changed) = *next
	if err := r.Client.Status().Patch(ctx, changed, client.MergeFrom(obj)); err != nil {
		return fmt.Errorf("report on %s %q: %w", r.kind, obj.GetName(), err)
	}
	r.mu.Lock()
	r.wrote[client.ObjectKeyFromObject(changed)] = changed
	r.mu.Unlock()
	event.Emit(r.Recorder, obj, between(old.Conditions, next.Conditions))
	return nil
}

// statusOf returns the status inside of a wire object.
func statusOf(obj client.Object) *v1beta1.DefinitionStatus {
	switch o := obj.(type) {
	case *v1beta1.ComponentDefinition:
		return &o.Status
	case *v1beta1.TraitDefinition:
		return &o.Status
	case *v1beta1.PolicyDefinition:
		return &o.Status
	case *v1beta1.WorkflowStepDefinition:
		return &o.Status
	}
	return &v1beta1.DefinitionStatus{}
}
