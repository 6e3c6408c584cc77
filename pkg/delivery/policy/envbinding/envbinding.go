// Package envbinding is the deprecated env-binding policy: environments, each
// with a place, a choice of components and changes of them. Steps deliver one
// environment at a time (deploy2env); topology and override policies say the same
// today. It is pure: the steps ask it where an environment leads and what its
// components are.
package envbinding

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/override"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/topology"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// Type is the type of the policies that this package understands.
const Type = v1alpha1.EnvBindingPolicyType

// An Env is one environment. What it leaves out means: the hub, the namespace of
// the Application, all components, as they are.
type Env struct {
	Name      string
	Placement v1alpha1.EnvPlacement
	Selector  []string         // names of components; nil: all
	Patch     []map[string]any // as override policies have them
}

// Envs returns the environments of a policy. Fields that older versions had are
// ignored, as KubeVela does.
func Envs(p blueprint.Policy) ([]Env, error) {
	var spec struct {
		Envs []struct {
			Name      string                `json:"name"`
			Placement v1alpha1.EnvPlacement `json:"placement"`
			Selector  *v1alpha1.EnvSelector `json:"selector"`
			Patch     struct {
				Components []map[string]any `json:"components"`
			} `json:"patch"`
		} `json:"envs"`
	}
	if err := provider.Decode(p.Properties, &spec); err != nil {
		return nil, fault.Invalid(v1beta1.ReasonInvalidPolicy, fmt.Errorf("policy %q: %w", p.Name, err), fault.At(p.Origin.Property("envs")))
	}
	out := make([]Env, 0, len(spec.Envs))
	for _, e := range spec.Envs {
		env := Env{Name: e.Name, Placement: e.Placement, Patch: e.Patch.Components}
		if e.Selector != nil {
			env.Selector = e.Selector.Components
		}
		out = append(out, env)
	}
	return out, nil
}

// Placements returns where the environment leads, for an Application of
// namespace. A cluster selector with labels may lead to several clusters.
func Placements(e Env, namespace string, clusters []topology.Cluster) ([]topology.Placement, error) {
	if ns := e.Placement.NamespaceSelector; ns != nil {
		if len(ns.Labels) > 0 {
			return nil, invalid(e, "namespaceSelector has labels: namespaces are chosen by name only")
		}
		namespace = cmp.Or(ns.Name, namespace)
	}
	names, err := e.clusters(clusters)
	if err != nil {
		return nil, err
	}
	out := make([]topology.Placement, 0, len(names))
	for _, name := range names {
		out = append(out, topology.Placement{Cluster: name, Namespace: namespace})
	}
	return out, nil
}

func (e Env) clusters(all []topology.Cluster) ([]string, error) {
	at := e.Placement.ClusterSelector
	switch {
	case at == nil || at.Name == "" && len(at.Labels) == 0:
		return []string{manifest.Local}, nil
	case at.Name != "":
		if !slices.ContainsFunc(all, func(c topology.Cluster) bool { return c.Name == at.Name }) {
			return nil, fault.Because(v1beta1.ReasonClusterMissing, fmt.Errorf("env %q: there is no cluster %q", e.Name, at.Name),
				fault.Hint("join it: vela cluster join; or list those that there are: vela cluster list"))
		}
		return []string{at.Name}, nil
	}
	var out []string
	for _, c := range all {
		if carries(c.Labels, at.Labels) {
			out = append(out, c.Name)
		}
	}
	if len(out) == 0 {
		return nil, fault.Because(v1beta1.ReasonClusterMissing, fmt.Errorf("env %q: no cluster has the labels of its clusterSelector", e.Name))
	}
	return out, nil
}

func carries(labels, wanted map[string]string) bool {
	for k, v := range wanted {
		if labels[k] != v {
			return false
		}
	}
	return true
}

// Components returns the components of the environment: changed as an override
// policy would, then chosen by the selector.
func Components(e Env, components []blueprint.Component, o override.Options) ([]blueprint.Component, error) {
	properties := map[string]any{}
	if len(e.Selector) > 0 {
		names := make([]any, len(e.Selector))
		for i, name := range e.Selector {
			names[i] = name
		}
		properties["selector"] = names
	}
	patches := make([]any, 0, len(e.Patch))
	for _, p := range e.Patch {
		patches = append(patches, known(p))
	}
	properties["components"] = patches
	return override.Apply(components, blueprint.Policy{Name: strings.TrimSpace("env " + e.Name), Type: override.Type, Properties: properties}, o)
}

// known drops what KubeVela ignores in the patch of a component.
func known(patch map[string]any) map[string]any {
	out := map[string]any{}
	for _, field := range []string{"name", "type", "properties", "traits", "externalRevision"} {
		if v, ok := patch[field]; ok {
			out[field] = v
		}
	}
	return out
}

func invalid(e Env, format string, args ...any) error {
	return fault.Invalid(v1beta1.ReasonInvalidPolicy, fmt.Errorf("env %q: %w", e.Name, fmt.Errorf(format, args...)))
}
