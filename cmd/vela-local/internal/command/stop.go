package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/control"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/lock"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/realnode"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/state"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/supervisor"
)

// haltPatience is how long an orderly stop may take before everything that is
// left is killed.
const haltPatience = 30 * time.Second

func stop(dir openDir) *cobra.Command {
	return &cobra.Command{
		Use:   "stop",
		Short: "Stop everything; the data stays for the next start",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := dir()
			if err != nil {
				return err
			}
			began := time.Now()
			if err := halt(cmd.Context(), d); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "stopped after %.1fs; data is kept in %s\n", time.Since(began).Seconds(), d)
			return nil
		},
	}
}

func reset(dir openDir) *cobra.Command {
	return &cobra.Command{
		Use:   "reset",
		Short: "Stop everything and delete all data",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := dir()
			if err != nil {
				return err
			}
			if err := halt(cmd.Context(), d); err != nil {
				return err
			}
			if !d.Exists() {
				fmt.Fprintf(cmd.OutOrStdout(), "nothing to delete in %s\n", d)
				return nil
			}
			if err := errors.Join(realnode.Forget(d), d.Remove()); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "deleted %s\n", d)
			return nil
		},
	}
}

// halt ends the installation, orderly if it can be, and returns when no
// process of it is left.
func halt(ctx context.Context, d state.Dir) error {
	bounded, cancel := context.WithTimeout(ctx, haltPatience)
	defer cancel()
	if err := control.NewClient(d.Socket()).Stop(bounded); err == nil {
		l, err := lock.Wait(bounded, supervisor.LockFile(d))
		if err == nil {
			err = l.Release()
		}
		if err != nil && !errors.Is(err, lock.ErrHeld) {
			return err
		}
	}
	st, err := state.Load(d)
	if err != nil {
		return err
	}
	return supervisor.Sweep(ctx, d, st.Clusters)
}
