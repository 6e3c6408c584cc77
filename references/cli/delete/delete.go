// Package delete is `vela delete`: it shows what goes with an Application,
// asks, and waits until it is gone.
package delete

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/oam"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// Options are the inputs of the command.
type Options struct {
	Factory   *connect.Factory
	Name      string
	Namespace string
	Yes       bool
	Wait      bool
	Timeout   time.Duration
}

// NewCommand returns `vela delete`. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = remove
	}
	cmd := &cobra.Command{
		Use:   "delete APP",
		Short: "Delete an application and what it delivered",
		Long: `Delete an application and what it delivered. The command shows what goes and
what stays; on a terminal it asks first. It waits until all is gone.`,
		Example:           "  vela delete shop\n  vela delete shop -y --wait=false",
		Args:              console.Args("APP"),
		ValidArgsFunction: f.CompleteApplications,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Name = args[0]
			return run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.Namespace, "namespace", "n", "", "`namespace` of the application")
	flags.BoolVarP(&o.Yes, "yes", "y", false, "do not ask")
	flags.BoolVarP(&o.Wait, "wait", "w", true, "wait until it is gone")
	flags.DurationVar(&o.Timeout, "timeout", 5*time.Minute, "how long to wait")
	return cmd
}

func remove(ctx context.Context, o *Options) error {
	io := o.Factory.IO
	c, err := o.Factory.Client()
	if err != nil {
		return err
	}
	app, err := connect.Application(ctx, c, cmp.Or(o.Namespace, o.Factory.Namespace()), o.Name)
	if err != nil {
		return err
	}
	owned, err := connect.Owned(ctx, c, app)
	if err != nil {
		return err
	}
	o.show(app, owned)
	if io.InTerminal && !o.Yes {
		yes, err := io.Confirm("Delete?")
		if err != nil {
			return err
		}
		if !yes {
			io.Notef("Nothing was deleted")
			return nil
		}
	}
	// Only the Application that was shown: one of the same name that is made
	// meanwhile is another.
	err = c.Delete(ctx, app, client.Preconditions{UID: &app.UID})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete application %s/%s: %w", app.Namespace, app.Name, err)
	}
	if !o.Wait {
		return nil
	}
	return o.wait(ctx, c, app)
}

// show lists what goes and what stays, by cluster.
func (o *Options) show(app *v1beta1.Application, owned []v1beta1.ManagedResource) {
	io := o.Factory.IO
	goes, stays := &console.Table{Indent: "  "}, &console.Table{Indent: "  "}
	for _, r := range owned {
		table := goes
		if r.SkipGC {
			table = stays
		}
		object := r.Name
		if r.Namespace != "" {
			object = r.Namespace + "/" + r.Name
		}
		table.Add(cmp.Or(r.Cluster, oam.LocalCluster), r.Kind, object, r.Component)
	}
	if len(goes.Rows) == 0 {
		io.Notef("Application %s/%s goes; it owns nothing else", app.Namespace, app.Name)
	} else {
		io.Notef("Application %s/%s goes, and with it %s:", app.Namespace, app.Name, console.Count(len(goes.Rows), "object"))
		goes.Print(io.Err)
	}
	if len(stays.Rows) > 0 {
		io.Notef("What stays, as its policies say: %s:", console.Count(len(stays.Rows), "object"))
		stays.Print(io.Err)
	}
}

// wait follows the Application until it is gone.
func (o *Options) wait(ctx context.Context, c client.WithWatch, app *v1beta1.Application) error {
	io := o.Factory.IO
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	live := console.NewLive(io)
	why := ""
	err := connect.Follow(ctx, c, client.ObjectKeyFromObject(app), func(now *v1beta1.Application) (bool, error) {
		if now == nil || now.UID != app.UID {
			return true, nil
		}
		if condition := v1beta1.FindCondition(now.Status.Conditions, v1beta1.ConditionDeleting); condition != nil {
			why = condition.Message
		}
		live.Update([]console.Line{{Key: "delete", Text: "deleting " + app.Name + remaining(why)}})
		return false, nil
	})
	live.Done(true)
	switch {
	case err == nil:
		io.Notef("Application %s/%s is deleted", app.Namespace, app.Name)
		return nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return console.Hint(fmt.Errorf("application %s/%s is not gone after %s%s", app.Namespace, app.Name, console.Age(o.Timeout), remaining(why)),
			"the deletion goes on; see what it waits for: vela status "+app.Name+" -n "+app.Namespace)
	default:
		return err
	}
}

func remaining(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}
