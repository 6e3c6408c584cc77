// Package up is `vela up`: it applies what the user wrote and follows the
// delivery until it is done, failed, or waits for a person.
package up

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/source"
)

// What --wait-for accepts.
const (
	waitSuspended = "suspended"
	waitHealthy   = "healthy"
)

// Options are the inputs of the command.
type Options struct {
	Factory        *connect.Factory
	Files          []string
	Namespace      string
	PublishVersion string
	Strict         bool
	Wait           bool
	WaitFor        string
	Timeout        time.Duration

	docs []source.Document // what Files hold
}

// NewCommand returns `vela up`. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = up
	}
	cmd := &cobra.Command{
		Use:   "up -f FILE",
		Short: "Deliver an application, or the change of one",
		Long: `Deliver applications, or changes of them, and wait until they are delivered.

FILE is a file, a folder, an http(s) URL, or - for standard input, with one or
several YAML documents: definitions (also as .cue), policies, workflows and
applications are applied in this order.

By default the command ends as soon as a workflow waits for a person, with exit
code 0; --wait-for healthy waits through approvals. It ends with exit code 1
when a delivery fails or the time is over; the control plane then goes on.`,
		Example: "  vela up -f app.yaml\n  vela up -f ./deploy --wait-for healthy --timeout 10m\n  kustomize build | vela up -f - --wait=false",
		Args:    console.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVarP(&o.Files, "file", "f", nil, "`file`, folder, URL or - (may be given several times)")
	flags.StringVarP(&o.Namespace, "namespace", "n", "", "`namespace` to deliver to, also when the file says another")
	flags.StringVar(&o.PublishVersion, "publish-version", "", "publish as this `version`; the workflow runs again when it is new")
	flags.BoolVar(&o.Strict, "strict", false, "refuse fields and properties that do not exist instead of warning")
	flags.BoolVarP(&o.Wait, "wait", "w", true, "wait for the delivery")
	flags.StringVar(&o.WaitFor, "wait-for", waitSuspended, "`state` to wait for: healthy, all is delivered; suspended, also when a workflow waits for a person")
	flags.DurationVar(&o.Timeout, "timeout", 5*time.Minute, "how long to wait")
	return cmd
}

func (o *Options) check() error {
	if len(o.Files) == 0 {
		return console.Usagef("name the file to deliver: vela up -f FILE")
	}
	return console.OneOf("wait-for", o.WaitFor, waitSuspended, waitHealthy)
}

func up(ctx context.Context, o *Options) error {
	var err error
	if o.docs, err = source.Read(ctx, o.Factory.IO.In, o.Files...); err != nil {
		return err
	}
	objects, err := o.prepare(o.docs)
	if err != nil {
		return err
	}
	if err := o.verify(ctx); err != nil {
		return err
	}
	c, err := o.client(objects)
	if err != nil {
		return err
	}
	var apps []*delivery
	for _, object := range objects {
		applied, err := o.apply(ctx, c, object)
		if err != nil {
			return err
		}
		if applied != nil {
			apps = append(apps, applied)
		}
	}
	if !o.Wait {
		o.tellNext(apps)
		return nil
	}
	return o.follow(ctx, c, apps)
}
