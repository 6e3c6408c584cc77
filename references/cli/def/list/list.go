// Package list is `vela def list`: the definitions of a cluster, or those that
// come with this binary.
package list

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	Factory       *connect.Factory
	Type          string
	Namespace     string
	AllNamespaces bool
	From          string
	Builtin       bool
	Output        string
}

// NewCommand returns `vela def list`. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = list
	}
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List definitions",
		Long: `List the definitions of the cluster. With --builtin those are listed that come
with this binary, without any cluster.`,
		Example: "  vela def list -t trait\n  vela def list --from observability\n  vela def list --builtin -o wide",
		Args:    console.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := console.OneOf("output", o.Output, "", "wide", "json", "yaml", "name"); err != nil {
				return err
			}
			if err := installed.CheckType(o.Type); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.Namespace, "namespace", "n", "", "`namespace` of the definitions (default that of the installation)")
	flags.BoolVarP(&o.AllNamespaces, "all-namespaces", "A", false, "list all namespaces")
	flags.StringVarP(&o.Type, "type", "t", "", "only this `type`: "+strings.Join(installed.Types(), ", "))
	flags.StringVar(&o.From, "from", "", "only those that this `addon` has installed")
	flags.BoolVar(&o.Builtin, "builtin", false, "list what comes with this binary")
	flags.StringVarP(&o.Output, "output", "o", "", "wide, json, yaml or name")
	return cmd
}

func list(ctx context.Context, o *Options) error {
	objs, err := o.read(ctx)
	if err != nil {
		return err
	}
	if o.From != "" {
		objs = slices.DeleteFunc(objs, func(obj client.Object) bool { return addonOf(obj) != o.From })
	}
	io := o.Factory.IO
	switch o.Output {
	case "json", "yaml":
		return o.encode(objs)
	case "name":
		table := &console.Table{}
		for _, obj := range objs {
			table.Add(obj.GetName())
		}
		table.Print(io.Out)
		return nil
	}
	if len(objs) == 0 {
		io.Notef("No definitions found")
		return nil
	}
	o.table(objs).Print(io.Out)
	return nil
}

func (o *Options) read(ctx context.Context) ([]client.Object, error) {
	if o.Builtin {
		objs := slices.DeleteFunc(definition.BuiltinObjects(), func(obj client.Object) bool {
			return o.Type != "" && installed.TypeOf(obj) != o.Type
		})
		slices.SortStableFunc(objs, func(a, b client.Object) int {
			return cmp.Or(cmp.Compare(slices.Index(installed.Types(), installed.TypeOf(a)), slices.Index(installed.Types(), installed.TypeOf(b))),
				cmp.Compare(a.GetName(), b.GetName()))
		})
		return objs, nil
	}
	c, err := o.Factory.Client()
	if err != nil {
		return nil, err
	}
	namespace := cmp.Or(o.Namespace, o.Factory.SystemNamespace())
	if o.AllNamespaces {
		namespace = ""
	}
	return installed.List(ctx, c, namespace, o.Type)
}

// addonOf is the addon whose Application owns a definition.
func addonOf(obj client.Object) string {
	i := slices.IndexFunc(obj.GetOwnerReferences(), func(r metav1.OwnerReference) bool {
		return r.Kind == v1beta1.ApplicationKind && strings.HasPrefix(r.Name, "addon-")
	})
	if i < 0 {
		return ""
	}
	return strings.TrimPrefix(obj.GetOwnerReferences()[i].Name, "addon-")
}

// Annotations that people read.
const (
	aliasKey       = "definition.oam.dev/alias"
	descriptionKey = "definition.oam.dev/description"
	deprecatedKey  = "custom.definition.oam.dev/deprecated"
)

func (o *Options) table(objs []client.Object) *console.Table {
	table := &console.Table{Header: []string{"NAME", "TYPE", "NAMESPACE", "SOURCE-ADDON", "ALIAS", "DESCRIPTION"}}
	if o.Output == "wide" {
		table.Header = append(table.Header, "REVISION")
	}
	for _, obj := range objs {
		notes := obj.GetAnnotations()
		description := notes[descriptionKey]
		if obj.GetLabels()[deprecatedKey] == "true" {
			description = "(deprecated) " + description
		}
		row := []string{
			obj.GetName(), installed.TypeOf(obj), cmp.Or(obj.GetNamespace(), "-"), cmp.Or(addonOf(obj), "-"),
			cmp.Or(notes[aliasKey], "-"), cmp.Or(description, "-"),
		}
		if o.Output == "wide" {
			row = append(row, cmp.Or(revisionOf(obj), "-"))
		}
		table.Add(row...)
	}
	return table
}

func revisionOf(obj client.Object) string {
	var latest *v1beta1.Revision
	switch d := obj.(type) {
	case *v1beta1.ComponentDefinition:
		latest = d.Status.LatestRevision
	case *v1beta1.TraitDefinition:
		latest = d.Status.LatestRevision
	case *v1beta1.PolicyDefinition:
		latest = d.Status.LatestRevision
	case *v1beta1.WorkflowStepDefinition:
		latest = d.Status.LatestRevision
	}
	if latest == nil {
		return ""
	}
	return latest.Name
}

func (o *Options) encode(objs []client.Object) error {
	items := make([]any, 0, len(objs))
	for _, obj := range objs {
		gvks, _, err := connect.Scheme().ObjectKinds(obj)
		if err != nil {
			return err
		}
		obj.GetObjectKind().SetGroupVersionKind(gvks[0])
		content, err := author.Content(obj)
		if err != nil {
			return err
		}
		items = append(items, content)
	}
	all := map[string]any{"apiVersion": "v1", "kind": "List", "items": items}
	if o.Output == "json" {
		return console.JSON(o.Factory.IO.Out, all)
	}
	return author.YAML(o.Factory.IO.Out, all)
}
