package command

import (
	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/child"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/supervisor"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/testserver"
)

// The roles below are started by programs, not by people.

// apiserver is what pkg/test/env starts.
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

// supervise is what start leaves running.
func supervise(dir openDir) *cobra.Command {
	return &cobra.Command{
		Use:    "supervise",
		Short:  "Run an installation until it is stopped",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := dir()
			if err != nil {
				return err
			}
			s, err := supervisor.New(d)
			if err != nil {
				return err
			}
			return s.Run(cmd.Context())
		},
	}
}

// cluster is one cluster's process.
func cluster() *cobra.Command {
	var spec string
	cmd := &cobra.Command{
		Use:    "cluster",
		Short:  "Run one cluster's control plane",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return child.Run(cmd.Context(), spec)
		},
	}
	cmd.Flags().StringVar(&spec, "spec", "", "the cluster's spec file")
	return cmd
}
