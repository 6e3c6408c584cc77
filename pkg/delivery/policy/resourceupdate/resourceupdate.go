// Package resourceupdate reads resource-update policies: how objects are
// changed, by patch or replacement, and which changed fields need the object
// deleted and made again. It is pure.
package resourceupdate

import (
	"fmt"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/payload"
)

// Type is the type of the policies that this package understands.
const Type = v1alpha1.ResourceUpdatePolicyType

// Apply adds what the policy says to the rules.
func Apply(rules *plan.Rules, p blueprint.Policy) error {
	spec, err := payload.Decode[v1alpha1.ResourceUpdatePolicySpec](p)
	if err != nil {
		return err
	}
	for i, r := range spec.Rules {
		err := payload.Known(p, fmt.Sprintf("rules[%d].strategy.op", i), r.Strategy.Op,
			v1alpha1.ResourceUpdatePatch, v1alpha1.ResourceUpdateReplace)
		if err != nil {
			return err
		}
	}
	rules.Update = append(rules.Update, spec.Rules...)
	return nil
}
