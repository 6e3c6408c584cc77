// Package netns makes named network namespaces and runs code and programs in
// them.
package netns

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

const dir = "/run/netns"

// Path is where the namespace of that name is kept.
func Path(name string) string { return filepath.Join(dir, name) }

// Create makes the namespace. It replaces one of the same name, which its
// processes keep until they end.
func Create(name string) error {
	if err := Delete(name); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("network namespace %q: %w", name, err)
	}
	f, err := os.OpenFile(Path(name), os.O_CREATE|os.O_EXCL|os.O_RDONLY, 0o444)
	if err != nil {
		return fmt.Errorf("network namespace %q: %w", name, err)
	}
	f.Close()
	err = onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		self := fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), unix.Gettid())
		return unix.Mount(self, Path(name), "bind", unix.MS_BIND, "")
	})
	if err != nil {
		return errors.Join(fmt.Errorf("network namespace %q: %w", name, err), os.Remove(Path(name)))
	}
	return nil
}

// Delete removes the namespace; one that does not exist is fine.
func Delete(name string) error {
	err := unix.Unmount(Path(name), unix.MNT_DETACH)
	if err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EINVAL) { // EINVAL: a file, not a mount
		return fmt.Errorf("delete network namespace %q: %w", name, err)
	}
	if err := os.Remove(Path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete network namespace %q: %w", name, err)
	}
	return nil
}

// Open returns the namespace's handle.
func Open(name string) (*os.File, error) {
	f, err := os.Open(Path(name))
	if err != nil {
		return nil, fmt.Errorf("network namespace %q: %w", name, err)
	}
	return f, nil
}

// Do calls f in the namespace. What f starts elsewhere (goroutines) is outside.
func Do(name string, f func() error) error {
	ns, err := Open(name)
	if err != nil {
		return err
	}
	defer ns.Close()
	return onThread(func() error {
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("enter network namespace %q: %w", name, err)
		}
		return f()
	})
}

// onThread calls f on a thread of its own and gives the thread its namespace
// back. Should that not work the thread ends with the goroutine, so that no
// other goroutine ever runs in the wrong namespace.
func onThread(f func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		home, err := os.Open(fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), unix.Gettid()))
		if err != nil {
			runtime.UnlockOSThread()
			result <- err
			return
		}
		defer home.Close()
		err = f()
		if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back == nil {
			runtime.UnlockOSThread()
		}
		result <- err
	}()
	return <-result
}

// Exec replaces this process by the program, in the namespace; the program is
// killed when this process's parent dies.
func Exec(name string, args []string) error {
	path, err := exec.LookPath(args[0])
	if err != nil {
		return fmt.Errorf("run in network namespace %q: %w", name, err)
	}
	ns, err := Open(name)
	if err != nil {
		return err
	}
	defer ns.Close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter network namespace %q: %w", name, err)
	}
	// The wish to die with the parent belongs to the thread that was started;
	// this is another one, and it is the one that lives on.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("tie %s to its parent: %w", path, err)
	}
	return fmt.Errorf("run %s: %w", path, syscall.Exec(path, args, os.Environ()))
}
