// Package apply is `vela def apply`: definitions from files into a cluster, after
// they were vetted.
package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/def/author"
	"github.com/seed-c5f95f19/vela/references/cli/def/installed"
	"github.com/seed-c5f95f19/vela/references/cli/impact"
)

// Options are the inputs of the command.
type Options struct {
	Factory   *connect.Factory
	Files     []string
	Namespace string
	DryRun    bool
	Force     bool
}

// NewCommand returns `vela def apply`. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = apply
	}
	cmd := &cobra.Command{
		Use:   "apply FILE...",
		Short: "Install definitions in a cluster",
		Long: `Vet definitions and write them to the cluster. With --dry-run the objects are
printed instead, and, when a cluster can be reached, how they differ from what it
has and what that would do to the applications that use them (see vela def impact).

FILE is a file in CUE, YAML or JSON, a folder, a URL, or - for standard input.
Definitions go to the namespace after -n, or that of the object, or that of the
installation, where everybody can use them.`,
		Example: "  vela def apply my-trait.cue --dry-run\n  vela def apply definitions/",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return console.Usagef("name the definitions to apply: vela def apply FILE")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Files = args
			return run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.Namespace, "namespace", "n", "", "`namespace` of the definitions (default that of the installation)")
	flags.BoolVar(&o.DryRun, "dry-run", false, "print the objects and what would change")
	flags.BoolVar(&o.Force, "force", false, "apply what does not pass the check too")
	return cmd
}

func apply(ctx context.Context, o *Options) error {
	defs, err := author.Valid(ctx, o.Factory.IO, o.Factory.Sandbox, o.Files...)
	switch {
	case err != nil && o.Force && len(defs) > 0:
		o.Factory.IO.Warnf("%s", err)
	case err != nil:
		return err
	}
	for _, d := range defs {
		d.Wire.SetNamespace(cmp.Or(o.Namespace, d.Wire.GetNamespace(), o.Factory.SystemNamespace()))
	}
	if o.DryRun {
		return o.dryRun(ctx, defs)
	}
	c, err := o.Factory.Client()
	if err != nil {
		return err
	}
	var errs []error
	for _, d := range defs {
		verb, err := installed.Apply(ctx, c, d.Wire)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", d.File, err))
			continue
		}
		o.Factory.IO.Notef("%s %s in %s", d, verb, d.Wire.GetNamespace())
	}
	return errors.Join(errs...)
}

// dryRun prints the objects on standard output and what they change on standard
// error.
func (o *Options) dryRun(ctx context.Context, defs []author.Definition) error {
	io := o.Factory.IO
	var c client.Reader
	if connected, err := o.Factory.Client(); err != nil {
		io.Notef("Not compared with a cluster: %s", err)
	} else {
		c = connected
	}
	for i, d := range defs {
		content, err := author.Content(d.Wire)
		if err != nil {
			return fmt.Errorf("%s: %w", d.File, err)
		}
		if i > 0 {
			fmt.Fprintln(io.Out, "---")
		}
		if err := author.YAML(io.Out, content); err != nil {
			return err
		}
		if c == nil {
			continue
		}
		if err := o.compare(ctx, c, d); err != nil {
			io.Notef("Not compared with the cluster: %s", err)
			c = nil
		}
	}
	return nil
}

// compare says what applying a definition would do.
func (o *Options) compare(ctx context.Context, c client.Reader, d author.Definition) error {
	io := o.Factory.IO
	live, err := installed.Live(ctx, c, d.Wire)
	if err != nil {
		return err
	}
	if live == nil {
		io.Notef("%s would be created in %s", d, d.Wire.GetNamespace())
		return nil
	}
	diff, err := installed.Difference(live, d.Wire)
	if err != nil {
		return err
	}
	if diff == "" {
		io.Notef("%s in %s would stay as it is", d, d.Wire.GetNamespace())
		return nil
	}
	io.Notef("%s in %s would change:\n%s", d, d.Wire.GetNamespace(), diff)
	return o.impact(ctx, d)
}

// impact says what the change would do to the Applications that there are.
func (o *Options) impact(ctx context.Context, d author.Definition) error {
	streams := o.Factory.IO
	var report *impact.Report
	err := streams.While("rendering what uses "+d.String(), func() (err error) {
		report, err = impact.InCluster(ctx, o.Factory, d.Wire)
		return err
	})
	if err != nil {
		return fmt.Errorf("what it does to applications is not known: %w", err)
	}
	streams.Out = streams.Err // standard output holds only objects
	return report.Write(streams, "")
}
