package realnode

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	askEvery = 50 * time.Millisecond
	// kubernetes is the containerd namespace that the kubelet looks into.
	kubernetes = "k8s.io"
)

// AwaitContainerd returns when containerd answers.
func (n Node) AwaitContainerd(ctx context.Context) error {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		err := n.ctr(ctx, "version")
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("containerd of node %q does not answer: %w", n.Name, err)
		}
	}
}

// Import loads the image archives.
func (n Node) Import(ctx context.Context) error {
	archives, err := filepath.Glob(filepath.Join(n.Images, "*.tar"))
	if err != nil {
		return fmt.Errorf("image archives: %w", err)
	}
	for _, archive := range archives {
		if err := n.ctr(ctx, "images", "import", archive); err != nil {
			return fmt.Errorf("import %s: %w", archive, err)
		}
	}
	return nil
}

// Try runs one container to its end: the proof that this machine can.
func (n Node) Try(ctx context.Context) error {
	id := fmt.Sprintf("try-%d", time.Now().UnixNano())
	err := n.ctr(ctx, "run", "--rm", "--null-io", "--snapshotter", n.snapshotter(),
		"--cgroup", "/"+n.Tag()+"/try", HelloImage, id, "/hello", "version")
	if err != nil {
		return fmt.Errorf("run a container: %w", err)
	}
	return nil
}

func (n Node) ctr(ctx context.Context, args ...string) error {
	args = append([]string{"--address", n.socket(), "--namespace", kubernetes}, args...)
	out, err := exec.CommandContext(ctx, "ctr", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ctr: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
