// Package labels is the group `vela cluster labels`: the labels by which
// topologies select clusters.
package labels

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// Options are the inputs of both commands; an empty value removes a label.
type Options struct {
	Factory *connect.Factory
	Cluster string
	Labels  map[string]string
}

// NewCommand returns the group. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	if run == nil {
		run = set
	}
	return console.Group(&cobra.Command{
		Use:   "labels",
		Short: "Change the labels by which topologies select clusters",
	},
		&cobra.Command{
			Use:     "add CLUSTER KEY=VALUE,...",
			Short:   "Add or change labels",
			Example: "  vela cluster labels add production region=eu,tier=gold",
			Args:    console.Args("CLUSTER", "LABELS"),
			RunE: func(cmd *cobra.Command, args []string) error {
				labels, err := parse(args[1])
				if err != nil {
					return err
				}
				return run(cmd.Context(), &Options{Factory: f, Cluster: args[0], Labels: labels})
			},
		},
		&cobra.Command{
			Use:     "del CLUSTER KEY,...",
			Short:   "Remove labels",
			Example: "  vela cluster labels del production tier",
			Args:    console.Args("CLUSTER", "KEYS"),
			RunE: func(cmd *cobra.Command, args []string) error {
				labels := map[string]string{}
				for key := range strings.SplitSeq(args[1], ",") {
					key, _, _ = strings.Cut(key, "=") // as other tools write it
					labels[key] = ""
				}
				return run(cmd.Context(), &Options{Factory: f, Cluster: args[0], Labels: labels})
			},
		},
	)
}

func parse(text string) (map[string]string, error) {
	labels := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		key, value, found := strings.Cut(pair, "=")
		if !found || key == "" || value == "" {
			return nil, console.Usagef("%q is no label: write KEY=VALUE, several with commas between", pair)
		}
		labels[key] = value
	}
	return labels, nil
}

func set(ctx context.Context, o *Options) error {
	clusters, err := o.Factory.Clusters()
	if err != nil {
		return err
	}
	if err := clusters.SetLabels(ctx, o.Cluster, o.Labels); err != nil {
		return err
	}
	o.Factory.IO.Notef("Labels of cluster %s changed", o.Cluster)
	return nil
}
