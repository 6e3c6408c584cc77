package env

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

const (
	// startTimeout is generous: a server needs 2 s on a free machine, many
	// packages start theirs at once on a busy one.
	startTimeout = 2 * time.Minute
	tailBytes    = 4 << 10
	modulePath   = "module github.com/seed-c5f95f19/vela\n"
)

// launch starts a server and returns once it is ready and has its CRDs.
func launch(name string, o options) (*Server, error) {
	root, err := repository()
	if err != nil {
		return nil, err
	}
	binary, err := find(root)
	if err != nil {
		return nil, err
	}
	kubeconfig, leash, err := spawn(binary, o)
	if err != nil {
		return nil, err
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	config.QPS = -1 // the tests are alone on this server
	s := &Server{name: name, config: config, kubeconfig: kubeconfig, leash: leash}
	if o.bare {
		return s, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	return s, installCRDs(ctx, s.Config(), filepath.Join(root, "charts", "vela-core", "crds"))
}

// repository returns the root of this module, whichever package is tested.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	for {
		data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(data), modulePath) {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod of vela in this directory or above")
		}
		dir = parent
	}
}

func find(root string) (string, error) {
	path := os.Getenv("VELA_LOCAL")
	if path == "" {
		path = filepath.Join(root, "bin", "vela-local")
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s is missing: run `make build` first, or set VELA_LOCAL", path)
	}
	return path, nil
}

// spawn runs the binary and returns the kubeconfig it announces, and the leash:
// our end of its standard input's pipe. When the pipe closes, because we are
// gone, it removes its files and ends; so the leash must stay referenced.
func spawn(binary string, o options) (kubeconfig string, leash io.Closer, err error) {
	args := []string{"apiserver"}
	if o.controllers {
		args = append(args, "--controllers")
	}
	log, err := unlinkedFile()
	if err != nil {
		return "", nil, err
	}
	defer log.Close() // the process has its own copy
	cmd := exec.Command(binary, args...)
	// A file, not a pipe: a server that outlives us for a moment must not die
	// of SIGPIPE before it has removed its directory.
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // ^C is for the test
	leash, err = cmd.StdinPipe()
	if err != nil {
		return "", nil, fmt.Errorf("start %s: %w", binary, err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, fmt.Errorf("start %s: %w", binary, err)
	}
	if err := cmd.Start(); err != nil {
		return "", nil, fmt.Errorf("start %s: %w", binary, err)
	}
	kubeconfig, err = awaitReady(out)
	if err != nil {
		err = fmt.Errorf("start %s: %w\n%s", binary, err, tail(log))
		return "", nil, errors.Join(err, cmd.Process.Kill())
	}
	return kubeconfig, leash, nil
}

func awaitReady(out io.Reader) (string, error) {
	type result struct {
		kubeconfig string
		err        error
	}
	done := make(chan result, 1)
	go func() {
		var ready struct {
			Kubeconfig string `json:"kubeconfig"`
		}
		line, err := bufio.NewReader(out).ReadBytes('\n')
		if err == nil {
			err = json.Unmarshal(line, &ready)
		}
		done <- result{ready.Kubeconfig, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return "", fmt.Errorf("no ready line: %w", r.err)
		}
		return r.kubeconfig, nil
	case <-time.After(startTimeout):
		return "", fmt.Errorf("not ready after %s", startTimeout)
	}
}

// unlinkedFile is gone from the file system already and from the disk with
// its last reader.
func unlinkedFile() (*os.File, error) {
	f, err := os.CreateTemp("", "vela-local-*.log")
	if err != nil {
		return nil, fmt.Errorf("server log: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, fmt.Errorf("server log: %w", err)
	}
	return f, nil
}

func tail(f *os.File) string {
	info, err := f.Stat()
	if err != nil {
		return err.Error()
	}
	buf := make([]byte, min(info.Size(), tailBytes))
	n, err := f.ReadAt(buf, info.Size()-int64(len(buf)))
	if err != nil && !errors.Is(err, io.EOF) {
		return err.Error()
	}
	return string(buf[:n])
}
