package realnode

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/netns"
)

// packages are what Debian and Ubuntu call what Missing looks for.
const packages = "containerd runc containernetworking-plugins nftables"

// Possible returns nil when this machine can run real nodes, else why not and
// what to do. It is quick: what only a container shows, Try shows.
func Possible(images string) error {
	if os.Geteuid() != 0 {
		return errors.New("not root")
	}
	var missing []string
	for _, program := range []string{"containerd", "ctr", "containerd-shim-runc-v2", "runc", "nft"} {
		if lookPath(program) != nil {
			missing = append(missing, program)
		}
	}
	if _, err := pluginDir(); err != nil {
		missing = append(missing, "CNI plugins")
	}
	if len(missing) > 0 {
		return fmt.Errorf("no %s; apt-get install %s", strings.Join(missing, ", "), packages)
	}
	for _, image := range []string{"pause.tar", "hello.tar"} {
		if _, err := os.Stat(filepath.Join(images, image)); err != nil {
			return fmt.Errorf("no %s in %s; `make build` makes it", image, images)
		}
	}
	probe := fmt.Sprintf("vela-probe-%d", os.Getpid())
	if err := netns.Create(probe); err != nil {
		return fmt.Errorf("this machine allows no network namespaces: %w", err)
	}
	if err := netns.Delete(probe); err != nil {
		return fmt.Errorf("this machine allows no network namespaces: %w", err)
	}
	return nil
}

func lookPath(program string) error {
	_, err := exec.LookPath(program)
	return err
}

// pluginDir is where the distribution puts CNI plugins.
func pluginDir() (string, error) {
	for _, dir := range []string{"/usr/lib/cni", "/opt/cni/bin"} {
		if _, err := os.Stat(filepath.Join(dir, "bridge")); err == nil {
			return dir, nil
		}
	}
	return "", errors.New("no CNI plugins in /usr/lib/cni or /opt/cni/bin")
}

// snapshotter is overlayfs where the file system below the images can carry
// it; inside a container it often cannot.
func (n Node) snapshotter() string {
	dir, err := os.MkdirTemp(n.state(), "overlay-")
	if err != nil {
		return "native"
	}
	defer os.RemoveAll(dir)
	for _, sub := range []string{"lower", "upper", "work", "merged"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			return "native"
		}
	}
	options := fmt.Sprintf("lowerdir=%[1]s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work", dir)
	merged := filepath.Join(dir, "merged")
	if err := unix.Mount("overlay", merged, "overlay", 0, options); err != nil {
		return "native"
	}
	if err := unix.Unmount(merged, 0); err != nil {
		return "native"
	}
	return "overlayfs"
}
