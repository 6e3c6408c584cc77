// Package detach is `vela cluster detach`.
package detach

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// Options are the inputs of the command.
type Options struct {
	Factory *connect.Factory
	Name    string
	Force   bool
}

// NewCommand returns `vela cluster detach`. Tests pass run to inspect the
// options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = detach
	}
	cmd := &cobra.Command{
		Use:   "detach CLUSTER",
		Short: "Remove a cluster",
		Long: `Remove a cluster from those that applications are delivered to. It needs no
connection to the cluster. It is refused while applications have objects there;
with --force they forget those objects, which stay in the cluster.`,
		Example: "  vela cluster detach production",
		Args:    console.Args("CLUSTER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Name = args[0]
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVarP(&o.Force, "force", "f", false, "detach although applications have objects there")
	return cmd
}

func detach(ctx context.Context, o *Options) error {
	clusters, err := o.Factory.Clusters()
	if err != nil {
		return err
	}
	forgot, err := clusters.Detach(ctx, o.Name, cluster.DetachOptions{Force: o.Force})
	if err != nil {
		return err
	}
	o.Factory.IO.Notef("Cluster %s is detached", o.Name)
	for _, app := range forgot {
		o.Factory.IO.Notef("  left behind there: %s", app)
	}
	return nil
}
