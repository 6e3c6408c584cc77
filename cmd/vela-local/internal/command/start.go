package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/control"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/lock"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/process"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/state"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/supervisor"
)

// dialEvery is how often a fresh supervisor's socket is tried.
const dialEvery = 20 * time.Millisecond

func start(dir openDir) *cobra.Command {
	settings := state.Settings{}
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Start the hub, the members and the control plane, or bring back what is missing",
		Example: `  vela local start
  vela local start --members staging,production --nodes simulated`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := settings.Validate(); err != nil {
				return err
			}
			d, err := dir()
			if err != nil {
				return err
			}
			return runStart(cmd.Context(), cmd.OutOrStdout(), d, settings)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&settings.Members, "members", []string{"staging", "production"}, "clusters beside the hub; empty for none")
	f.StringVar(&settings.Nodes, "nodes", "auto", "auto, real (pods run) or simulated (pods only look as if they ran)")
	f.BoolVar(&settings.ControlPlane, "control-plane", true, "run vela-core on the hub and join the members")
	return cmd
}

func runStart(ctx context.Context, out io.Writer, d state.Dir, settings state.Settings) error {
	if err := d.Make(); err != nil {
		return err
	}
	held, err := lock.Wait(ctx, filepath.Join(d.String(), "start.lock"))
	if err != nil {
		return err
	}
	defer func() { _ = held.Release() }()
	st, err := state.Load(d)
	if err != nil {
		return err
	}
	client := control.NewClient(d.Socket())
	if running, err := client.Status(ctx); err == nil {
		why := restart(running, st.Settings, settings)
		if why == "" {
			fmt.Fprintln(out, "already running")
			return follow(ctx, out, client)
		}
		fmt.Fprintf(out, "%s: restarting\n", why)
	}
	if err := halt(ctx, d); err != nil {
		return err
	}
	if st, err = st.Plan(settings, d.FirstSlot(), state.SlotInUse); err != nil {
		return err
	}
	if err := errors.Join(st.Save(d), d.RotateLogs()); err != nil {
		return err
	}
	fmt.Fprintf(out, "starting hub and members %v in %s\n", settings.Members, d)
	if err := launch(ctx, d, client); err != nil {
		return err
	}
	return follow(ctx, out, client)
}

// restart says why a running installation cannot stay as it is, or "".
func restart(running control.Status, was, want state.Settings) string {
	switch {
	case !was.Equal(want):
		return "other settings"
	case running.Build != supervisor.Build():
		return "new binaries"
	case running.Start != control.Progress && running.Start != control.Ready:
		return "the last start was not complete"
	}
	return ""
}

// launch starts a detached supervisor and returns when it answers.
func launch(ctx context.Context, d state.Dir, client *control.Client) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this binary: %w", err)
	}
	log, err := os.OpenFile(d.Log("supervisor"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("supervisor log: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(self, "supervise", "--data-dir", d.String()) //nolint:noctx // it outlives this command
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), process.Mark(d.String()))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the supervisor: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(dialEvery)
	defer tick.Stop()
	for {
		if _, err := client.Status(ctx); !errors.Is(err, control.ErrNotRunning) {
			return err
		}
		select {
		case <-tick.C:
		case err := <-ended:
			return fmt.Errorf("the supervisor ended at once (%v): %s (log: %s)", err, process.LastError(log.Name()), log.Name())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// follow prints progress until the start has succeeded or failed.
func follow(ctx context.Context, out io.Writer, client *control.Client) error {
	last, err := client.Follow(ctx, func(e control.Event) {
		switch e.Phase {
		case control.Warning:
			fmt.Fprintf(out, "[%5.1fs] warning: %s\n", e.Seconds, e.Text)
		case control.Failed:
		default:
			fmt.Fprintf(out, "[%5.1fs] %s\n", e.Seconds, e.Text)
		}
	})
	if err != nil {
		return err
	}
	if last.Phase == control.Failed {
		return errors.New(last.Text)
	}
	return nil
}
