// Package command is the command line of vela-local: start, stop, status,
// logs, kubeconfig and reset for people, and the hidden roles that the
// supervisor and the tests start.
package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/state"
)

// New returns the root command.
func New() *cobra.Command {
	var dataDir string
	cmd := &cobra.Command{
		Use:   "vela-local",
		Short: "Run a hub and member Kubernetes clusters on this machine",
		// People reach it as a subcommand of vela.
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "vela local"},
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	shown := "~/.vela/local"
	cmd.PersistentFlags().StringVar(&dataDir, "data-dir", "", "directory of all data (default "+shown+")")
	dir := func() (state.Dir, error) { return open(dataDir) }
	cmd.AddCommand(start(dir), stop(dir), status(dir), logs(dir), kubeconfig(dir), reset(dir))
	cmd.AddCommand(apiserver(), supervise(dir), cluster(), enter(), kubelet(), kubeProxy())
	return cmd
}

// openDir returns the data directory of this call.
type openDir func() (state.Dir, error)

func open(path string) (state.Dir, error) {
	if path != "" {
		return state.At(path)
	}
	return state.DefaultDir()
}

// load returns the installation's state; one that was never started is an
// error that says how to.
func load(dir openDir) (state.Dir, state.State, error) {
	d, err := dir()
	if err != nil {
		return "", state.State{}, err
	}
	st, err := state.Load(d)
	if err == nil && len(st.Active()) == 0 {
		err = fmt.Errorf("nothing was started in %s yet: use `vela local start`", d)
	}
	return d, st, err
}
