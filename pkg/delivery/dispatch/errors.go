package dispatch

import (
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// Refused returns the refusals of a plan as one error, or nil.
func Refused(p plan.Plan) error {
	var errs []error
	for _, r := range p.Refusals {
		err := fmt.Errorf("%s: %s", r.Key, r.Reason)
		switch {
		case r.Policy != "":
			err = fmt.Errorf("policy %q: %w", r.Policy, err)
		case r.Component != "":
			err = fmt.Errorf("component %q: %w", r.Component, err)
		}
		errs = append(errs, fault.Because(r.Code, err, next(r)...))
	}
	return errors.Join(errs...)
}

// next is what is known about the way out of a refusal. None is terminal: another
// Application can go, a server can change its mind.
func next(r plan.Refusal) []fault.Option {
	var opts []fault.Option
	switch r.Code {
	case v1beta1.ReasonOwnedByOther:
		opts = append(opts, fault.Waits(), fault.Hint("give it another name or delete the other one; two Applications can have one object with a shared-resource policy"))
	case v1beta1.ReasonClusterUnreachable:
		opts = append(opts, fault.Hint(whenBack))
	case v1beta1.ReasonRefused:
		hint := "nothing was sent; correct the field that it names"
		if r.Waiting {
			hint = "nothing was sent; it is tried again, so create or allow what it names"
		}
		opts = append(opts, fault.Hint("%s", hint))
	}
	if r.Waiting {
		opts = append(opts, fault.Waits())
	}
	return opts
}

const whenBack = "it goes on by itself when the cluster answers; vela cluster list shows which do"

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

// explain says which object err is about and why it was refused.
func explain(m manifest.Manifest, err error) error {
	text := fmt.Sprintf("%s: %s", m.Key, plan.Redact(m, message(err, m.Key)))
	switch {
	case m.Policy != "":
		text = fmt.Sprintf("policy %q: %s", m.Policy, text)
	case m.Component != "":
		text = fmt.Sprintf("component %q: %s", m.Component, text)
	}
	return Classify(&objectError{text: text, err: err})
}

// about is explain for an object without a manifest.
func about(key manifest.Key, err error) error {
	return Classify(&objectError{text: fmt.Sprintf("%s: %s", key, message(err, key)), err: err})
}

// Classify gives an error of a request the reason that conditions show.
func Classify(err error) error {
	var away *cluster.AwayError
	switch {
	case errors.As(err, &away):
		return fault.Because(v1beta1.ReasonClusterUnreachable, err, fault.Waits(), fault.Hint(whenBack))
	case apierrors.IsForbidden(err):
		return fault.Because(v1beta1.ReasonForbidden, err)
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return fault.Because(v1beta1.ReasonRefused, err)
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
