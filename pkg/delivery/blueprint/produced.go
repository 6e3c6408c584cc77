package blueprint

import (
	"errors"
	"fmt"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// Produced is what Application-scoped policies made of the Application before it
// was read. It belongs to the frozen input: nobody runs them again for a revision
// that is stored. Nobody may modify it.
type Produced struct {
	// Written is the content address of what the user wrote.
	Written string `json:"written"`
	// Global says that global policies were asked too.
	Global bool `json:"global,omitempty"`
	// Spec is what the user wrote; nil when no policy changed it.
	Spec *v1beta1.ApplicationSpec `json:"spec,omitempty"`
	// Labels and Annotations are those that policies gave.
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	// Custom is what templates see as context.custom.
	Custom map[string]any `json:"custom,omitempty"`
	// Applied says what each policy did, in the order in which they ran.
	Applied []Transformation `json:"applied,omitempty"`
}

// A Transformation is what one policy did.
type Transformation struct {
	v1beta1.AppliedApplicationPolicy `json:",inline"`

	// Output is what its template gave.
	Output map[string]any `json:"output,omitempty"`
}

// Records returns what the status shows of each policy.
func (p *Produced) Records() []v1beta1.AppliedApplicationPolicy {
	if p == nil {
		return nil
	}
	var out []v1beta1.AppliedApplicationPolicy
	for _, t := range p.Applied {
		out = append(out, t.AppliedApplicationPolicy)
	}
	return out
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

// Global reports whether a policy changes Applications that do not name it.
func Global(def definition.Definition) bool {
	o, ok := def.Object.(*v1beta1.PolicyDefinition)
	return ok && Scoped(def) && o.Spec.Global
}

// PolicyOf reads the i-th policy of a specification.
func PolicyOf(in v1beta1.AppPolicy, i int) Policy {
	o := Origin{Path: fmt.Sprintf("spec.policies[%d]", i)}
	name := in.Name
	if name == "" {
		name = fmt.Sprintf("%s-auto-gen-%d", in.Type, i)
	}
	p := Policy{Name: name, Type: in.Type, Origin: o}
	p.Properties, _ = properties(in.Properties) // Parse complains
	return p
}

// scoped complains about a policy that cannot be named, and warns of one that is
// switched off.
func (r *resolver) scoped(p Policy, what string, def definition.Definition) {
	switch {
	case Global(def):
		r.errs = append(r.errs, fault.Invalid(v1beta1.ReasonInvalidPolicy, fmt.Errorf("%s: type %q is global: it works for every Application by itself and cannot be named", what, p.Type),
			fault.At(p.Origin.Sub("type").String()), fault.Hint("remove the policy; the annotation policy.oam.dev/skip-global keeps global policies away")))
	case Scoped(def) && r.bp.Produced == nil:
		r.bp.Warnings = append(r.bp.Warnings, fault.Message(fault.Invalid(v1beta1.ReasonInvalidPolicy,
			errors.New(what+" does nothing here: its type changes Applications, which needs the feature gate EnableApplicationScopedPolicies"), fault.At(p.Origin.String()))))
	}
}
