package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/control"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/state"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/supervisor"
)

func status(dir openDir) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show clusters and processes",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := dir()
			if err != nil {
				return err
			}
			st, err := inspect(cmd.Context(), d)
			if err != nil {
				return err
			}
			switch output {
			case "json":
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetIndent("", "  ")
				return enc.Encode(st)
			case "":
				return show(cmd.OutOrStdout(), st)
			}
			return fmt.Errorf("--output: want json or nothing, got %q", output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "json for scripts")
	return cmd
}

// inspect asks the supervisor; without one it tells what is remembered.
func inspect(ctx context.Context, d state.Dir) (control.Status, error) {
	st, err := control.NewClient(d.Socket()).Status(ctx)
	if !errors.Is(err, control.ErrNotRunning) {
		return st, err
	}
	remembered, err := state.Load(d)
	if err != nil {
		return control.Status{}, err
	}
	return supervisor.Describe(d, remembered), nil
}

func show(out io.Writer, st control.Status) error {
	if !st.Running {
		fmt.Fprintf(out, "not running (data in %s); `vela local start` starts it\n", st.DataDir)
	} else {
		fmt.Fprintf(out, "running, data in %s\nnodes are %s: %s\n", st.DataDir, st.Nodes.Mode, st.Nodes.Reason)
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	if len(st.Clusters) > 0 {
		fmt.Fprintln(w, "\nCLUSTER\tREADY\tNODES\tSERVER\tKUBECONFIG")
	}
	for _, c := range st.Clusters {
		fmt.Fprintf(w, "%s\t%t\t%s\t%s\t%s\n", c.Name, c.Ready, orDash(c.Nodes), c.Server, c.Kubeconfig)
	}
	if len(st.Processes) > 0 {
		fmt.Fprintln(w, "\nPROCESS\tREADY\tPID\tRESTARTS\tMETRICS\tLOG")
	}
	for _, p := range st.Processes {
		fmt.Fprintf(w, "%s\t%t\t%d\t%d\t%s\t%s\n", p.Name, p.Ready, p.PID, p.Restarts, orDash(p.MetricsAddress), p.Log)
	}
	return w.Flush()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
