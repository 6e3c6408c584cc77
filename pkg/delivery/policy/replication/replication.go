// Package replication copies components: one copy for each key, which the
// templates read as context.replicaKey. It is pure.
package replication

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/payload"
)

// Type is the type of the policies that this package understands.
const Type = v1alpha1.ReplicationPolicyType

// Apply returns the components with each selected one copied per key, at its
// place. Without a selector all are.
func Apply(components []blueprint.Component, p blueprint.Policy) ([]blueprint.Component, error) {
	spec, err := payload.Decode[v1alpha1.ReplicationPolicySpec](p)
	if err != nil {
		return nil, err
	}
	if len(spec.Keys) == 0 {
		return nil, payload.Invalid(p, "keys", "expected at least one key")
	}
	for i, key := range spec.Keys {
		at := fmt.Sprintf("keys[%d]", i)
		if slices.Contains(spec.Keys[:i], key) {
			return nil, payload.Invalid(p, at, "key %q is there twice", key)
		}
		if errs := validation.IsValidLabelValue(key); key == "" || len(errs) > 0 {
			return nil, payload.Invalid(p, at, "expected a short name of letters, digits and dashes, got %q", key)
		}
	}
	var out []blueprint.Component
	for _, c := range components {
		if spec.Selector != nil && !slices.Contains(spec.Selector, c.Name) {
			out = append(out, c)
			continue
		}
		for _, key := range spec.Keys {
			c.ReplicaKey = key
			out = append(out, c)
		}
	}
	return out, nil
}
