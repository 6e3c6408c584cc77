package multicluster

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// Envs knows what the envs of env-binding policies need.
type Envs interface {
	// Labelled returns the names of the clusters with the given labels, in order.
	Labelled(ctx context.Context, labels map[string]string) ([]string, error)
	// Patched returns the Application of this run as JSON, its components
	// changed as by an override policy with these components and this selector.
	Patched(ctx context.Context, components []map[string]any, selector []string) (map[string]any, error)
}

type envs struct {
	Fleet
	Envs
	namespace string
}

type decideIn struct {
	Inputs struct {
		PolicyName string    `json:"policyName"`
		EnvName    string    `json:"envName"`
		Placement  placement `json:"placement"`
	} `json:"inputs"`
}

type placement struct {
	ClusterSelector   *selector `json:"clusterSelector"`
	NamespaceSelector *selector `json:"namespaceSelector"`
}

type selector struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels"`
}

type decideOut struct {
	Outputs struct {
		Decisions []Placement `json:"decisions"`
	} `json:"outputs"`
}

// decide says where an env leads: to the chosen clusters, else to the control
// plane; to the named namespace, else to that of the Application.
func (e envs) decide(ctx context.Context, in decideIn) (decideOut, error) {
	var out decideOut
	if in.Inputs.PolicyName == "" || in.Inputs.EnvName == "" {
		return out, errors.New("inputs: expected the names of a policy and of an env")
	}
	namespace := e.namespace
	if s := in.Inputs.Placement.NamespaceSelector; s != nil {
		if len(s.Labels) > 0 {
			return out, fault.Invalid("InvalidPolicy", fmt.Errorf("env %q of policy %q: a namespace can be chosen by its name only, not by labels", in.Inputs.EnvName, in.Inputs.PolicyName))
		}
		if s.Name != "" {
			namespace = s.Name
		}
	}
	clusters, err := e.clusters(ctx, in.Inputs.Placement.ClusterSelector)
	if err != nil {
		return out, fmt.Errorf("env %q of policy %q: %w", in.Inputs.EnvName, in.Inputs.PolicyName, err)
	}
	for _, name := range clusters {
		out.Outputs.Decisions = append(out.Outputs.Decisions, Placement{Cluster: name, Namespace: namespace})
	}
	return out, nil
}

// controlPlane is the cluster that every control plane has.
const controlPlane = "local"

func (e envs) clusters(ctx context.Context, s *selector) ([]string, error) {
	switch {
	case s == nil, s.Name == "" && len(s.Labels) == 0:
		return []string{controlPlane}, nil
	case s.Name != "":
		known, err := e.Clusters(ctx)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(known, s.Name) {
			return nil, fmt.Errorf("there is no cluster %q", s.Name)
		}
		return []string{s.Name}, nil
	}
	names, err := e.Labelled(ctx, s.Labels)
	if err == nil && len(names) == 0 {
		err = fmt.Errorf("no cluster has the labels %v", s.Labels)
	}
	return names, err
}

type patchIn struct {
	Inputs struct {
		EnvName string `json:"envName"`
		Patch   struct {
			Components []map[string]any `json:"components"`
		} `json:"patch"`
		Selector struct {
			Components []string `json:"components"`
		} `json:"selector"`
	} `json:"inputs"`
}

func (e envs) patch(ctx context.Context, in patchIn) (any, error) {
	app, err := e.Patched(ctx, in.Inputs.Patch.Components, in.Inputs.Selector.Components)
	if err != nil {
		return nil, fmt.Errorf("env %q: %w", in.Inputs.EnvName, err)
	}
	return map[string]any{"outputs": app}, nil
}
