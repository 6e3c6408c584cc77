// Command vela delivers applications to many clusters. See references/cli for
// its subcommands.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/seed-c5f95f19/vela/pkg/cue/worker"
	"github.com/seed-c5f95f19/vela/references/cli"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

func main() {
	worker.Main() // this binary is also what evaluates templates
	os.Exit(run())
}

func run() int {
	// What libraries log is for operators of a server, not for the user of a
	// command: errors reach the user as errors.
	ctrllog.SetLogger(logr.Discard())
	klog.SetOutput(io.Discard)
	klog.LogToStderr(false)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	streams := console.System(os.Stdin, os.Stdout, os.Stderr, os.Getenv)
	home, err := os.UserHomeDir()
	if err != nil {
		home = "." // only the defaults for kubeconfigs depend on it
	}
	f := connect.New(streams, os.Getenv, home)
	f.Sandbox = worker.NewPool(worker.Options{})
	return streams.Exit(cli.Explain(f, cli.NewRoot(f).ExecuteContext(ctx)))
}
