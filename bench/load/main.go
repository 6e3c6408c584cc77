// Command load measures the controller on a running embedded hub: CPU seconds,
// peak memory, API requests and stored bytes for creating, changing and
// deleting many Applications, and one Application with many components. It
// prints the rows of bench/RESULTS.md. Run it with `make bench`.
//
// Counts come from the metrics of vela-core and CPU from /proc, so nothing
// but the controller itself is in the figures.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"
)

func main() {
	status := flag.String("vela-local", "bin/vela-local", "the vela-local binary, asked for the hub and the process of vela-core")
	dataDir := flag.String("data-dir", "", "data directory of vela-local; empty: its default")
	runs := flag.String("runs", "apps:100,apps:500,components:10,components:100", "what to measure")
	rest := flag.Duration("rest", time.Minute, "how long to watch the Applications at rest; 0: not")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *status, *dataDir, *runs, *rest); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, binary, dataDir, runs string, rest time.Duration) error {
	l, err := newLoad(ctx, binary, dataDir)
	if err != nil {
		return err
	}
	fmt.Println(header)
	for r := range strings.SplitSeq(runs, ",") {
		kind, count, _ := strings.Cut(r, ":")
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 {
			return fmt.Errorf("-runs: %q: want kind:count, for example apps:100", r)
		}
		switch kind {
		case "apps":
			err = l.applications(ctx, n, rest)
		case "components":
			err = l.components(ctx, n)
		default:
			err = fmt.Errorf("-runs: unknown kind %q, want apps or components", kind)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", r, err)
		}
	}
	return nil
}
