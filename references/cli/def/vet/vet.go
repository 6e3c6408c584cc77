// Package vet is `vela def vet`: what is wrong with definitions, before anybody
// installs them. It asks no cluster.
package vet

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/def/author"
)

// Options are the inputs of the command.
type Options struct {
	Factory *connect.Factory
	Files   []string
	Strict  bool
}

// NewCommand returns `vela def vet`. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = vet
	}
	cmd := &cobra.Command{
		Use:     "vet FILE...",
		Aliases: []string{"validate"},
		Short:   "Find the mistakes in definitions",
		Long: `Compile the template and the status rules of definitions and evaluate the
template with properties that are made up from its parameters: once with those
that must be given, once with all. Every mistake is told with FILE:LINE:COL.

FILE is a file in CUE, YAML or JSON, a folder, a URL, or - for standard input.
No cluster is needed.`,
		Example: "  vela def vet my-trait.cue\n  vela def vet definitions/ --strict",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return console.Usagef("name the definitions to check: vela def vet FILE")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Files = args
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.Strict, "strict", false, "fail on warnings too")
	return cmd
}

func vet(ctx context.Context, o *Options) error {
	io := o.Factory.IO
	defs, err := author.Read(ctx, io.In, o.Files...)
	if err != nil && len(defs) == 0 {
		return err
	}
	errs := []error{err}
	engines := author.NewEngines(o.Factory.Sandbox)
	for _, d := range defs {
		problems := d.Vet(ctx, engines)
		if o.Strict {
			for i := range problems {
				problems[i].Warning = false
			}
		}
		for _, p := range problems {
			if p.Warning {
				fmt.Fprintln(io.Out, p.Error())
			}
		}
		if err := author.Join(problems); err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintf(io.Out, "%s: %s is valid\n", d.File, d)
	}
	return errors.Join(errs...)
}
