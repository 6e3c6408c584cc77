// Command vela-local is an embedded Kubernetes: a hub and member clusters with
// real API servers, controllers and schedulers in one binary, for trying vela
// and for testing it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/testserver"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := root().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "vela-local:", err)
		os.Exit(1)
	}
}

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "vela-local",
		Short:         "Run a hub and member Kubernetes clusters on this machine",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.AddCommand(apiserver())
	return cmd
}

// apiserver is the role that pkg/test/env starts.
func apiserver() *cobra.Command {
	var o testserver.Options
	var detached bool
	cmd := &cobra.Command{
		Use:    "apiserver",
		Short:  "Run one throw-away API server with its own store, for tests",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !detached {
				o.Parent = cmd.InOrStdin()
			}
			o.Out = cmd.OutOrStdout()
			return testserver.Run(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.Dir, "dir", "", "keep state here (default a temporary directory, removed at the end)")
	cmd.Flags().BoolVar(&o.Controllers, "controllers", false, "run the controller manager too")
	cmd.Flags().BoolVar(&detached, "detached", false, "do not end when standard input does")
	return cmd
}
