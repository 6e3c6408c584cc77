package ql

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// ApplyOptions are the inputs of `vela ql apply`.
type ApplyOptions struct {
	Factory *connect.Factory
	Name    string
	File    string
}

// newApply returns `vela ql apply`.
func newApply(f *connect.Factory, run func(context.Context, *ApplyOptions) error) *cobra.Command {
	o := &ApplyOptions{Factory: f}
	if run == nil {
		run = apply
	}
	cmd := &cobra.Command{
		Use:     "apply [NAME] -f FILE",
		Short:   "Store a view",
		Long:    "Store a view in the cluster, under NAME or the name of its file. It is refused when it does not compile.",
		Example: "  vela ql apply -f my-view.cue\n  cat view.cue | vela ql apply my-view -f -",
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) > 1:
				return console.Usagef("vela ql apply takes one name, got %q too", args[1])
			case o.File == "":
				return console.Usagef("vela ql apply needs the file with the view: -f FILE")
			case len(args) == 1:
				o.Name = args[0]
			case o.File == "-":
				return console.Usagef("a view from standard input needs a name: vela ql apply NAME -f -")
			default:
				o.Name = nameOf(o.File)
			}
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVarP(&o.File, "file", "f", "", "`file` with the view, - for standard input")
	return cmd
}

func apply(ctx context.Context, o *ApplyOptions) error {
	text, err := read(o.Factory.IO.In, o.File)
	if err != nil {
		return err
	}
	c, err := o.Factory.AnyClient()
	if err != nil {
		return err
	}
	changed, err := engine(o.Factory, c).Store(ctx, c, o.Factory.SystemNamespace(), o.Name, text)
	if err != nil {
		return err
	}
	word := "stored"
	if !changed {
		word = "unchanged"
	}
	_, err = fmt.Fprintf(o.Factory.IO.Out, "view %s %s\n", o.Name, word)
	return err
}
