package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// MarkVariable is the environment variable that marks every process of an
// installation, children of children included, with its data directory.
const MarkVariable = "VELA_LOCAL_OWNER"

// Mark returns the environment entry for processes that belong to dir.
func Mark(dir string) string { return MarkVariable + "=" + dir }

// Belongs decides whether a process is one of ours by what /proc tells of it.
type Belongs func(pid int) bool

// Marked reports processes that carry the mark of dir.
func Marked(dir string) Belongs {
	entry := append([]byte(Mark(dir)), 0)
	return func(pid int) bool {
		environ, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
		return err == nil && (bytes.HasPrefix(environ, entry) || bytes.Contains(environ, append([]byte{0}, entry...)))
	}
}

// InCgroup reports processes whose cgroup path contains segment: containers,
// whose environment is their own.
func InCgroup(segment string) Belongs {
	return func(pid int) bool {
		cgroup, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cgroup"))
		return err == nil && bytes.Contains(cgroup, []byte(segment))
	}
}

// Runs reports whether a process runs a program whose name starts like that.
func Runs(pid int, program string) bool {
	cmdline, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil {
		return false
	}
	path, _, _ := bytes.Cut(cmdline, []byte{0})
	return strings.HasPrefix(filepath.Base(string(path)), program)
}

// Find returns the living processes for which any rule holds, this one and
// zombies excepted.
func Find(rules ...Belongs) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() || dead(pid) {
			continue
		}
		if slices.ContainsFunc(rules, func(b Belongs) bool { return b(pid) }) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// Reap kills every process the rules find until none is left.
func Reap(ctx context.Context, rules ...Belongs) (int, error) {
	killed := map[int]bool{}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		pids, err := Find(rules...)
		if err != nil {
			return len(killed), err
		}
		if len(pids) == 0 {
			return len(killed), nil
		}
		for _, pid := range pids {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return len(killed), fmt.Errorf("kill process %d: %w", pid, err)
			}
			killed[pid] = true
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return len(killed), fmt.Errorf("processes %v do not end: %w", pids, ctx.Err())
		}
	}
}

// dead reports a zombie: it holds nothing any more and waits for its parent.
func dead(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return true
	}
	// The state follows the command name, which is in parentheses and may
	// hold anything.
	end := bytes.LastIndexByte(stat, ')')
	return end < 0 || end+2 >= len(stat) || stat[end+2] == 'Z' || stat[end+2] == 'X'
}
