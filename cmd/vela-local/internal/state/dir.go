// Package state keeps what an installation remembers between runs: which
// clusters exist, their ports and address ranges, and the settings of the last
// start. It also knows where every file of an installation is.
package state

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// maxSocketPath is the longest path a unix socket can have on Linux.
const maxSocketPath = 107

// A Dir is the data directory of one installation, an absolute path.
type Dir string

// DefaultDir is the installation of a user who does not name one.
func DefaultDir() (Dir, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("default data directory: %w", err)
	}
	return Dir(filepath.Join(home, ".vela", "local")), nil
}

// At returns path as a Dir. Nothing is created yet: to ask must leave no trace.
func At(path string) (Dir, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("data directory: %w", err)
	}
	return Dir(abs), nil
}

// Make creates the directory, for its owner only.
func (d Dir) Make() error {
	for _, sub := range []string{"", "logs", "clusters"} {
		if err := os.MkdirAll(filepath.Join(string(d), sub), 0o700); err != nil {
			return fmt.Errorf("data directory: %w", err)
		}
	}
	return nil
}

func (d Dir) String() string { return string(d) }

// ID is a short name for the installation, for things that are named
// machine-wide.
func (d Dir) ID() string {
	sum := sha256.Sum256([]byte(d))
	return hex.EncodeToString(sum[:4])
}

// Log is the log file of a process.
func (d Dir) Log(name string) string { return filepath.Join(string(d), "logs", name+".log") }

// Logs is the directory of all log files.
func (d Dir) Logs() string { return filepath.Join(string(d), "logs") }

// Store is the directory of the store.
func (d Dir) Store() string { return filepath.Join(string(d), "store") }

// Cluster is the directory of a cluster.
func (d Dir) Cluster(name string) string { return filepath.Join(string(d), "clusters", name) }

// Socket is where the supervisor answers.
func (d Dir) Socket() string {
	path := filepath.Join(string(d), "control.sock")
	if len(path) <= maxSocketPath {
		return path
	}
	return filepath.Join(os.TempDir(), "vela-local-"+d.ID(), "control.sock")
}

func (d Dir) stateFile() string { return filepath.Join(string(d), "state.json") }

// Exists reports whether an installation was ever started here.
func (d Dir) Exists() bool {
	_, err := os.Stat(d.stateFile())
	return err == nil
}

// Remove deletes the installation's files. It refuses a directory that is not
// an installation: the path comes from a flag.
func (d Dir) Remove() error {
	if !d.Exists() {
		return fmt.Errorf("%s is not a vela-local data directory (no state.json)", d)
	}
	for _, sub := range []string{"clusters", "store", "logs", "control.sock", "supervisor.lock", "start.lock", "state.json"} {
		if err := os.RemoveAll(filepath.Join(string(d), sub)); err != nil {
			return fmt.Errorf("remove data: %w", err)
		}
	}
	if far := filepath.Dir(d.Socket()); far != string(d) {
		if err := os.RemoveAll(far); err != nil {
			return fmt.Errorf("remove data: %w", err)
		}
	}
	// What is not ours keeps the directory alive.
	if err := os.Remove(string(d)); err != nil && !errors.Is(err, syscall.ENOTEMPTY) && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove data: %w", err)
	}
	return nil
}

// RotateLogs sets the logs of the last run aside, so that an error found in a
// log is an error of this run.
func (d Dir) RotateLogs() error {
	files, err := filepath.Glob(filepath.Join(d.Logs(), "*.log"))
	if err != nil {
		return fmt.Errorf("rotate logs: %w", err)
	}
	for _, f := range files {
		if err := os.Rename(f, f+".1"); err != nil {
			return fmt.Errorf("rotate logs: %w", err)
		}
	}
	return nil
}
