package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/state"
)

const followEvery = 200 * time.Millisecond

func logs(dir openDir) *cobra.Command {
	var following bool
	cmd := &cobra.Command{
		Use:   "logs [NAME]",
		Short: "Print a process's log, or the names of all",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := dir()
			if err != nil {
				return err
			}
			names, err := logNames(d)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				for _, n := range names {
					fmt.Fprintf(cmd.OutOrStdout(), "%s\t%s\n", n, d.Log(n))
				}
				return nil
			}
			err = printLog(cmd.Context(), cmd.OutOrStdout(), d.Log(filepath.Base(args[0])), following)
			if errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("no log of %q: there are %s", args[0], strings.Join(names, ", "))
			}
			return err
		},
	}
	cmd.Flags().BoolVarP(&following, "follow", "f", false, "go on printing what is added")
	return cmd
}

func logNames(d state.Dir) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(d.Logs(), "*.log"))
	if err != nil {
		return nil, fmt.Errorf("list logs: %w", err)
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".log")
	}
	return files, nil
}

func printLog(ctx context.Context, out io.Writer, path string, following bool) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		if _, err := io.Copy(out, f); err != nil {
			return fmt.Errorf("print log: %w", err)
		}
		if !following {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}
