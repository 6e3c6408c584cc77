package application

import (
	"context"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy"
	"github.com/seed-c5f95f19/vela/pkg/delivery/revision"
	"github.com/seed-c5f95f19/vela/pkg/delivery/transform"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// resolve finds the Blueprint: the one remembered or stored while the user
// has changed nothing, otherwise a new one from the definitions of now.
func (r *Reconciler) resolve(ctx context.Context, s *state) (outcome, error) {
	m := s.memory
	if m.read == originOf(s.app) {
		s.report.Warnings = m.warnings
		return outcome{}, nil
	}
	m.read = origin{}
	store := revision.Remembering(r.Revisions)
	app, produced, err := r.transform(ctx, s, store)
	if err != nil {
		return outcome{}, err
	}
	draft, err := blueprint.Parse(ctx, app, r.References)
	if err != nil {
		return outcome{}, err
	}
	draft.Produced = produced
	defer func() { s.report.Warnings = m.warnings }()
	content := revision.Content(draft)
	if m.blueprint != nil && m.content == content && !draft.App.AutoUpdate {
		m.read = originOf(s.app).unless(draft)
		return outcome{}, nil
	}
	var b blueprint.Blueprint
	var rev revision.Revision
	known := false
	if m.blueprint == nil || draft.App.PublishVersion != "" { // otherwise memory has just told that it is another one
		if b, rev, known, err = revision.Current(ctx, store, draft, s.app.Status.LatestRevision); err != nil {
			return outcome{}, err
		}
	}
	if !known {
		rev = revision.Revision{}
		if b, err = blueprint.Resolve(ctx, draft, r.Definitions, r.Options); err != nil {
			return outcome{}, err
		}
	}
	m.warnings = strings.Join(b.Warnings, "\n")
	if known { // warnings are not part of a revision
		m.warnings = warned(s.app.Status)
	}
	m.use(transform.Written(s.app), content, &b, rev)
	m.read = originOf(s.app).unless(draft)
	return outcome{}, nil
}

// An origin tells whether what an Application says itself is what was read
// before. The zero value was never read.
type origin struct {
	generation int64
	steered    string // by annotations
}

func originOf(app *v1beta1.Application) origin {
	var steered []string
	for _, key := range []string{
		oam.AnnotationPublishVersion, oam.AnnotationAutoUpdate, oam.AnnotationPolicyAutoRevision, oam.AnnotationPolicySkipGlobal,
	} {
		steered = append(steered, app.Annotations[key])
	}
	return origin{app.Generation, strings.Join(steered, "/")}
}

// unless forgets an origin that is not all there is to read: other objects, and
// definitions that are to be followed.
func (o origin) unless(d blueprint.Draft) origin {
	if d.App.AutoUpdate || d.App.Annotations[oam.AnnotationPolicyAutoRevision] == "true" || len(d.ReferencedPolicies) > 0 || d.ReferencedWorkflow != nil {
		return origin{}
	}
	return o
}

// warned is what the status already warns of.
func warned(status v1beta1.ApplicationStatus) string {
	if c := v1beta1.FindCondition(status.Conditions, v1beta1.ConditionParsed); c != nil && c.Status == metav1.ConditionTrue {
		return c.Message
	}
	return ""
}

// revise makes sure that the Blueprint is stored before anything follows from
// it.
func (r *Reconciler) revise(ctx context.Context, s *state) (outcome, error) {
	m := s.memory
	if m.revision.Name == "" {
		rev, err := revision.Ensure(ctx, r.Revisions, *m.blueprint, s.app.Status.LatestRevision)
		if err != nil {
			return outcome{}, err
		}
		m.revision = rev
		limit, err := policy.RevisionLimit(m.blueprint.Policies, r.RevisionLimit)
		if err != nil {
			return outcome{}, err
		}
		if err := revision.Trim(ctx, r.Revisions, m.blueprint.App, rev, limit); err != nil {
			return outcome{}, fmt.Errorf("remove old revisions: %w", err)
		}
	}
	s.report.Revision = m.revision.Status()
	return outcome{}, r.recordProduced(ctx, s)
}
