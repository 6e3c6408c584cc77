package supervisor

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/process"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/realnode"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/state"
)

// sweepPatience is how long a killed process may take to be gone.
const sweepPatience = 20 * time.Second

// Sweep ends what an installation left behind when its supervisor was killed:
// processes, containers, mounts, networks. It must not be called while a
// supervisor runs.
func Sweep(ctx context.Context, dir state.Dir, clusters []state.Cluster) error {
	ctx, cancel := context.WithTimeout(ctx, sweepPatience)
	defer cancel()
	if _, err := process.Reap(ctx, process.Marked(dir.String())); err != nil {
		return fmt.Errorf("end what was left behind: %w", err)
	}
	return realnode.Clean(ctx, dir, clusters)
}
