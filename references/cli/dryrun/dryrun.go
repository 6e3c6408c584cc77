// Package dryrun is `vela dry-run`: every object that an Application stands
// for, as YAML, and nothing written anywhere.
package dryrun

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/transform"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/preview"
	"github.com/seed-c5f95f19/vela/references/cli/source"
)

// Options are the inputs of the command.
type Options struct {
	Factory     *connect.Factory
	Files       []string
	Definitions []string
	Namespace   string
	Offline     bool
	Strict      bool
	Gates       transform.Gates
	KubeVersion string
	Output      string
}

// NewCommand returns `vela dry-run`. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = dryRun
	}
	cmd := &cobra.Command{
		Use:   "dry-run -f FILE",
		Short: "Print the objects that an application stands for",
		Long: `Render applications and print every object, without applying anything. Standard
output holds only YAML documents (or, with -o json, one List).

FILE may hold several documents: applications, and the definitions, policies and
workflows that they use. Further definitions come from -d, then from the cluster,
then from this binary.

With --offline no cluster is asked. Then nobody knows which clusters there are:
everything is rendered once for each step of the workflow that delivers it, with
its overrides, for the namespace of the application. What only a cluster or a
stored revision knows (context.cluster, context.revision, the keys of copies) is
empty, and the version of Kubernetes is a recent one or that of --kube-version.`,
		Example: "  vela dry-run -f app.yaml --offline\n  vela dry-run -f app.yaml -d ./definitions -n shop | kubectl diff -f -",
		Args:    console.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(o.Files) == 0 {
				return console.Usagef("name the file to render: vela dry-run -f FILE")
			}
			if err := console.OneOf("output", o.Output, "yaml", "json"); err != nil {
				return err
			}
			if o.KubeVersion != "" && !o.Offline {
				return console.Usagef("--kube-version needs --offline: a cluster that is asked tells its version itself")
			}
			return run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVarP(&o.Files, "file", "f", nil, "`file`, folder, URL or - (may be given several times)")
	flags.StringSliceVarP(&o.Definitions, "definitions", "d", nil, "`file` or folder with definitions, YAML or CUE")
	flags.StringVarP(&o.Namespace, "namespace", "n", "", "`namespace` to render for, also when the file says another")
	flags.BoolVar(&o.Offline, "offline", false, "ask no cluster")
	flags.StringVar(&o.KubeVersion, "kube-version", "", "`version` of Kubernetes to render for with --offline, such as 1.29")
	flags.Var(&o.Gates, "feature-gates", "`gates` of the control plane, such as EnableApplicationScopedPolicies=true,EnableGlobalPolicies=true")
	flags.BoolVar(&o.Strict, "strict", false, "refuse fields and properties that do not exist instead of warning")
	flags.StringVarP(&o.Output, "output", "o", "yaml", "yaml or json")
	return cmd
}

func dryRun(ctx context.Context, o *Options) error {
	docs, err := source.Read(ctx, o.Factory.IO.In, o.Files...)
	if err != nil {
		return err
	}
	p, err := preview.New(preview.Options{
		Factory: o.Factory, Documents: docs, DefinitionDirs: o.Definitions,
		Namespace: o.Namespace, Offline: o.Offline, Strict: o.Strict, KubeVersion: o.KubeVersion, Gates: o.Gates,
	})
	if err != nil {
		return err
	}
	if len(p.Apps) == 0 {
		return fmt.Errorf("%s: there is no Application in it", strings.Join(o.Files, ", "))
	}
	var all []preview.Rendered
	for _, app := range p.Apps {
		b, err := p.Blueprint(ctx, app)
		if err != nil {
			return err
		}
		rendered, notes, err := p.Render(ctx, app, b)
		if err != nil {
			return err
		}
		for _, warning := range append(append(app.Warnings, b.Warnings...), notes...) {
			o.Factory.IO.Warnf("%s", warning)
		}
		all = append(all, rendered...)
	}
	if o.Output == "json" {
		return console.JSON(o.Factory.IO.Out, list(all))
	}
	return o.print(o.Factory.IO.Out, all)
}

// print writes one document for each object, with a comment that says where it
// comes from and where it goes.
func (o *Options) print(w io.Writer, all []preview.Rendered) error {
	for _, r := range all {
		for _, m := range r.Manifests {
			if err := document(w, m, o.origin(r, m)); err != nil {
				return err
			}
		}
		for _, m := range r.Managed {
			if err := document(w, m, o.origin(r, m)+"; not applied: a trait brings it into the cluster itself"); err != nil {
				return err
			}
		}
	}
	return nil
}

func document(w io.Writer, m manifest.Manifest, comment string) error {
	fmt.Fprintf(w, "---\n# %s\n", comment)
	if err := console.YAML(w, m.Object.Object); err != nil {
		return fmt.Errorf("%s: %w", m.Key, err)
	}
	return nil
}

func (o *Options) origin(r preview.Rendered, m manifest.Manifest) string {
	var parts []string
	if r.Step.Name != "" {
		parts = append(parts, "step "+r.Step.Name)
	}
	if !o.Offline {
		parts = append(parts, "cluster "+m.Key.Cluster)
	}
	if m.Policy != "" {
		parts = append(parts, "policy "+m.Policy)
	}
	if m.Component != "" {
		parts = append(parts, "component "+m.Component)
	}
	if m.Trait != "" {
		parts = append(parts, "trait "+m.Trait)
	}
	return strings.Join(parts, ", ")
}

func list(all []preview.Rendered) *unstructured.UnstructuredList {
	out := &unstructured.UnstructuredList{Object: map[string]any{"apiVersion": "v1", "kind": "List"}}
	for _, r := range all {
		for _, m := range r.Manifests {
			out.Items = append(out.Items, *m.Object)
		}
	}
	return out
}
