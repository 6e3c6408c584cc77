package realnode

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const cgroupRoot = "/sys/fs/cgroup"

// PrepareCgroup makes the cgroup that holds the node's pods: in the unified
// hierarchy, or in each of the version 1 hierarchies.
func (n Node) PrepareCgroup() error {
	for _, root := range hierarchies() {
		dir := filepath.Join(root, n.Tag())
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("cgroup of node %q: %w", n.Name, err)
		}
		if err := inherit(root, dir); err != nil {
			return fmt.Errorf("cgroup of node %q: %w", n.Name, err)
		}
	}
	return nil
}

// inherit gives a new cgroup what the kernel does not by itself: version 2
// controllers, and the processors and memory nodes of version 1's cpuset.
func inherit(root, dir string) error {
	if available, err := os.ReadFile(filepath.Join(root, "cgroup.controllers")); err == nil {
		for _, group := range []string{root, dir} {
			for _, c := range strings.Fields(string(available)) {
				// A controller that cannot be delegated is missed only by
				// pods that limit what it controls.
				_ = os.WriteFile(filepath.Join(group, "cgroup.subtree_control"), []byte("+"+c), 0o644)
			}
		}
		return nil
	}
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		value, err := os.ReadFile(filepath.Join(root, file))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, file), bytes.TrimSpace(value), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// hierarchies returns the mount points below which cgroups are made.
func hierarchies() []string {
	if _, err := os.Stat(filepath.Join(cgroupRoot, "cgroup.controllers")); err == nil {
		return []string{cgroupRoot}
	}
	entries, err := os.ReadDir(cgroupRoot)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() && e.Name() != hybrid {
			out = append(out, filepath.Join(cgroupRoot, e.Name()))
		}
	}
	return out
}

// hybrid is the version 2 hierarchy beside those of version 1: nothing is
// limited through it, but the container runtime makes groups in it too.
const hybrid = "unified"

// removeCgroups removes the installation's cgroups, the innermost first. They
// must be empty of processes.
func removeCgroups(prefix string) error {
	var errs []error
	for _, root := range append(hierarchies(), filepath.Join(cgroupRoot, hybrid)) {
		groups, err := filepath.Glob(filepath.Join(root, prefix+"*"))
		if err != nil {
			return fmt.Errorf("find cgroups: %w", err)
		}
		for _, group := range groups {
			errs = append(errs, removeTree(group))
		}
	}
	return errors.Join(errs...)
}

func removeTree(group string) error {
	var dirs []string
	err := filepath.WalkDir(group, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("remove cgroup: %w", err)
	}
	for _, dir := range slices.Backward(dirs) {
		if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove cgroup: %w", err)
		}
	}
	return nil
}
