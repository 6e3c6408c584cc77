// Package livediff is `vela live-diff`: how a file, or the Application in the
// cluster, differs from what is live, or from an earlier revision.
package livediff

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

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
	Revision    string
	Output      string
}

// NewCommand returns `vela live-diff`. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = diff
	}
	cmd := &cobra.Command{
		Use:   "live-diff APP | -f FILE",
		Short: "Show how an application differs from what is live, or from a revision",
		Long: `Show, field by field, how the objects of an application differ from those that
are live in its clusters: with APP what has drifted, with -f what the file would
change. With --revision the objects are compared with those of that revision
instead. Secrets are masked.`,
		Example:           "  vela live-diff shop\n  vela live-diff -f app.yaml\n  vela live-diff shop --revision shop-v3",
		ValidArgsFunction: f.CompleteApplications,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 || (len(args) == 1) == (len(o.Files) > 0) {
				return console.Usagef("name an application or a file: vela live-diff APP, or vela live-diff -f FILE")
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
	flags.StringVarP(&o.Revision, "revision", "r", "", "compare with this `revision`: its name, or its number")
	flags.StringVarP(&o.Output, "output", "o", "", "wide (new objects as a whole), json or yaml")
	return cmd
}

func diff(ctx context.Context, o *Options) error {
	p, err := o.open(ctx)
	if err != nil {
		return err
	}
	var views []planview.View
	for _, app := range p.Apps {
		subject, err := p.Subject(ctx, app)
		if err != nil {
			return err
		}
		var view planview.View
		err = o.Factory.IO.While("comparing "+app.Name, func() (err error) {
			if o.Revision == "" {
				view, err = p.Drift(ctx, subject)
			} else {
				view, err = p.Against(ctx, subject, o.Revision)
			}
			return err
		})
		if err != nil {
			return err
		}
		views = append(views, view)
	}
	return planview.Write(o.Factory.IO, o.Output, views)
}

// open reads the file, or the Application from the cluster.
func (o *Options) open(ctx context.Context) (*preview.Preview, error) {
	options := preview.Options{Factory: o.Factory, DefinitionDirs: o.Definitions, Namespace: o.Namespace}
	if o.Name != "" {
		return preview.OfLive(ctx, options, cmp.Or(o.Namespace, o.Factory.Namespace()), o.Name)
	}
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
