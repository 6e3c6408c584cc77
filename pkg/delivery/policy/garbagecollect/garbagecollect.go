// Package garbagecollect reads garbage-collect policies: when objects go that
// are no longer wanted, in which order, and how many revisions are kept. It is
// pure.
package garbagecollect

import (
	"fmt"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/payload"
)

// Type is the type of the policies that this package understands.
const Type = v1alpha1.GarbageCollectPolicyType

// Apply adds what the policy says to the rules.
func Apply(rules *plan.Rules, p blueprint.Policy) error {
	spec, err := read(p)
	if err != nil {
		return err
	}
	rules.KeepLegacy = rules.KeepLegacy || spec.KeepLegacyResource
	if rules.Order == "" {
		rules.Order = spec.Order
	}
	rules.GarbageCollect = append(rules.GarbageCollect, spec.Rules...)
	return nil
}

// RevisionLimit returns how many revisions the policy wants to be kept; ok is
// false when it does not say.
func RevisionLimit(p blueprint.Policy) (limit int, ok bool, err error) {
	spec, err := read(p)
	if err != nil || spec.ApplicationRevisionLimit == nil {
		return 0, false, err
	}
	return *spec.ApplicationRevisionLimit, true, nil
}

func read(p blueprint.Policy) (v1alpha1.GarbageCollectPolicySpec, error) {
	spec, err := payload.Decode[v1alpha1.GarbageCollectPolicySpec](p)
	if err != nil {
		return spec, err
	}
	if l := spec.ApplicationRevisionLimit; l != nil && *l < 0 {
		return spec, payload.Invalid(p, "applicationRevisionLimit", "expected a number that is not negative, got %d", *l)
	}
	if err := payload.Known(p, "order", spec.Order, v1alpha1.GarbageCollectDependency); err != nil {
		return spec, err
	}
	for i, r := range spec.Rules {
		err := payload.Known(p, fmt.Sprintf("rules[%d].strategy", i), r.Strategy,
			v1alpha1.GarbageCollectNever, v1alpha1.GarbageCollectOnAppDelete, v1alpha1.GarbageCollectOnAppUpdate)
		if err != nil {
			return spec, err
		}
		err = payload.Known(p, fmt.Sprintf("rules[%d].propagation", i), r.Propagation,
			v1alpha1.GarbageCollectOrphan, v1alpha1.GarbageCollectCascading)
		if err != nil {
			return spec, err
		}
	}
	return spec, nil
}
