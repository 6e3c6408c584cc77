package status

import (
	"encoding/json"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/observe"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy"
)

// Policies is what is known about the policies of an Application.
type Policies struct {
	// Health is of those that have objects.
	Health []observe.Health
	// Decide says that their health is that of the Application, whatever its
	// components are.
	Decide bool
	Envs   []Env
}

// An Env is where an environment of an env-binding policy leads.
type Env struct {
	Policy     string
	Name       string
	Placements []policy.Placement
}

// policyStatus is what the status shows of each policy.
func (p Policies) policyStatus() []v1beta1.PolicyStatus {
	var out []v1beta1.PolicyStatus
	for _, h := range p.Health {
		out = append(out, v1beta1.PolicyStatus{Name: h.Policy, Type: h.Type, Status: raw(struct {
			Healthy bool              `json:"healthy"`
			Message string            `json:"message,omitempty"`
			Details map[string]string `json:"details,omitempty"`
		}{h.Known && h.Healthy, h.Message, h.Details})})
	}
	type place struct {
		Cluster   string `json:"cluster,omitempty"`
		Namespace string `json:"namespace,omitempty"`
	}
	type env struct {
		Env        string  `json:"env"`
		Placements []place `json:"placements"`
	}
	envs := map[string][]env{}
	var names []string
	for _, e := range p.Envs {
		if !slices.Contains(names, e.Policy) {
			names = append(names, e.Policy)
		}
		at := env{Env: e.Name, Placements: []place{}}
		for _, target := range e.Placements {
			at.Placements = append(at.Placements, place(target))
		}
		envs[e.Policy] = append(envs[e.Policy], at)
	}
	for _, name := range names {
		out = append(out, v1beta1.PolicyStatus{Name: name, Type: "env-binding", Status: raw(map[string]any{"envs": envs[name]})})
	}
	return out
}

func raw(v any) *runtime.RawExtension {
	data, err := json.Marshal(v)
	if err != nil {
		return nil // none of the types above can fail
	}
	return &runtime.RawExtension{Raw: data}
}

// sick says which policies are not healthy, "" when all are.
func (p Policies) sick() string {
	var parts []string
	for _, h := range p.Health {
		if h.Known && h.Healthy {
			continue
		}
		line := "policy " + h.Policy
		if h.Message != "" {
			line += ": " + h.Message
		}
		parts = append(parts, line)
	}
	return strings.Join(parts, "; ")
}

// applied records what Application-scoped policies did. An Application that is
// delivered without any has no record.
func (r Report) applied(next *v1beta1.ApplicationStatus) {
	if r.Scoped == nil {
		return
	}
	next.AppliedApplicationPolicies, next.ApplicationPoliciesConfigMap = r.Scoped.Applied, r.Scoped.ConfigMap
}

// Scoped is what Application-scoped policies did.
type Scoped struct {
	Applied   []v1beta1.AppliedApplicationPolicy
	ConfigMap string // that has the details; "" when there are none
}
