// Package version is `vela version`: what this binary was built from. It
// reads nothing but the binary.
package version

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/pkg/version"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// Options are the inputs of the command.
type Options struct {
	IO     console.IO
	Output string
}

// NewCommand returns `vela version`. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{IO: f.IO}
	if run == nil {
		run = show
	}
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of this command",
		Args:  console.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := console.OneOf("output", o.Output, "", "json", "yaml"); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVarP(&o.Output, "output", "o", "", "json or yaml")
	return cmd
}

func show(_ context.Context, o *Options) error {
	info := version.Current()
	switch o.Output {
	case "json":
		return console.JSON(o.IO.Out, info)
	case "yaml":
		return console.YAML(o.IO.Out, info)
	default:
		fmt.Fprintf(o.IO.Out, "vela %s\n", info)
		return nil
	}
}
