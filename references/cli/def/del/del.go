// Package del is `vela def del`: a definition out of the cluster, after it was
// said who uses it.
package del

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/def/installed"
)

// Options are the inputs of the command.
type Options struct {
	Factory   *connect.Factory
	Name      string
	Type      string
	Namespace string
	Yes       bool
}

// NewCommand returns `vela def del`. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = remove
	}
	cmd := &cobra.Command{
		Use:     "del NAME",
		Aliases: []string{"delete"},
		Short:   "Delete a definition from the cluster",
		Long: `Delete a definition from the cluster. The command says which applications use
it, and asks. Applications that are delivered keep running as they are: they
remember the definition that they were delivered with, but cannot be changed
until there is one again.`,
		Example:           "  vela def del my-trait\n  vela def del my-trait -t trait -y",
		Args:              console.Args("NAME"),
		ValidArgsFunction: installed.Complete(f),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Name = args[0]
			if err := installed.CheckType(o.Type); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.Namespace, "namespace", "n", "", "`namespace` of the definition (default that of the installation)")
	flags.StringVarP(&o.Type, "type", "t", "", "`type` of the definition: "+strings.Join(installed.Types(), ", "))
	flags.BoolVarP(&o.Yes, "yes", "y", false, "do not ask")
	return cmd
}

// shown is how many Applications are named.
const shown = 10

func remove(ctx context.Context, o *Options) error {
	io := o.Factory.IO
	c, err := o.Factory.Client()
	if err != nil {
		return err
	}
	obj, err := installed.Get(ctx, c, cmp.Or(o.Namespace, o.Factory.SystemNamespace()), o.Type, o.Name)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%s %s/%s", installed.TypeOf(obj), obj.GetNamespace(), obj.GetName())
	users, err := installed.Users(ctx, c, obj, o.Factory.SystemNamespace())
	if err != nil {
		return err
	}
	if len(users) > 0 {
		rest := ""
		if len(users) > shown {
			rest = fmt.Sprintf(" and %d more", len(users)-shown)
		}
		io.Warnf("%s is used by %s: %s%s", what, console.Count(len(users), "application"),
			strings.Join(users[:min(shown, len(users))], ", "), rest)
	}
	if !o.Yes && !io.InTerminal && len(users) > 0 {
		return console.Hint(fmt.Errorf("%s is in use and was not deleted", what), "delete it all the same: add --yes")
	}
	if !o.Yes && io.InTerminal {
		yes, err := io.Confirm("Delete " + what + "?")
		if err != nil {
			return err
		}
		if !yes {
			io.Notef("Nothing was deleted")
			return nil
		}
	}
	uid := obj.GetUID()
	err = c.Delete(ctx, obj, client.Preconditions{UID: &uid}) // only the one that was shown
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete %s: %w", what, err)
	}
	io.Notef("%s is deleted", what)
	return nil
}
