// Package testserver runs one throw-away API server with its own store in one
// process, for tests.
//
// The parent starts it, reads one line of JSON from its standard output and
// holds its standard input open: when the parent is gone, however it went, the
// server ends and removes what it wrote. `pkg/test/env` is that parent.
package testserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/controlplane"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/port"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/store"
)

// Options configure a test server.
type Options struct {
	// Dir keeps the state; empty means a temporary one, removed at the end.
	Dir string
	// Controllers adds the controller manager.
	Controllers bool
	// Parent is read to its end; then the server stops. Nil means never.
	Parent io.Reader
	// Out receives the ready line.
	Out io.Writer
}

// Ready is the line that says the server can be used. It is also stored as
// ready.json in the directory.
type Ready struct {
	Server     string `json:"server"`
	Kubeconfig string `json:"kubeconfig"`
	Dir        string `json:"dir"`
	PID        int    `json:"pid"`
}

// Run serves until ctx ends or the parent is gone.
func Run(ctx context.Context, o Options) (err error) {
	dir := o.Dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "vela-test-"); err != nil {
			return fmt.Errorf("state directory: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if o.Parent != nil {
		go func() {
			_, _ = io.Copy(io.Discard, o.Parent)
			cancel()
		}()
	}
	err = serve(ctx, dir, o)
	if ctx.Err() != nil {
		return nil // asked to stop: whatever broke on the way down is no news
	}
	return err
}

func serve(ctx context.Context, dir string, o Options) error {
	st, err := store.Start(ctx, store.Options{Dir: filepath.Join(dir, "store")})
	if err != nil {
		return err
	}
	defer st.Close()
	free, err := port.Free()
	if err != nil {
		return err
	}
	c := controlplane.Cluster{
		Name: "test", Dir: filepath.Join(dir, "cluster"), Port: free,
		Store: st.Endpoint(), Controllers: o.Controllers,
	}
	if err := c.Prepare(); err != nil {
		return err
	}
	return controlplane.Run(ctx, c, func() error {
		return announce(o.Out, dir, Ready{Server: c.Server(), Kubeconfig: c.Kubeconfig(), Dir: dir, PID: os.Getpid()})
	})
}

func announce(out io.Writer, dir string, r Ready) error {
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode ready line: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ready.json"), line, 0o600); err != nil {
		return fmt.Errorf("ready file: %w", err)
	}
	if _, err := fmt.Fprintf(out, "%s\n", line); err != nil {
		return fmt.Errorf("ready line: %w", err)
	}
	return nil
}
