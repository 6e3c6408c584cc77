package command

import (
	"context"
	"fmt"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	proxyapp "k8s.io/kubernetes/cmd/kube-proxy/app"
	kubeletapp "k8s.io/kubernetes/cmd/kubelet/app"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/child"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/netns"
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

// enter runs a program in a real node's network namespace.
func enter() *cobra.Command {
	return &cobra.Command{
		Use:    "enter NAMESPACE -- PROGRAM [ARG...]",
		Short:  "Replace this process by a program in a network namespace",
		Hidden: true,
		Args:   cobra.MinimumNArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			return netns.Exec(args[0], args[1:])
		},
	}
}

// nodeRole is a Kubernetes component with its own flags, run as it is.
func nodeRole(name string, component func(context.Context) *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:                name,
		Short:              "Run " + name,
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			// They end themselves as they see fit: by the signal's default.
			signal.Reset(syscall.SIGTERM, syscall.SIGINT)
			c := component(cmd.Context())
			c.SetArgs(args)
			if code := cli.Run(c); code != 0 {
				return fmt.Errorf("%s ended with code %d", name, code)
			}
			return nil
		},
	}
}

func kubelet() *cobra.Command { return nodeRole("kubelet", kubeletapp.NewKubeletCommand) }

func kubeProxy() *cobra.Command {
	return nodeRole("kube-proxy", func(context.Context) *cobra.Command { return proxyapp.NewProxyCommand() })
}
