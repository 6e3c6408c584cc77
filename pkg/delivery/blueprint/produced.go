package blueprint

import (
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
)

// Produced is what Application-scoped policies made of the Application before it
// was read. It belongs to the frozen input: nobody runs them again for a revision
// that is stored. Nobody may modify it.
type Produced struct {
	// Written is the content address of what the user wrote.
	Written string `json:"written,omitempty"`
	// Spec is what the user wrote; nil when no policy changed it.
	Spec *v1beta1.ApplicationSpec `json:"spec,omitempty"`
	// Custom is what templates see as context.custom.
	Custom map[string]any `json:"custom,omitempty"`
	// Applied says what each policy did, in the order in which they ran.
	Applied []v1beta1.AppliedApplicationPolicy `json:"applied,omitempty"`
}

// Custom returns what templates see as context.custom; nil when there is none.
func (d Draft) Custom() map[string]any {
	if d.Produced == nil {
		return nil
	}
	return d.Produced.Custom
}

// Scoped reports whether a policy changes Applications instead of giving objects.
func Scoped(def definition.Definition) bool {
	o, ok := def.Object.(*v1beta1.PolicyDefinition)
	return ok && o.Spec.Scope == v1beta1.PolicyScopeApplication
}
