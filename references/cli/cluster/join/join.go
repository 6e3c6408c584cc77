// Package join is `vela cluster join`.
package join

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// Options are the inputs of the command.
type Options struct {
	Factory *connect.Factory
	cluster.JoinOptions
}

// NewCommand returns `vela cluster join`. Tests pass run to inspect the
// options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = join
	}
	cmd := &cobra.Command{
		Use:   "join KUBECONFIG",
		Short: "Add a cluster, as its kubeconfig describes it",
		Long: `Add a cluster to those that applications are delivered to. The cluster is asked
whether it is there; then its address and credential are stored in the hub, in a
Secret of the format of cluster-gateway. A kubeconfig that gets its credential
from another program is refused: the control plane could not run that program.`,
		Example: "  vela cluster join member.kubeconfig --name production --labels region=eu",
		Args:    console.Args("KUBECONFIG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Kubeconfig = args[0]
			return run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Name, "name", "", "`name` of the cluster (default the one in the kubeconfig)")
	flags.StringVar(&o.JoinOptions.Context, "member-context", "", "`context` of KUBECONFIG to use (default its current one)")
	flags.StringVar(&o.Alias, "alias", "", "`name` that people see")
	flags.StringToStringVar(&o.Labels, "labels", nil, "`labels` that topologies select by, for example region=eu")
	return cmd
}

func join(ctx context.Context, o *Options) error {
	if o.Name == "" {
		name, err := named(o.Kubeconfig, o.JoinOptions.Context)
		if err != nil {
			return err
		}
		o.Name = name
	}
	clusters, err := o.Factory.Clusters()
	if err != nil {
		return err
	}
	var info cluster.Info
	err = o.Factory.IO.While("asking the cluster", func() (err error) {
		info, err = clusters.Join(ctx, o.JoinOptions)
		return err
	})
	if err != nil {
		return err
	}
	o.Factory.IO.Notef("Cluster %s joined: %s, Kubernetes %s", info.Name, info.Endpoint, info.Version.GitVersion)
	return nil
}

// named is what the kubeconfig calls the cluster of the context.
func named(path, context string) (string, error) {
	config, err := clientcmd.LoadFromFile(path)
	if err != nil {
		return "", fault.Invalid(cluster.ReasonKubeconfig, err, fault.In(path, 0))
	}
	if c := config.Contexts[cmp.Or(context, config.CurrentContext)]; c != nil && c.Cluster != "" {
		return c.Cluster, nil
	}
	return "", console.Usagef("%s does not name a cluster: choose a name with --name", path)
}
