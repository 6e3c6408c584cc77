package event

import (
	"slices"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
)

// policies reports global policies that have changed the Application, which
// nobody had asked for in it. One that could not is among its warnings.
func policies(before, after []v1beta1.AppliedApplicationPolicy) []Event {
	var out []Event
	for _, p := range after {
		if p.Source == "global" && p.Applied && !slices.Contains(before, p) {
			out = append(out, normal(GlobalPolicyApplied, "global policy %q of namespace %q has changed the application", p.Name, p.Namespace))
		}
	}
	return out
}
