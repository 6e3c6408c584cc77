// Package topology decides where components go: the clusters and the namespace
// that topology policies select. It is pure; the list of clusters is an input.
package topology

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy/payload"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// Type is the type of the policies that this package understands.
const Type = v1alpha1.TopologyPolicyType

// A Cluster is one that could be selected.
type Cluster struct {
	Name   string
	Labels map[string]string
}

// A Placement is one place that gets the components.
type Placement struct {
	Cluster   string
	Namespace string
}

// String returns "cluster/namespace".
func (p Placement) String() string { return p.Cluster + "/" + p.Namespace }

// Placements returns where the policies place an Application of namespace, in
// the order of the policies, each place once. Clusters selected by labels come
// by name. Without a topology it is the namespace itself, in the hub.
func Placements(policies []blueprint.Policy, namespace string, clusters []Cluster) ([]Placement, error) {
	var out []Placement
	some := false
	for _, p := range policies {
		if p.Type != Type {
			continue
		}
		some = true
		names, ns, err := selected(p, clusters)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			place := Placement{Cluster: name, Namespace: cmp.Or(ns, namespace)}
			if !slices.Contains(out, place) {
				out = append(out, place)
			}
		}
	}
	if !some {
		return []Placement{{Cluster: manifest.Local, Namespace: namespace}}, nil
	}
	return out, nil
}

// selected returns the names of the clusters that one policy selects.
func selected(p blueprint.Policy, clusters []Cluster) (names []string, namespace string, err error) {
	if p.Properties == nil {
		return nil, "", payload.Invalid(p, "", "expected clusters, clusterLabelSelector or namespace, got no properties")
	}
	spec, err := payload.Decode[v1alpha1.TopologyPolicySpec](p)
	if err != nil {
		return nil, "", err
	}
	labels, field := spec.ClusterLabelSelector, "clusterLabelSelector"
	if labels == nil && spec.DeprecatedClusterSelector != nil {
		labels, field = spec.DeprecatedClusterSelector, "clusterSelector"
	}
	switch {
	case spec.Clusters != nil:
		names, err = byName(p, spec.Clusters, clusters)
		field = "clusters"
	case labels != nil:
		names = byLabels(labels, clusters)
	default:
		return []string{manifest.Local}, spec.Namespace, nil
	}
	if err == nil && len(names) == 0 && !spec.AllowEmpty {
		err = fault.Because(v1beta1.ReasonNoCluster,
			fmt.Errorf("policy %q selects no cluster: it wants %s, there are %s", p.Name, want(spec.Clusters, labels), listed(clusters, true)),
			fault.At(p.Origin.Property(field)), fault.Waits(), fault.Hint("label or join a cluster, or set allowEmpty: true"))
	}
	return names, spec.Namespace, err
}

func byName(p blueprint.Policy, wanted []string, clusters []Cluster) ([]string, error) {
	known := []string{manifest.Local}
	for _, c := range clusters {
		known = append(known, c.Name)
	}
	for i, name := range wanted {
		if slices.Contains(known, name) {
			continue
		}
		hint := fault.Hint("join it with: vela cluster join KUBECONFIG --name %s", name)
		if near := blueprint.Nearest(name, known); near != "" {
			hint = fault.Hint("did you mean %q?", near)
		}
		return nil, fault.Because(v1beta1.ReasonClusterMissing,
			fmt.Errorf("policy %q: there is no cluster %q, there are %s", p.Name, name, listed(clusters, false)),
			fault.At(p.Origin.Property(fmt.Sprintf("clusters[%d]", i))), fault.Waits(), hint)
	}
	return wanted, nil
}

func byLabels(labels map[string]string, clusters []Cluster) []string {
	var out []string
	for _, c := range sorted(clusters) {
		fits := true
		for k, v := range labels {
			got, ok := c.Labels[k]
			fits = fits && ok && got == v
		}
		if fits {
			out = append(out, c.Name)
		}
	}
	return out
}

func sorted(clusters []Cluster) []Cluster {
	return slices.SortedFunc(slices.Values(clusters), func(a, b Cluster) int { return cmp.Compare(a.Name, b.Name) })
}

func want(clusters []string, labels map[string]string) string {
	if clusters != nil {
		return "an empty list of clusters"
	}
	return "labels " + labelText(labels)
}

// listed names the clusters, with the labels that people gave them if asked;
// many are cut short.
func listed(clusters []Cluster, labels bool) string {
	const most = 10
	names := map[string]bool{}
	for _, c := range clusters {
		names[c.Name] = true
	}
	if !names[manifest.Local] {
		clusters = append([]Cluster{{Name: manifest.Local}}, clusters...)
	}
	var parts []string
	for _, c := range sorted(clusters) {
		text := c.Name
		if own := given(c.Labels); labels && len(own) > 0 {
			text += " (" + labelText(own) + ")"
		}
		parts = append(parts, text)
	}
	if n := len(parts); n > most {
		parts = append(parts[:most], fmt.Sprintf("and %d more", n-most))
	}
	return strings.Join(parts, ", ")
}

// given returns labels without those that joining a cluster sets.
func given(labels map[string]string) map[string]string {
	out := maps.Clone(labels)
	maps.DeleteFunc(out, func(key, _ string) bool { return strings.HasPrefix(key, "cluster.core.oam.dev/") })
	return out
}

func labelText(labels map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, k+"="+labels[k])
	}
	return strings.Join(parts, ",")
}
