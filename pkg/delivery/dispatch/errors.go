package dispatch

import (
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// Reasons of errors.
const (
	ReasonRefused     = "ResourceRefused"    // the plan or the API server says no
	ReasonWaiting     = "ResourceWaiting"    // the same, but it may pass
	ReasonUnreachable = "ClusterUnreachable" // nobody answered
)

// Refused returns the refusals of a plan as one error, or nil.
func Refused(p plan.Plan) error {
	var errs []error
	for _, r := range p.Refusals {
		err := fmt.Errorf("%s: %s", r.Key, r.Reason)
		if r.Component != "" {
			err = fmt.Errorf("component %q: %w", r.Component, err)
		}
		if r.Waiting {
			errs = append(errs, fault.Because(ReasonWaiting, err))
			continue
		}
		// Another Application can go, a policy can change: that comes as an event.
		errs = append(errs, fault.Because(ReasonRefused, err))
	}
	return errors.Join(errs...)
}

// IsConflict reports whether err says that the world has moved since the plan was
// made: planning again is all that is needed, and nothing to tell users.
func IsConflict(err error) bool {
	for _, e := range fault.List(err) {
		if !apierrors.IsConflict(e) {
			return false
		}
	}
	return err != nil
}

// An objectError is a failed request about a manifest, without its secrets.
type objectError struct {
	text string
	err  error
}

func (e *objectError) Error() string { return e.text }
func (e *objectError) Unwrap() error { return e.err }

// explain says which object err is about and whether trying again can help.
func explain(m manifest.Manifest, err error) error {
	text := fmt.Sprintf("%s: %s", m.Key, plan.Redact(m, message(err, m.Key)))
	if m.Component != "" {
		text = fmt.Sprintf("component %q: %s", m.Component, text)
	}
	return classify(&objectError{text: text, err: err})
}

// about is explain for an object without a manifest.
func about(key manifest.Key, err error) error {
	return classify(&objectError{text: fmt.Sprintf("%s: %s", key, message(err, key)), err: err})
}

func classify(err error) error {
	var away *cluster.AwayError
	switch {
	case errors.As(err, &away):
		return fault.Because(ReasonUnreachable, err)
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		return fault.Invalid(ReasonRefused, err)
	case apierrors.IsForbidden(err), apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return fault.Because(ReasonRefused, err)
	case fault.Reason(err) != "":
		return fault.Because(fault.Reason(err), err)
	}
	return err
}

// message is what the API server said, in words that need no discovery lore.
func message(err error, key manifest.Key) string {
	if meta.IsNoMatchError(err) {
		return fmt.Sprintf("the cluster has no kind %s", groupKind(key))
	}
	return err.Error()
}

func groupKind(key manifest.Key) string {
	if key.Group == "" {
		return key.Kind
	}
	return key.Kind + "." + key.Group
}
