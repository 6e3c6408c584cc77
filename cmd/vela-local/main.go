// Command vela-local is an embedded Kubernetes: a hub and member clusters with
// real API servers, controllers and schedulers in one binary, for trying vela
// and for testing it. `vela local` runs it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/command"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := command.New().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
