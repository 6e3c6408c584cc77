// Package local runs the real vela-local as a user does: it starts clusters in
// a directory of its own, breaks them, and looks at what is left.
package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	patience  = 90 * time.Second
	pollEvery = 50 * time.Millisecond
)

// status is what `vela local status -o json` promises.
type status struct {
	Running  bool
	Nodes    struct{ Mode string }
	Clusters []struct {
		Name, Kubeconfig, Nodes string
		Ready                   bool
	}
	Processes []struct {
		Name, Log, MetricsAddress string
		PID, Restarts             int
	}
}

// pid returns the process of that name, 0 when it does not run.
func (s status) pid(name string) int {
	for _, p := range s.Processes {
		if p.Name == name {
			return p.PID
		}
	}
	return 0
}

func (s status) ready() bool {
	for _, c := range s.Clusters {
		if !c.Ready {
			return false
		}
	}
	return s.Running
}

// An installation is a data directory that ends with its test.
type installation struct {
	binary string
	dir    string
}

func newInstallation(t *testing.T) installation {
	t.Helper()
	i := installation{binary: binary(t), dir: filepath.Join(t.TempDir(), "data")}
	t.Cleanup(func() {
		// The test's own context is over already.
		out, err := exec.Command(i.binary, "reset", "--data-dir", i.dir).CombinedOutput()
		if err != nil {
			t.Errorf("reset: %v\n%s", err, out)
		}
		if left := i.processes(t); len(left) > 0 {
			t.Errorf("processes are left: %v", left)
		}
		if _, err := os.Stat(i.dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("reset leaves %s: %v", i.dir, err)
		}
	})
	return i
}

// binary is the vela-local that `make build` made.
func binary(t *testing.T) string {
	t.Helper()
	path := os.Getenv("VELA_LOCAL")
	if path == "" {
		path = filepath.Join("..", "..", "bin", "vela-local")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(abs); err != nil {
		t.Fatalf("%s is missing: run `make build` first", abs)
	}
	return abs
}

// run calls vela-local and returns what it printed.
func (i installation) run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, i.binary, append(args, "--data-dir", i.dir)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

func (i installation) must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := i.run(t, args...)
	if err != nil {
		t.Fatalf("vela local %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// start starts a hub and one member without the control plane.
func (i installation) start(t *testing.T, more ...string) string {
	t.Helper()
	return i.must(t, append([]string{"start", "--members", "staging", "--control-plane=false"}, more...)...)
}

func (i installation) status(t *testing.T) status {
	t.Helper()
	var s status
	if err := json.Unmarshal([]byte(i.must(t, "status", "-o", "json")), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func (i installation) client(t *testing.T, cluster string) kubernetes.Interface {
	t.Helper()
	path := strings.TrimSpace(i.must(t, "kubeconfig", cluster))
	cfg, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// processes returns every living process that belongs to the installation,
// with its command line.
func (i installation) processes(t *testing.T) map[int]string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	found := map[int]string{}
	for _, file := range files {
		environ, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(environ, []byte("VELA_LOCAL_OWNER="+i.dir+"\x00")) {
			continue
		}
		proc := filepath.Dir(file)
		pid, err := strconv.Atoi(filepath.Base(proc))
		if err != nil {
			t.Fatal(err)
		}
		cmdline, err := os.ReadFile(filepath.Join(proc, "cmdline"))
		if err == nil && len(cmdline) > 0 { // a zombie has none
			found[pid] = string(bytes.ReplaceAll(cmdline, []byte{0}, []byte{' '}))
		}
	}
	return found
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if pid == 0 {
		t.Fatal("the process to kill does not run")
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// eventually polls until check is true.
func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	deadline, tick := time.NewTimer(patience), time.NewTicker(pollEvery)
	defer deadline.Stop()
	defer tick.Stop()
	for !check() {
		select {
		case <-deadline.C:
			t.Fatalf("waited %s in vain until %s", patience, what)
		case <-tick.C:
		}
	}
}
