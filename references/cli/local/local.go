// Package local is `vela local`: the embedded Kubernetes clusters for trying
// vela on one machine. The clusters are another binary, vela-local, because
// they link all of Kubernetes; this package finds it and hands the command
// line over.
package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

const (
	binary   = "vela-local"
	variable = "VELA_LOCAL"
	// patience is how long an interrupted vela-local may take to end.
	patience = 10 * time.Second
)

// Options are the inputs of the command.
type Options struct {
	Factory *connect.Factory
	// Args is the command line for vela-local.
	Args []string
	// Self is the path of the running executable.
	Self func() (string, error)
}

// commands lists what vela-local offers people, for the help. Flags are its
// own business.
func commands() []cobra.Command {
	return []cobra.Command{
		{
			Use:   "start",
			Short: "Start a hub, its members and the control plane",
			Example: `  vela local start
  vela local start --members staging,production --nodes simulated`,
		},
		{Use: "stop", Short: "Stop everything; the data stays"},
		{Use: "status", Short: "Show clusters and processes", Example: "  vela local status -o json"},
		{Use: "logs [NAME]", Short: "Print a process's log, or the names of all"},
		{
			Use: "kubeconfig NAME", Short: "Print the path of a cluster's kubeconfig",
			Example: "  export KUBECONFIG=$(vela local kubeconfig hub)",
		},
		{Use: "reset", Short: "Stop everything and delete all data"},
	}
}

// NewCommand returns `vela local`. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	if run == nil {
		run = execute
	}
	var members []*cobra.Command
	for _, c := range commands() {
		c.DisableFlagParsing = true // vela-local knows its flags, --help too
		c.RunE = func(cmd *cobra.Command, args []string) error {
			return run(cmd.Context(), &Options{
				Factory: f, Self: os.Executable,
				Args: append([]string{cmd.Name()}, args...),
			})
		}
		members = append(members, &c)
	}
	return console.Group(&cobra.Command{
		Use:   "local",
		Short: "Run Kubernetes clusters on this machine to try vela on",
	}, members...)
}

// execute runs vela-local with the streams of this command. What it prints on
// standard error is its error, which becomes ours.
func execute(ctx context.Context, o *Options) error {
	path, err := find(o)
	if err != nil {
		return err
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, path, o.Args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = o.Factory.IO.In, o.Factory.IO.Out, &stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = patience
	err = cmd.Run()
	said := strings.TrimPrefix(strings.TrimSpace(stderr.String()), "error: ")
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &exit) && said != "":
		return errors.New(said)
	case err != nil:
		return fmt.Errorf("run %s: %w", path, err)
	case said != "":
		o.Factory.IO.Notef("%s", said)
	}
	return nil
}

// find returns the path of vela-local: beside this executable, where the
// variable says, or in the PATH.
func find(o *Options) (string, error) {
	if self, err := o.Self(); err == nil {
		beside := filepath.Join(filepath.Dir(self), binary)
		if _, err := os.Stat(beside); err == nil {
			return beside, nil
		}
	}
	if path := o.Factory.Getenv(variable); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%s points to %s, which is not there", variable, path)
		}
		return path, nil
	}
	if path, err := exec.LookPath(binary); err == nil {
		return path, nil
	}
	return "", console.Hint(
		fmt.Errorf("%s is not installed: it is neither beside this program, nor named by %s, nor in the PATH", binary, variable),
		"build it in the repository: make build",
		"or alone: go build -C cmd/vela-local -ldflags '-s -w' -o $PWD/bin/vela-local .",
	)
}
