// Package impact is `vela def impact`: what a changed definition would do to
// the Applications that use it.
package impact

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/impact"
	"github.com/seed-c5f95f19/vela/references/cli/preview"
	"github.com/seed-c5f95f19/vela/references/cli/source"
)

// Options are the inputs of the command.
type Options struct {
	Factory      *connect.Factory
	Files        []string
	Applications []string
	Definitions  []string
	Namespace    string
	Only         string
	Offline      bool
	Output       string
}

// NewCommand returns `vela def impact`. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = tell
	}
	cmd := &cobra.Command{
		Use:   "impact -f FILE",
		Short: "Show what a changed definition would do to the applications that use it",
		Long: `Render every application that uses the definition, with the definition that is
installed and with the one in FILE, and show what differs, grouped by equal
difference. Nothing is changed.

The applications are those of the hub, or with --applications those in files. The
exit status is 1 when an application that can be rendered today could not be
rendered any more.`,
		Example: `  vela def impact -f webservice.cue
  vela def impact -f webservice.cue --applications ./apps --offline -o json`,
		Args: console.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(o.Files) == 0 {
				return console.Usagef("name the changed definition: vela def impact -f FILE")
			}
			if o.Offline && len(o.Applications) == 0 {
				return console.Usagef("offline there is no cluster to list applications from: name their files with --applications")
			}
			if err := console.OneOf("output", o.Output, "", "json", "yaml"); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVarP(&o.Files, "file", "f", nil, "`file`, folder, URL or - with the changed definition, CUE or YAML")
	flags.StringSliceVar(&o.Applications, "applications", nil, "`file` or folder with applications, instead of those of the hub")
	flags.StringSliceVarP(&o.Definitions, "definitions", "d", nil, "`file` or folder with definitions that count as installed")
	flags.StringVarP(&o.Namespace, "namespace", "n", definition.SystemNamespace, "`namespace` in which the definition would lie")
	flags.StringVar(&o.Only, "only", "", "look at applications of this `namespace` only")
	flags.BoolVar(&o.Offline, "offline", false, "ask no cluster")
	flags.StringVarP(&o.Output, "output", "o", "", "json or yaml")
	return cmd
}

func tell(ctx context.Context, o *Options) error {
	docs, err := source.Read(ctx, o.Factory.IO.In, o.Files...)
	if err != nil {
		return err
	}
	changed, err := impact.Definitions(docs, o.Namespace)
	if err != nil {
		return err
	}
	if len(changed) == 0 {
		return fmt.Errorf("%s: there is no definition in it", strings.Join(o.Files, ", "))
	}
	p, apps, err := o.applications(ctx)
	if err != nil {
		return err
	}
	broken := 0
	for i, d := range changed {
		var report *impact.Report
		text := fmt.Sprintf("rendering %s with %s %s", console.Count(len(apps), "Application"), d.Kind, d.Name)
		err := o.Factory.IO.While(text, func() (err error) {
			report, err = impact.Of(ctx, impact.Options{Preview: p, Apps: apps, Changed: d})
			return err
		})
		if err != nil {
			return err
		}
		if i > 0 && o.Output == "" {
			fmt.Fprintln(o.Factory.IO.Out)
		}
		if err := report.Write(o.Factory.IO, o.Output); err != nil {
			return err
		}
		broken += report.BrokenCount()
	}
	if broken > 0 {
		return fmt.Errorf("%s could not be rendered any more", console.Count(broken, "Application"))
	}
	return nil
}

// applications are those of the files, or of the hub.
func (o *Options) applications(ctx context.Context) (*preview.Preview, []preview.App, error) {
	var docs []source.Document
	var err error
	if len(o.Applications) > 0 {
		if docs, err = source.Read(ctx, o.Factory.IO.In, o.Applications...); err != nil {
			return nil, nil, err
		}
	}
	p, err := preview.New(preview.Options{
		Factory: o.Factory, Documents: docs, DefinitionDirs: o.Definitions, Offline: o.Offline,
	})
	if err != nil {
		return nil, nil, err
	}
	apps := p.Apps
	if len(o.Applications) == 0 {
		if apps, err = impact.Live(ctx, p.Client, o.Only); err != nil {
			return nil, nil, err
		}
	}
	var kept []preview.App
	for _, app := range apps {
		if o.Only == "" || app.Namespace == o.Only {
			kept = append(kept, app)
		}
	}
	return p, kept, nil
}
