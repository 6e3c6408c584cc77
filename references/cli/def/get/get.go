// Package get is `vela def get`: a definition of the cluster as its author would
// have written it, and its revisions.
package get

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/def/author"
	"github.com/seed-c5f95f19/vela/references/cli/def/installed"
)

// Options are the inputs of the command.
type Options struct {
	Factory   *connect.Factory
	Name      string
	Type      string
	Namespace string
	Revisions bool
	Revision  string
	Output    string
}

// NewCommand returns `vela def get`. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = get
	}
	cmd := &cobra.Command{
		Use:   "get NAME",
		Short: "Print a definition of the cluster as CUE",
		Long: `Print a definition of the cluster the way its author writes it. With --revisions
its revisions are listed; with --revision one of them is printed.`,
		Example:           "  vela def get scaler -t trait > scaler.cue\n  vela def get scaler --revisions\n  vela def get scaler --revision 2",
		Args:              console.Args("NAME"),
		ValidArgsFunction: installed.Complete(f),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Name = args[0]
			if err := console.OneOf("output", o.Output, "cue", "yaml", "json"); err != nil {
				return err
			}
			if err := installed.CheckType(o.Type); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.Namespace, "namespace", "n", "", "`namespace` of the definition (default that of the installation)")
	flags.StringVarP(&o.Type, "type", "t", "", "`type` of the definition: "+strings.Join(installed.Types(), ", "))
	flags.BoolVar(&o.Revisions, "revisions", false, "list the revisions")
	flags.StringVarP(&o.Revision, "revision", "r", "", "print this `revision`: its number, its version, or its name")
	flags.StringVarP(&o.Output, "output", "o", "cue", "cue, yaml or json")
	return cmd
}

func get(ctx context.Context, o *Options) error {
	c, err := o.Factory.Client()
	if err != nil {
		return err
	}
	obj, err := installed.Get(ctx, c, cmp.Or(o.Namespace, o.Factory.SystemNamespace()), o.Type, o.Name)
	if err != nil {
		return err
	}
	if !o.Revisions && o.Revision == "" {
		return o.print(obj)
	}
	revisions, err := installed.Revisions(ctx, c, obj)
	if err != nil {
		return err
	}
	if o.Revisions {
		return o.list(revisions)
	}
	for i := range revisions {
		if !o.means(&revisions[i]) {
			continue
		}
		d, err := definition.FromRevision(&revisions[i])
		if err != nil {
			return err
		}
		return o.print(d.Object.(client.Object))
	}
	return console.Hint(fmt.Errorf("%s %q has no revision %q", installed.TypeOf(obj), o.Name, o.Revision),
		"see which there are: vela def get "+o.Name+" --revisions")
}

// means reports whether a revision is the one that was asked for.
func (o *Options) means(r *v1beta1.DefinitionRevision) bool {
	asked := strings.TrimPrefix(o.Revision, "v")
	return r.Name == o.Revision || r.Name == o.Name+"-v"+asked || fmt.Sprint(r.Spec.Revision) == asked
}

func (o *Options) list(revisions []v1beta1.DefinitionRevision) error {
	io := o.Factory.IO
	if len(revisions) == 0 {
		io.Notef("%s has no revisions: the control plane makes the first one", o.Name)
		return nil
	}
	table := &console.Table{Header: []string{"NAME", "REVISION", "TYPE", "HASH", "AGE"}}
	for _, r := range revisions {
		table.Add(r.Name, fmt.Sprint(r.Spec.Revision), string(r.Spec.DefinitionType), r.Spec.RevisionHash,
			console.Since(io.Now(), r.CreationTimestamp.Time))
	}
	table.Print(io.Out)
	return nil
}

func (o *Options) print(obj client.Object) error {
	out := o.Factory.IO.Out
	if o.Output == "cue" {
		text, err := definition.FormatCUE(obj)
		if err != nil {
			return console.Hint(err, "see the object itself: vela def get "+o.Name+" -o yaml")
		}
		_, err = fmt.Fprint(out, text)
		return err
	}
	content, err := author.Content(obj)
	if err != nil {
		return err
	}
	if o.Output == "json" {
		return console.JSON(out, content)
	}
	return author.YAML(out, content)
}
