package webhook

import (
	"context"
	"errors"
	"fmt"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// permitted asks the API server whether the author of an Application may read
// each definition that it uses, where it is installed. What comes with the program
// is for everybody; what is missing was judged before.
func (a applications) permitted(ctx context.Context, user authenticationv1.UserInfo, d blueprint.Draft) []error {
	var out []error
	for _, ref := range d.Uses() {
		def, err := a.Definitions.Get(ctx, d.App.Namespace, ref)
		switch {
		case errors.Is(err, definition.ErrNotFound), err == nil && def.Namespace == "":
			continue
		case err != nil:
			return append(out, fault.Because(v1beta1.ReasonForbidden, fmt.Errorf("find %s: %w", ref, err)))
		}
		resource := strings.ToLower(def.Kind.WireKind()) + "s"
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User: user.Username, UID: user.UID, Groups: user.Groups, Extra: extra(user.Extra),
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Verb: "get", Group: v1beta1.Group, Version: v1beta1.Version, Resource: resource, Namespace: def.Namespace, Name: def.Name,
			},
		}}
		if err := a.Hub.Create(ctx, review); err != nil {
			return append(out, fault.Because(v1beta1.ReasonForbidden, fmt.Errorf("ask whether %q may use %s: %w", user.Username, ref, err)))
		}
		if !review.Status.Allowed {
			out = append(out, fault.Invalid(v1beta1.ReasonForbidden,
				fmt.Errorf("user %q may not use %s", user.Username, ref),
				fault.Hint("that takes the right to get %s.%s %q in namespace %q", resource, v1beta1.Group, def.Name, def.Namespace)))
		}
	}
	return out
}

func extra(in map[string]authenticationv1.ExtraValue) map[string]authorizationv1.ExtraValue {
	out := make(map[string]authorizationv1.ExtraValue, len(in))
	for k, v := range in {
		out[k] = authorizationv1.ExtraValue(v)
	}
	return out
}
