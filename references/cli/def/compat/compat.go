// Package compat is `vela def compatibility-check`: which definitions of the
// cluster are written for earlier versions of CUE, and which applications use
// them.
package compat

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/def/installed"
)

// Options are the inputs of the command.
type Options struct {
	Factory       *connect.Factory
	What          string // definitions or applications
	Namespace     string
	AllNamespaces bool
}

// NewCommand returns `vela def compatibility-check`. Tests pass run to inspect
// the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = check
	}
	cmd := &cobra.Command{
		Use:     "compatibility-check definitions|applications",
		Aliases: []string{"compat"},
		Short:   "Find definitions of the cluster that are written in older CUE",
		Long: `List the definitions of the cluster that are written for an earlier version of
CUE, or the applications that use one. They work: what was dropped is rewritten
when a definition is loaded. The exit code is 1 when there are any. A definition
is brought up to date with vela def get, upgrade and apply.`,
		Example: "  vela def compatibility-check definitions\n  vela def compat applications -A",
		Args:    console.Args("definitions|applications"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.What = args[0]
			if !slices.Contains([]string{"definitions", "applications"}, o.What) {
				return console.Usagef("check definitions or applications, not %q", o.What)
			}
			return run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.Namespace, "namespace", "n", "", "`namespace` of the definitions (default that of the installation)")
	flags.BoolVarP(&o.AllNamespaces, "all-namespaces", "A", false, "check all namespaces")
	return cmd
}

func check(ctx context.Context, o *Options) error {
	c, err := o.Factory.Client()
	if err != nil {
		return err
	}
	namespace := cmp.Or(o.Namespace, o.Factory.SystemNamespace())
	if o.AllNamespaces {
		namespace = ""
	}
	objs, err := installed.List(ctx, c, namespace, "")
	if err != nil {
		return err
	}
	old := map[client.Object][]definition.Outdated{}
	for _, obj := range objs {
		found, err := definition.UpgradeObject(obj.DeepCopyObject())
		if err != nil {
			o.Factory.IO.Warnf("%s %s/%s: %s", installed.TypeOf(obj), obj.GetNamespace(), obj.GetName(), err)
		}
		if len(found) > 0 {
			old[obj] = found
		}
	}
	if o.What == "applications" {
		return o.applications(ctx, c, objs, old)
	}
	table := &console.Table{Header: []string{"NAMESPACE", "TYPE", "NAME", "OUTDATED"}}
	for _, obj := range objs { // in their order
		for i, f := range old[obj] {
			row := []string{obj.GetNamespace(), installed.TypeOf(obj), obj.GetName(), f.String()}
			if i > 0 {
				row[0], row[1], row[2] = "", "", ""
			}
			table.Add(row...)
		}
	}
	return o.end(table, len(old), len(objs), "definition")
}

// applications lists who uses what is outdated.
func (o *Options) applications(ctx context.Context, c client.Reader, objs []client.Object, old map[client.Object][]definition.Outdated) error {
	uses := map[string][]string{}
	for _, obj := range objs {
		if len(old[obj]) == 0 {
			continue
		}
		users, err := installed.Users(ctx, c, obj, o.Factory.SystemNamespace())
		if err != nil {
			return err
		}
		for _, u := range users {
			uses[u] = append(uses[u], installed.TypeOf(obj)+" "+obj.GetName())
		}
	}
	table := &console.Table{Header: []string{"NAMESPACE", "APP", "USES"}}
	for _, app := range slices.Sorted(maps.Keys(uses)) {
		namespace, name, _ := strings.Cut(app, "/")
		table.Add(namespace, name, strings.Join(uses[app], ", "))
	}
	return o.end(table, len(uses), len(uses), "application")
}

func (o *Options) end(table *console.Table, old, all int, noun string) error {
	io := o.Factory.IO
	if old == 0 {
		io.Notef("Nothing is outdated")
		return nil
	}
	table.Print(io.Out)
	if noun == "application" {
		return fmt.Errorf("%s with outdated definitions", console.Count(old, noun))
	}
	return console.Hint(fmt.Errorf("%d of %s outdated", old, console.Count(all, noun)),
		"bring one up to date: vela def get NAME | vela def upgrade - | vela def apply -")
}
