package realnode

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/controlplane"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/process"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/state"
)

// Clean removes everything an installation's real nodes left on the machine:
// containers, mounts, cgroups, networks and sockets. Images and logs stay. It
// is for after the node's processes have ended, however they did.
func Clean(ctx context.Context, owner state.Dir, clusters []state.Cluster) error {
	if os.Geteuid() != 0 {
		return nil // then there never was a real node
	}
	if _, err := process.Reap(ctx, process.InCgroup("/"+tagPrefix(owner))); err != nil {
		return fmt.Errorf("end containers: %w", err)
	}
	errs := []error{unmountBelow(filepath.Join(runDir, owner.ID()))}
	for _, c := range clusters {
		n := Node{Name: c.Name, Owner: owner, Cluster: controlplane.Cluster{Name: c.Name, Slot: c.Slot}}
		errs = append(errs, unmountBelow(n.state()))
		if _, err := os.Stat(n.run()); err != nil {
			continue // no network without its directory: nothing to ask the kernel for
		}
		errs = append(errs, n.Disconnect(), os.RemoveAll(filepath.Join(n.state(), "kubelet", "pods")))
	}
	errs = append(errs, removeCgroups(tagPrefix(owner)), os.RemoveAll(filepath.Join(runDir, owner.ID())))
	return errors.Join(errs...)
}

// Forget removes the state of real nodes that is kept outside the data
// directory.
func Forget(owner state.Dir) error {
	if os.Geteuid() != 0 {
		return nil
	}
	if err := os.RemoveAll(filepath.Join(longStateDir, owner.ID())); err != nil {
		return fmt.Errorf("remove node state: %w", err)
	}
	for _, shared := range []string{longStateDir, runDir} {
		_ = os.Remove(shared) // other installations keep it
	}
	return nil
}

// unmountBelow detaches every mount at or below dir, the newest first.
func unmountBelow(dir string) error {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("list mounts: %w", err)
	}
	defer f.Close()
	var points []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) > 4 && (fields[4] == dir || strings.HasPrefix(fields[4], dir+"/")) {
			points = append(points, unescape(fields[4]))
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("list mounts: %w", err)
	}
	var errs []error
	for _, p := range slices.Backward(points) {
		if err := unix.Unmount(p, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
			errs = append(errs, fmt.Errorf("unmount %s: %w", p, err))
		}
	}
	return errors.Join(errs...)
}

// unescape undoes the octal escapes of mountinfo that can occur in our paths.
func unescape(path string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}
