// Package sharedresource reads shared-resource policies: which objects several
// Applications may own together. It is pure.
package sharedresource

import (
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/payload"
)

// Type is the type of the policies that this package understands.
const Type = v1alpha1.SharedResourcePolicyType

// Apply adds what the policy says to the rules.
func Apply(rules *plan.Rules, p blueprint.Policy) error {
	spec, err := payload.Decode[v1alpha1.SharedResourcePolicySpec](p)
	if err != nil {
		return err
	}
	for _, r := range spec.Rules {
		rules.Shared = append(rules.Shared, r.Selector)
	}
	return nil
}
