package connect

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
)

// CompleteApplications completes the first argument with the names of the
// Applications in the namespace. A cluster that does not answer completes
// nothing.
func (f *Factory) CompleteApplications(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	const silent = cobra.ShellCompDirectiveNoFileComp
	if len(args) > 0 {
		return nil, silent
	}
	c, err := f.Client()
	if err != nil {
		return nil, silent
	}
	namespace := f.Namespace()
	if flag := cmd.Flag("namespace"); flag != nil && flag.Value.String() != "" {
		namespace = flag.Value.String()
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), 2*time.Second)
	defer cancel()
	var apps v1beta1.ApplicationList
	if err := c.List(ctx, &apps, client.InNamespace(namespace)); err != nil {
		return nil, silent
	}
	var names []string
	for _, app := range apps.Items {
		names = append(names, app.Name)
	}
	return names, silent
}
