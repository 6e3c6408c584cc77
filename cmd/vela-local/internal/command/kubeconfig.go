package command

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/supervisor"
)

func kubeconfig(dir openDir) *cobra.Command {
	return &cobra.Command{
		Use:     "kubeconfig NAME",
		Short:   "Print the path of a cluster's kubeconfig",
		Example: "  export KUBECONFIG=$(vela local kubeconfig hub)",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, st, err := load(dir)
			if err != nil {
				return err
			}
			var names []string
			for _, c := range supervisor.Describe(d, st).Clusters {
				if c.Name == args[0] {
					fmt.Fprintln(cmd.OutOrStdout(), c.Kubeconfig)
					return nil
				}
				names = append(names, c.Name)
			}
			return fmt.Errorf("no cluster %q: there are %s", args[0], strings.Join(names, ", "))
		},
	}
}
