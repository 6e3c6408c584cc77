// Package suspend is `vela workflow suspend`.
package suspend

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/operate"
	"github.com/seed-c5f95f19/vela/references/cli/progress"
)

// Options are the inputs of the command.
type Options struct {
	Factory   *connect.Factory
	Name      string
	Namespace string
	Step      string
}

// NewCommand returns `vela workflow suspend`. Tests pass run to inspect the
// options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = suspend
	}
	cmd := &cobra.Command{
		Use:   "suspend APP",
		Short: "Hold a workflow that runs",
		Long: `Hold the workflow of an application, or one running step of it, until somebody
resumes it. What was delivered stays as it is.`,
		Example:           "  vela workflow suspend shop",
		Args:              console.Args("APP"),
		ValidArgsFunction: f.CompleteApplications,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Name = args[0]
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVarP(&o.Namespace, "namespace", "n", "", "`namespace` of the application")
	cmd.Flags().StringVarP(&o.Step, "step", "s", "", "hold only this `step`")
	return cmd
}

func suspend(ctx context.Context, o *Options) error {
	c, err := o.Factory.Client()
	if err != nil {
		return err
	}
	key := client.ObjectKey{Namespace: cmp.Or(o.Namespace, o.Factory.Namespace()), Name: o.Name}
	app, _, err := operate.Apply(ctx, c, key, func(_ *v1beta1.Application, p workflow.Progress) (workflow.Progress, error) {
		return workflow.Suspend(p, o.Step, o.Factory.IO.Now())
	})
	if err != nil {
		return err
	}
	ref := progress.View{Namespace: o.Factory.Namespace()}.Ref(app)
	o.Factory.IO.Notef("The workflow is held; to go on: vela workflow resume %s", ref)
	return nil
}
