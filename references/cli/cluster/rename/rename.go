// Package rename is `vela cluster rename`.
package rename

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// Options are the inputs of the command.
type Options struct {
	Factory *connect.Factory
	From    string
	To      string
}

// NewCommand returns `vela cluster rename`. Tests pass run to inspect the
// options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = rename
	}
	return &cobra.Command{
		Use:     "rename OLD NEW",
		Short:   "Give a cluster another name",
		Long:    "Give a cluster another name. It is refused while applications have objects there.",
		Example: "  vela cluster rename production prod-eu",
		Args:    console.Args("OLD", "NEW"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.From, o.To = args[0], args[1]
			return run(cmd.Context(), o)
		},
	}
}

func rename(ctx context.Context, o *Options) error {
	clusters, err := o.Factory.Clusters()
	if err != nil {
		return err
	}
	if err := clusters.Rename(ctx, o.From, o.To); err != nil {
		return err
	}
	o.Factory.IO.Notef("Cluster %s is now called %s", o.From, o.To)
	return nil
}
