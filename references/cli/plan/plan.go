// Package plan is `vela plan`: what the delivery of an Application would
// change, cluster by cluster and field by field, with the digest that an
// approval is bound to.
package plan

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/pkg/delivery/transform"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/planview"
	"github.com/seed-c5f95f19/vela/references/cli/preview"
	"github.com/seed-c5f95f19/vela/references/cli/source"
)

// Options are the inputs of the command.
type Options struct {
	Factory     *connect.Factory
	Name        string
	Files       []string
	Definitions []string
	Namespace   string
	Step        string
	Strict      bool
	Gates       transform.Gates
	Output      string
}

// NewCommand returns `vela plan`. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = show
	}
	cmd := &cobra.Command{
		Use:   "plan APP | -f FILE",
		Short: "Show what a delivery would change, before it does",
		Long: `Show what the delivery of an application would create, change and delete in each
cluster, field by field, with secrets masked. Nothing is changed; the clusters are
asked whether they would accept it.

For an application that waits, this is the plan that an approval is bound to by
its digest. With -f the application of the file is planned, in the cluster or
not. What depends on the output of an earlier step is known after that step.

The exit code is 1 when the plan contains something that cannot be done.`,
		Example:           "  vela plan shop\n  vela plan -f app.yaml -o wide",
		ValidArgsFunction: f.CompleteApplications,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 || (len(args) == 1) == (len(o.Files) > 0) {
				return console.Usagef("name an application or a file: vela plan APP, or vela plan -f FILE")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Name = strings.Join(args, "")
			if err := console.OneOf("output", o.Output, "", "wide", "json", "yaml"); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVarP(&o.Files, "file", "f", nil, "`file`, folder, URL or - (may be given several times)")
	flags.StringSliceVarP(&o.Definitions, "definitions", "d", nil, "`file` or folder with definitions, YAML or CUE")
	flags.StringVarP(&o.Namespace, "namespace", "n", "", "`namespace` of the application")
	flags.StringVarP(&o.Step, "step", "s", "", "plan only this `step`")
	flags.Var(&o.Gates, "feature-gates", "`gates` of the control plane, such as EnableApplicationScopedPolicies=true,EnableGlobalPolicies=true")
	flags.BoolVar(&o.Strict, "strict", false, "refuse fields and properties that do not exist instead of warning")
	flags.StringVarP(&o.Output, "output", "o", "", "wide (created objects as a whole), json or yaml")
	return cmd
}

func show(ctx context.Context, o *Options) error {
	p, err := o.open(ctx)
	if err != nil {
		return err
	}
	views := make([]planview.View, 0, len(p.Apps))
	for _, app := range p.Apps {
		subject, err := p.Subject(ctx, app)
		if err != nil {
			return err
		}
		for _, warning := range append(app.Warnings, subject.Blueprint.Warnings...) {
			o.Factory.IO.Warnf("%s", warning)
		}
		var view planview.View
		err = o.Factory.IO.While("asking the clusters about "+app.Name, func() (err error) {
			view, err = p.Plan(ctx, subject)
			return err
		})
		if err != nil {
			return err
		}
		if o.Step != "" {
			if view, err = view.Only(o.Step); err != nil {
				return err
			}
		}
		views = append(views, view)
	}
	if err := planview.Write(o.Factory.IO, o.Output, views); err != nil {
		return err
	}
	for _, view := range views {
		if problem := view.Problem(); problem != "" {
			return fmt.Errorf("application %s/%s: %s", view.Namespace, view.Application, problem)
		}
	}
	return nil
}

// open reads the file, or the Application from the cluster.
func (o *Options) open(ctx context.Context) (*preview.Preview, error) {
	options := preview.Options{Factory: o.Factory, DefinitionDirs: o.Definitions, Namespace: o.Namespace, Strict: o.Strict, Gates: o.Gates}
	if o.Name == "" {
		docs, err := source.Read(ctx, o.Factory.IO.In, o.Files...)
		if err != nil {
			return nil, err
		}
		options.Documents = docs
		p, err := preview.New(options)
		if err == nil && len(p.Apps) == 0 {
			err = fmt.Errorf("%s: there is no Application in it", strings.Join(o.Files, ", "))
		}
		return p, err
	}
	return preview.OfLive(ctx, options, cmp.Or(o.Namespace, o.Factory.Namespace()), o.Name)
}
