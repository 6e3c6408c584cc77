// Package status is `vela status`: how far the delivery of one Application is,
// what it waits for, and what to type next.
package status

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/progress"
)

// Options are the inputs of the command.
type Options struct {
	Factory   *connect.Factory
	Name      string
	Namespace string
	Tree      bool
	Output    string
}

// NewCommand returns `vela status`. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = show
	}
	cmd := &cobra.Command{
		Use:   "status APP",
		Short: "Show how far the delivery of an application is",
		Long: `Show how far the delivery of an application is: the steps of its workflow, the
health of its components, and what it waits for, with the command to type next.

The exit code is 1 when the delivery failed or the application is unhealthy.`,
		Example:           "  vela status shop\n  vela status shop --tree\n  vela status shop -o json | jq .status.workflow",
		Args:              console.Args("APP"),
		ValidArgsFunction: f.CompleteApplications,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := console.OneOf("output", o.Output, "", "wide", "json", "yaml"); err != nil {
				return err
			}
			if o.Tree && o.Output != "" && o.Output != "wide" {
				return console.Usagef("--tree is for people: it cannot be combined with -o %s", o.Output)
			}
			o.Name = args[0]
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVarP(&o.Namespace, "namespace", "n", "", "`namespace` of the application")
	cmd.Flags().BoolVarP(&o.Tree, "tree", "t", false, "show the objects in each cluster")
	cmd.Flags().StringVarP(&o.Output, "output", "o", "", "wide, json or yaml; json and yaml are the Application")
	return cmd
}

func show(ctx context.Context, o *Options) error {
	c, err := o.Factory.Client()
	if err != nil {
		return err
	}
	app, err := connect.Application(ctx, c, cmp.Or(o.Namespace, o.Factory.Namespace()), o.Name)
	if err != nil {
		return err
	}
	io := o.Factory.IO
	switch {
	case o.Output == "json":
		err = console.JSON(io.Out, app)
	case o.Output == "yaml":
		err = console.YAML(io.Out, app)
	default:
		view := progress.View{Style: io.OutStyle(), Now: io.Now(), Wide: o.Output == "wide", Namespace: o.Factory.Namespace()}
		if o.Tree {
			err = tree(ctx, c, view, io.Out, app)
			break
		}
		view.Report(io.Out, app)
	}
	if err != nil {
		return err
	}
	return verdict(app)
}

// verdict is the error that makes the exit code tell a script that something
// is wrong. While a workflow runs, components may be on their way; when it
// waits for a person they should be well.
func verdict(app *v1beta1.Application) error {
	p := progress.Of(app)
	switch p.State {
	case progress.Failed:
		return fmt.Errorf("application %s/%s failed: %s", app.Namespace, app.Name, p.Why)
	case progress.Unhealthy:
		return fmt.Errorf("application %s/%s is unhealthy: %s", app.Namespace, app.Name, p.Why)
	case progress.Working:
		if p.Failing {
			return fmt.Errorf("application %s/%s is failing: %s", app.Namespace, app.Name, p.Why)
		}
	case progress.Waiting:
		if why := progress.Sick(p.Services); why != "" {
			return fmt.Errorf("application %s/%s is unhealthy: %s", app.Namespace, app.Name, why)
		}
	}
	return nil
}
