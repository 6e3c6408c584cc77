// Package application is the controller of Applications: it decides when a
// delivery runs and in which order its stages are called, and reports once
// what came out. Everything that judges (what to render, what to change, what
// is healthy) is in pkg/delivery and pkg/workflow; everything that wakes it is
// in watch.go. Nothing here works on a schedule.
package application

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/dispatch"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/revision"
	"github.com/seed-c5f95f19/vela/pkg/delivery/status"
	"github.com/seed-c5f95f19/vela/pkg/delivery/transform"
	"github.com/seed-c5f95f19/vela/pkg/event"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/metrics"
	"github.com/seed-c5f95f19/vela/pkg/oam"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
)

// A Reconciler delivers Applications. Different Applications are reconciled
// concurrently, one Application never twice at the same time.
type Reconciler struct {
	Client client.Client // reads from a cache
	Reader client.Reader // reads from the server
	// References reads Policy and Workflow objects, Definitions the definitions.
	References  blueprint.References
	Definitions blueprint.Definitions
	Options     blueprint.Options
	// Transform is what Application-scoped policies run with.
	Transform transform.Options
	Revisions revision.Store
	Delivery  *delivery.Delivery
	// Steps gives what executes the steps of one run.
	Steps func(*delivery.Run) Runners
	// Packages tells when templates can import other packages; nil never does.
	Packages Packages
	// Warm reads all inventories at once, before the first run.
	Warm func(context.Context) error
	// Orphan forgets what an Application owns and leaves it where it is.
	Orphan func(context.Context, inventory.Owner) error

	Recorder      event.Recorder
	Metrics       *metrics.Delivery // nil: nobody measures
	Clock         clock.PassiveClock
	RevisionLimit int

	memory memory
}

// Runners finds what executes the steps of a type.
type Runners = func(stepType string) (workflow.Runner, error)

// An outcome is what a phase leaves to do.
type outcome struct {
	again time.Duration // look again after; 0: an event will tell
}

type phase struct {
	stage status.Stage
	run   func(context.Context, *state) (outcome, error)
}

// phases is the life of an Application, in order. Read this first.
func (r *Reconciler) phases() []phase {
	return []phase{
		{status.Parsed, r.resolve},
		{status.Revision, r.revise},
		{status.Policy, r.deliverPolicies},
		{status.Workflow, r.runWorkflow},
		{status.Workflow, r.tend},
	}
}

// Reconcile brings one Application closer to what it wants.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (res ctrl.Result, err error) {
	app := &v1beta1.Application{}
	if err := r.Client.Get(ctx, req.NamespacedName, app); err != nil {
		if apierrors.IsNotFound(err) {
			r.memory.forget(req.NamespacedName)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	m := r.memory.of(req.NamespacedName, app.UID)
	app = m.newest(app)
	if app.Labels[oam.LabelControllerPause] == "true" {
		return ctrl.Result{}, nil
	}
	s := &state{app: app.DeepCopy(), memory: m, report: status.Report{Generation: app.Generation, Now: metav1.NewTime(r.Clock.Now().Truncate(time.Second))}}
	if !app.DeletionTimestamp.IsZero() {
		return r.finalize(ctx, s)
	}
	if err := r.ensureFinalizer(ctx, s); err != nil {
		return unlessConflict(err)
	}
	defer func() { res, err = r.reportOn(ctx, s, res, err) }()
	for _, p := range r.phases() {
		began := r.Clock.Now()
		out, err := p.run(ctx, s)
		r.Metrics.Stage(strings.ToLower(string(p.stage)), r.Clock.Since(began), err)
		res = sooner(res, out.again)
		if err != nil {
			s.report.Failed = p.stage
			return res, err
		}
	}
	return res, nil
}

// ensureFinalizer makes sure that a deletion waits for us. The answer of the
// server is used at once, so this costs no second reconcile.
func (r *Reconciler) ensureFinalizer(ctx context.Context, s *state) error {
	if controllerutil.ContainsFinalizer(s.app, oam.FinalizerResourceTracker) {
		return nil
	}
	before := s.app.DeepCopy()
	controllerutil.AddFinalizer(s.app, oam.FinalizerResourceTracker)
	if err := r.Client.Patch(ctx, s.app, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("add the finalizer: %w", err)
	}
	s.memory.wrote(s.app)
	return nil
}

// unlessConflict is the result of a write to the Application that did not work:
// a conflict means that there is a newer one.
func unlessConflict(err error) (ctrl.Result, error) {
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: conflictDelay}, nil
	}
	return ctrl.Result{}, err
}

// sooner keeps the earlier of two times to look again.
func sooner(res ctrl.Result, again time.Duration) ctrl.Result {
	if again > 0 && (res.RequeueAfter == 0 || again < res.RequeueAfter) {
		res.RequeueAfter = again
	}
	return res
}

// reportOn writes what this run learned. It is the only place that writes the
// status, emits events, or turns an error into a decision to try again.
func (r *Reconciler) reportOn(ctx context.Context, s *state, res ctrl.Result, err error) (ctrl.Result, error) {
	if dispatch.IsConflict(err) { // read too early; users need not know
		res, err = sooner(res, conflictDelay), nil
		if s.report.Workflow == nil {
			return res, nil
		}
		s.report.Failed = "" // what the workflow has done must not be forgotten
	}
	s.report.Err = err
	before := s.app.Status
	after := status.Fold(before, s.report)
	if !equality.Semantic.DeepEqual(before, after) {
		old := s.app.DeepCopy()
		s.app.Status = after
		werr := r.Client.Status().Patch(ctx, s.app, client.MergeFromWithOptions(old, client.MergeFromWithOptimisticLock{}))
		if apierrors.IsConflict(werr) {
			return ctrl.Result{RequeueAfter: conflictDelay}, nil
		}
		if werr != nil {
			return ctrl.Result{}, errors.Join(err, client.IgnoreNotFound(werr))
		}
		s.memory.wrote(s.app)
		s.memory.left = s.app.Status.Workflow
		event.Emit(r.Recorder, s.app, event.Between(before, after))
	}
	switch {
	case err == nil || !fault.Terminal(err):
		return res, err
	case res.RequeueAfter > 0: // an error would call the timer off
		ctrl.LoggerFrom(ctx).Error(err, "Only an edit can help")
		return res, nil
	}
	return ctrl.Result{}, reconcile.TerminalError(err)
}

// conflictDelay is how long the cache may need to see the newer object. Its
// event usually comes first.
const conflictDelay = time.Second
