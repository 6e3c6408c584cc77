// Package restart is `vela workflow restart`: the whole workflow anew, or from
// a step that failed.
package restart

import (
	"cmp"
	"context"
	"fmt"
	"maps"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
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

// NewCommand returns `vela workflow restart`. Tests pass run to inspect the
// options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = restart
	}
	cmd := &cobra.Command{
		Use:   "restart APP",
		Short: "Begin a workflow anew, or from a step that failed",
		Long: `Begin the workflow of an application anew. With --step only that step, which
must have failed, and everything after it run again.`,
		Example:           "  vela workflow restart shop\n  vela workflow restart shop --step to-production",
		Args:              console.Args("APP"),
		ValidArgsFunction: f.CompleteApplications,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Name = args[0]
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVarP(&o.Namespace, "namespace", "n", "", "`namespace` of the application")
	cmd.Flags().StringVarP(&o.Step, "step", "s", "", "begin with this `step`, which has failed")
	return cmd
}

func restart(ctx context.Context, o *Options) error {
	c, err := o.Factory.Client()
	if err != nil {
		return err
	}
	key := client.ObjectKey{Namespace: cmp.Or(o.Namespace, o.Factory.Namespace()), Name: o.Name}
	app, _, err := operate.Apply(ctx, c, key, func(app *v1beta1.Application, p workflow.Progress) (workflow.Progress, error) {
		if o.Step == "" {
			return workflow.Restart(p), nil
		}
		return o.from(ctx, c, app, p)
	})
	if err != nil {
		return err
	}
	ref := progress.View{Namespace: o.Factory.Namespace()}.Ref(app)
	o.Factory.IO.Notef("The workflow begins anew; see how it goes: vela status %s", ref)
	return nil
}

// from restarts at a step: the values that it and later steps gave are
// forgotten before the progress is.
func (o *Options) from(ctx context.Context, c client.Client, app *v1beta1.Application, p workflow.Progress) (workflow.Progress, error) {
	draft, err := blueprint.Parse(ctx, app, blueprint.FromCluster(c))
	if err != nil {
		return p, err
	}
	stored := &corev1.ConfigMap{}
	err = c.Get(ctx, client.ObjectKey{Namespace: app.Namespace, Name: "workflow-" + app.Name + "-context"}, stored)
	if err != nil && !apierrors.IsNotFound(err) {
		return p, fmt.Errorf("read the values of the workflow: %w", err)
	}
	if p.Vars, err = workflow.DecodeVars(stored.Data, nil); err != nil {
		return p, err
	}
	next, err := workflow.RestartFrom(delivery.Workflow(&blueprint.Blueprint{Draft: draft}), p, o.Step, o.Factory.IO.Now())
	if err != nil {
		return p, err
	}
	data, err := next.Vars.Encode()
	if err != nil {
		return p, err
	}
	if stored.Name != "" && !maps.Equal(data, stored.Data) {
		stored.Data = data
		if err := c.Update(ctx, stored); err != nil {
			return p, err // a conflict is tried again from the beginning
		}
	}
	return next, nil
}
