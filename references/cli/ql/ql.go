// Package ql is `vela ql`: ask a view what is delivered and what runs of it, and
// `vela ql apply`: store a view.
package ql

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/delivery"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inspect"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/velaql"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// Options are the inputs of the command.
type Options struct {
	Factory *connect.Factory
	Query   string
	File    string
	Output  string
}

// NewCommand returns `vela ql`. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = ask
	}
	cmd := &cobra.Command{
		Use:   "ql [QUERY]",
		Short: "Ask a view what is delivered and what runs of it",
		Long: `Ask a view. A query names a view, its parameters and the field that is wanted,
status when it names none. Views are stored in the cluster; with --file one is
read from a file instead, and a query only gives it parameters.

These come with vela: application-resource-tree-view, application-revision-view,
component-pod-view, component-service-view, service-applied-resources-view and
service-endpoints-view.`,
		Example: "  vela ql 'component-pod-view{appName=shop,appNs=default}'\n" +
			"  vela ql 'service-endpoints-view{appName=shop,appNs=default}.status.endpoints' -o yaml\n" +
			"  vela ql --file my-view.cue --query 'my-view{name=shop}'",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return console.Usagef("vela ql takes one query, got %q too: put it in quotes", args[1])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && o.Query != "" {
				return console.Usagef("give the query once: as an argument or as --query")
			}
			o.Query = cmp.Or(o.Query, strings.Join(args, ""))
			if o.Query == "" && o.File == "" {
				return console.Usagef("vela ql needs a query, for example 'component-pod-view{appName=shop,appNs=default}'")
			}
			if err := console.OneOf("output", o.Output, "json", "yaml"); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVarP(&o.Query, "query", "q", "", "the `query`")
	cmd.Flags().StringVarP(&o.File, "file", "f", "", "`file` with a view, - for standard input")
	cmd.Flags().StringVarP(&o.Output, "output", "o", "json", "json or yaml")
	cmd.AddCommand(newApply(f, nil))
	return cmd
}

func ask(ctx context.Context, o *Options) error {
	q, err := velaql.Parse(cmp.Or(o.Query, nameOf(o.File)))
	if err != nil {
		return console.Usagef("%w", err)
	}
	c, err := o.Factory.AnyClient()
	if err != nil {
		return err
	}
	text := ""
	if o.File != "" {
		text, err = read(o.Factory.IO.In, o.File)
	} else {
		text, err = velaql.Load(ctx, c, o.Factory.SystemNamespace(), q.View)
	}
	if err != nil {
		return err
	}
	answer, err := engine(o.Factory, c).Query(ctx, text, q)
	if err != nil {
		return err
	}
	if o.Output == "yaml" {
		return console.YAML(o.Factory.IO.Out, answer)
	}
	return console.JSON(o.Factory.IO.Out, answer)
}

// engine evaluates views that read as the user of the command.
func engine(f *connect.Factory, c client.Client) velaql.Engine {
	clusters := lazy{sync.OnceValues(f.Clusters)}
	d := &delivery.Delivery{Clusters: clusters}
	world := inspect.World{
		Clusters: clusters, Ledger: inventory.NewTracker(c),
		Application: func(ctx context.Context, namespace, name string) (*v1beta1.Application, error) {
			app := &v1beta1.Application{}
			return app, c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, app)
		},
	}
	return velaql.Engine{
		Engine:  cue.NewEngine(cue.Options{Packages: all.WorkflowSchemas(), Sandbox: f.Sandbox}),
		Actions: all.Workflow(all.Deps{World: world, Reader: d.Reader("", true)}),
	}
}

// lazy connects to the clusters when one is asked for.
type lazy struct {
	all func() (*cluster.Registry, error)
}

// Get implements delivery.Clusters.
func (l lazy) Get(ctx context.Context, name string) (*cluster.Cluster, error) {
	r, err := l.all()
	if err != nil {
		return nil, err
	}
	return r.Get(ctx, name)
}

// List implements delivery.Clusters.
func (l lazy) List(ctx context.Context) ([]cluster.Info, error) {
	r, err := l.all()
	if err != nil {
		return nil, err
	}
	return r.List(ctx)
}

// read returns the text of a view.
func read(in io.Reader, file string) (string, error) {
	if file == "-" {
		b, err := io.ReadAll(in)
		return string(b), err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the view: %w", err)
	}
	return string(b), nil
}

// nameOf is what a view in a file is called.
func nameOf(file string) string {
	if file == "-" {
		return "view"
	}
	base := filepath.Base(file)
	return strings.TrimSuffix(base, filepath.Ext(base))
}
