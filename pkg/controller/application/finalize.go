package application

import (
	"context"
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
	"github.com/seed-c5f95f19/vela/pkg/delivery/revision"
	"github.com/seed-c5f95f19/vela/pkg/delivery/status"
	"github.com/seed-c5f95f19/vela/pkg/identity"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// finalize removes what the Application owns, in order, and lets it go when
// the last object is gone. A cluster that is away holds only its own objects.
func (r *Reconciler) finalize(ctx context.Context, s *state) (res ctrl.Result, err error) {
	if !controllerutil.ContainsFinalizer(s.app, oam.FinalizerResourceTracker) && !controllerutil.ContainsFinalizer(s.app, oam.FinalizerOrphan) {
		return ctrl.Result{}, nil
	}
	if controllerutil.ContainsFinalizer(s.app, oam.FinalizerOrphan) {
		if err := r.Orphan(ctx, s.owner()); err != nil {
			return ctrl.Result{}, fmt.Errorf("leave the objects behind: %w", err)
		}
		return unlessConflict(r.letGo(ctx, s))
	}
	s.report.Deleting = &status.Deleting{}
	p, left, err := r.Delivery.Teardown(ctx, r.draft(ctx, s), identity.Identity{})
	if err == nil && left.Len() == 0 {
		return unlessConflict(r.letGo(ctx, s))
	}
	s.report.Owned = &left
	s.report.Deleting.Remaining = left.Keys()
	s.report.Deleting.Blocked = blocked(p)
	return r.reportOn(ctx, s, ctrl.Result{RequeueAfter: sweepDelay}, err)
}

// draft is what the policies of the Application say about its end. When they
// cannot be read any more, because what they refer to is gone or wrong, those
// that it was delivered with count; what is left of a mistake must not keep an
// Application for ever.
func (r *Reconciler) draft(ctx context.Context, s *state) blueprint.Draft {
	d, err := blueprint.Parse(ctx, s.app, r.References)
	if err == nil && len(s.app.Status.AppliedApplicationPolicies) == 0 {
		return d
	} // else policies may have made others of its policies
	frozen := s.memory.blueprint
	if rev := s.app.Status.LatestRevision; frozen == nil && rev != nil {
		if stored, err := revision.Load(ctx, r.Revisions, s.app.Namespace, rev.Name); err == nil {
			frozen = &stored
		}
	}
	if frozen != nil && (err != nil || frozen.Produced != nil) {
		d.Policies, d.Components = frozen.Policies, frozen.Components
	}
	return d
}

// blocked says why objects stay although nothing deletes them.
func blocked(p plan.Plan) string {
	for _, k := range p.Keeps {
		if k.Waiting {
			return fmt.Sprintf("%s: %s", k.Key, k.Reason)
		}
	}
	return ""
}

// letGo removes the revisions and then the finalizers.
func (r *Reconciler) letGo(ctx context.Context, s *state) error {
	err := r.Client.DeleteAllOf(ctx, &v1beta1.ApplicationRevision{}, client.InNamespace(s.app.Namespace),
		client.MatchingLabels{oam.LabelAppName: s.app.Name})
	if err != nil {
		return fmt.Errorf("delete the revisions: %w", err)
	}
	before := s.app.DeepCopy()
	controllerutil.RemoveFinalizer(s.app, oam.FinalizerResourceTracker)
	controllerutil.RemoveFinalizer(s.app, oam.FinalizerOrphan)
	err = r.Client.Patch(ctx, s.app, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	if err == nil {
		s.memory.wrote(s.app)
	}
	return client.IgnoreNotFound(err)
}
