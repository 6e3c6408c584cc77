// Package applyonce reads apply-once policies: which objects, or which fields of
// them, are left as they are once they were sent. It is pure.
package applyonce

import (
	"fmt"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/payload"
)

// Type is the type of the policies that this package understands.
const Type = v1alpha1.ApplyOncePolicyType

// Apply adds what the policy says to the rules. A policy that is not enabled
// says nothing.
func Apply(rules *plan.Rules, p blueprint.Policy) error {
	spec, err := payload.Decode[v1alpha1.ApplyOncePolicySpec](p)
	if err != nil {
		return err
	}
	for i, r := range spec.Rules {
		if r.Strategy == nil {
			continue
		}
		err := payload.Known(p, fmt.Sprintf("rules[%d].strategy.affect", i), r.Strategy.Affect,
			v1alpha1.ApplyOnceOnUpdate, v1alpha1.ApplyOnceOnStateKeep, v1alpha1.ApplyOnceAlways)
		if err != nil {
			return err
		}
	}
	if spec.Enable {
		rules.ApplyOnce = true
		rules.ApplyOnceRules = append(rules.ApplyOnceRules, spec.Rules...)
	}
	return nil
}
