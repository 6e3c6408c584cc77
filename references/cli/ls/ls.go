// Package ls is `vela ls`: the Applications of a namespace or of all, one row
// for each component, from one list request.
package ls

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/progress"
)

// Options are the inputs of the command.
type Options struct {
	Factory       *connect.Factory
	Namespace     string
	AllNamespaces bool
	Selector      string
	Output        string
}

// NewCommand returns `vela ls`. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = list
	}
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List applications",
		Example: "  vela ls\n  vela ls -A -l team=shop",
		Args:    console.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := console.OneOf("output", o.Output, "", "wide", "json", "yaml", "name"); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVarP(&o.Namespace, "namespace", "n", "", "`namespace` to list")
	cmd.Flags().BoolVarP(&o.AllNamespaces, "all-namespaces", "A", false, "list all namespaces")
	cmd.Flags().StringVarP(&o.Selector, "selector", "l", "", "only applications with these `labels`, for example team=shop")
	cmd.Flags().StringVarP(&o.Output, "output", "o", "", "wide, json, yaml or name; json and yaml are the ApplicationList")
	return cmd
}

func list(ctx context.Context, o *Options) error {
	selector, err := labels.Parse(o.Selector)
	if err != nil {
		return console.Usagef("--selector %q: %v", o.Selector, err)
	}
	c, err := o.Factory.Client()
	if err != nil {
		return err
	}
	options := &client.ListOptions{LabelSelector: selector}
	if !o.AllNamespaces {
		options.Namespace = cmp.Or(o.Namespace, o.Factory.Namespace())
	}
	var apps v1beta1.ApplicationList
	if err := c.List(ctx, &apps, options); err != nil {
		return fmt.Errorf("list applications: %w", err)
	}
	slices.SortFunc(apps.Items, func(a, b v1beta1.Application) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return o.print(&apps, options.Namespace)
}

func (o *Options) print(apps *v1beta1.ApplicationList, namespace string) error {
	out := o.Factory.IO.Out
	switch o.Output {
	case "json", "yaml":
		apps.SetGroupVersionKind(v1beta1.GroupVersion.WithKind("ApplicationList"))
		for i := range apps.Items {
			apps.Items[i].SetGroupVersionKind(v1beta1.GroupVersion.WithKind(v1beta1.ApplicationKind))
			apps.Items[i].ManagedFields = nil
		}
		if o.Output == "json" {
			return console.JSON(out, apps)
		}
		return console.YAML(out, apps)
	case "name":
		for _, app := range apps.Items {
			fmt.Fprintln(out, app.Name)
		}
		return nil
	}
	if len(apps.Items) == 0 {
		where := "in namespace " + namespace
		if namespace == "" {
			where = "in any namespace"
		}
		o.Factory.IO.Notef("No applications %s", where)
		return nil
	}
	table := o.table(apps.Items)
	table.Print(out)
	return nil
}

func (o *Options) table(apps []v1beta1.Application) *console.Table {
	table := &console.Table{Header: []string{"APP", "COMPONENT", "TYPE", "PHASE", "HEALTHY", "STATUS", "AGE"}}
	if o.AllNamespaces {
		table.Header = append([]string{"NAMESPACE"}, table.Header...)
	}
	if o.Output == "wide" {
		table.Header = append(table.Header, "TRAITS", "PLACES", "REVISION")
	}
	for i := range apps {
		app := &apps[i]
		if len(app.Spec.Components) == 0 {
			table.Rows = append(table.Rows, o.row(app, v1beta1.ApplicationComponent{}, true))
		}
		for j, component := range app.Spec.Components {
			table.Rows = append(table.Rows, o.row(app, component, j == 0))
		}
	}
	return table
}

// row is one component; what all components of an Application share is only in
// its first row.
func (o *Options) row(app *v1beta1.Application, component v1beta1.ApplicationComponent, first bool) []string {
	style := o.Factory.IO.OutStyle()
	var services []v1beta1.ApplicationComponentStatus
	for _, s := range app.Status.Services {
		if s.Name == component.Name {
			services = append(services, s)
		}
	}
	row := []string{"", component.Name, component.Type, "", healthy(style, services), statusText(services), ""}
	if first {
		row[0], row[3] = app.Name, phase(style, app)
		row[6] = console.Since(o.Factory.IO.Now(), app.CreationTimestamp.Time)
	}
	if o.AllNamespaces {
		namespace := ""
		if first {
			namespace = app.Namespace
		}
		row = append([]string{namespace}, row...)
	}
	if o.Output == "wide" {
		row = append(row, traits(component), places(services), revision(app, first))
	}
	return row
}

func phase(style console.Style, app *v1beta1.Application) string {
	word := string(app.Status.Phase)
	switch progress.Of(app).State {
	case progress.Delivered:
		return style.Good(word)
	case progress.Failed, progress.Unhealthy:
		return style.Bad(word)
	case progress.Deleting:
		return style.Wait(string(v1beta1.ApplicationDeleting))
	default:
		return style.Wait(cmp.Or(word, "new"))
	}
}

// healthy counts the places of a component in which it is.
func healthy(style console.Style, services []v1beta1.ApplicationComponentStatus) string {
	good := 0
	for _, s := range services {
		if s.Healthy {
			good++
		}
	}
	switch {
	case len(services) == 0:
		return "-"
	case good == len(services):
		return style.Good("true")
	case good == 0:
		return style.Bad("false")
	default:
		return style.Bad(fmt.Sprintf("%d/%d", good, len(services)))
	}
}

// statusText is what the places say: the unhealthy ones first, equal messages
// once.
func statusText(services []v1beta1.ApplicationComponentStatus) string {
	var parts []string
	for _, wanted := range []bool{false, true} {
		for _, s := range services {
			text := progress.Explain(s)
			if s.Healthy != wanted || text == "" {
				continue
			}
			if !wanted && len(services) > 1 {
				text = progress.Place(s) + ": " + text
			}
			if !slices.Contains(parts, text) {
				parts = append(parts, text)
			}
		}
		if len(parts) > 0 {
			break
		}
	}
	return strings.Join(parts, "; ")
}

func traits(component v1beta1.ApplicationComponent) string {
	var names []string
	for _, t := range component.Traits {
		names = append(names, t.Type)
	}
	return cmp.Or(strings.Join(names, ","), "-")
}

func places(services []v1beta1.ApplicationComponentStatus) string {
	var names []string
	for _, s := range services {
		names = append(names, progress.Place(s))
	}
	return cmp.Or(strings.Join(names, ","), "-")
}

func revision(app *v1beta1.Application, first bool) string {
	if first && app.Status.LatestRevision != nil {
		return app.Status.LatestRevision.Name
	}
	return ""
}
