// Package list is `vela cluster list`.
package list

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/oam"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// Options are the inputs of the command.
type Options struct {
	Factory *connect.Factory
	Probe   bool
	Output  string
}

// An Item is one cluster in -o json and -o yaml.
type Item struct {
	Name       string            `json:"name"`
	Alias      string            `json:"alias,omitempty"`
	Endpoint   string            `json:"endpoint"`
	Credential string            `json:"credential"` // Internal, X509Certificate or ServiceAccountToken
	Labels     map[string]string `json:"labels,omitempty"`
	Joined     *time.Time        `json:"joined,omitempty"`
	Version    string            `json:"version,omitempty"` // when it answered
	State      string            `json:"state"`             // ready, away, unusable or unknown
	Reason     string            `json:"reason,omitempty"`
}

// NewCommand returns `vela cluster list`. Tests pass run to inspect the
// options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = list
	}
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the clusters and ask each whether it is there",
		Args:    console.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := console.OneOf("output", o.Output, "", "json", "yaml", "name"); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.Probe, "probe", true, "ask every cluster whether it is there")
	cmd.Flags().StringVarP(&o.Output, "output", "o", "", "json, yaml or name")
	return cmd
}

func list(ctx context.Context, o *Options) error {
	clusters, err := o.Factory.Clusters()
	if err != nil {
		return err
	}
	ask := clusters.List
	if o.Probe && o.Output != "name" {
		ask = clusters.Probe
	}
	var infos []cluster.Info
	err = o.Factory.IO.While("asking the clusters", func() (err error) {
		infos, err = ask(ctx)
		return err
	})
	if err != nil {
		return err
	}
	return Print(o.Factory.IO, o.Output, infos)
}

// Print writes the clusters.
func Print(io console.IO, output string, infos []cluster.Info) error {
	items := make([]Item, 0, len(infos))
	for _, info := range infos {
		items = append(items, item(info))
	}
	switch output {
	case "json":
		return console.JSON(io.Out, items)
	case "yaml":
		return console.YAML(io.Out, items)
	case "name":
		for _, i := range items {
			fmt.Fprintln(io.Out, i.Name)
		}
		return nil
	}
	table := console.Table{Header: []string{"CLUSTER", "ALIAS", "CREDENTIAL", "ENDPOINT", "VERSION", "STATE", "LABELS"}}
	style := io.OutStyle()
	for _, i := range items {
		state := i.State
		switch state {
		case "ready":
			state = style.Good(state)
		case "unknown":
			state = style.Dim(state)
		default:
			state = style.Bad(state + ": " + i.Reason)
		}
		table.Add(i.Name, i.Alias, i.Credential, i.Endpoint, i.Version, state, labels(i.Labels))
	}
	table.Print(io.Out)
	return nil
}

func item(info cluster.Info) Item {
	i := Item{
		Name: info.Name, Alias: info.Alias, Endpoint: info.Endpoint, Credential: info.Credential,
		Labels: own(info.Labels), Version: info.Version.GitVersion, Reason: info.Reason,
	}
	if !info.Joined.IsZero() {
		joined := info.Joined.UTC()
		i.Joined = &joined
	}
	switch {
	case info.Away:
		i.State = "away"
	case info.Reason != "":
		i.State = "unusable"
	case info.Version.GitVersion != "":
		i.State = "ready"
	default:
		i.State = "unknown"
	}
	return i
}

// own leaves out the labels that say how to log in.
func own(all map[string]string) map[string]string {
	out := maps.Clone(all)
	delete(out, oam.LabelClusterCredentialType)
	delete(out, oam.LabelClusterEndpointType)
	return out
}

func labels(all map[string]string) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		parts = append(parts, key+"="+all[key])
	}
	return strings.Join(parts, ",")
}
