// Package badinput gives the real programs what users get wrong and reads what
// they answer: vela on the command line, and the conditions and events that
// somebody sees who uses kubectl. One vela-local instance serves all cases.
package badinput

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

const patience = 60 * time.Second

// A world is one running installation. The cluster far is production, reached
// through a door that the tests can close.
type world struct {
	bin, dir, home string
	hub, metrics   string // kubeconfig, address
	door           *door
}

// here is set by TestMain and not changed by tests.
var here world

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	log.SetLogger(logr.Discard())
	tmp, err := os.MkdirTemp("", "vela-badinput")
	if err != nil {
		return 1, err
	}
	here.bin, here.dir, here.home = filepath.Join(tmp, "bin"), filepath.Join(tmp, "data"), filepath.Join(tmp, "home")
	defer func() {
		_, rerr := here.command(context.Background(), tmp, "vela-local", "reset", "--data-dir", here.dir)
		err = errors.Join(err, rerr, os.RemoveAll(tmp))
	}()
	if err := here.start(tmp); err != nil {
		return 1, err
	}
	defer here.door.shut()
	return m.Run(), nil
}

// withoutAdmission lets mistakes in, as they get in while no replica answers: what
// is seen here is what the control plane makes of them. e2e/admission has the rest.
func (w *world) withoutAdmission() error {
	core := filepath.Join(w.bin, "vela-core")
	if err := os.Rename(core, core+"-real"); err != nil {
		return err
	}
	return os.WriteFile(core, []byte("#!/bin/sh\nexec \"$0-real\" \"$@\" --use-webhook=false\n"), 0o750) //nolint:gosec // it is to be executed
}

// start builds what this tree has, starts it, and moves production behind the
// door.
func (w *world) start(tmp string) error {
	for _, dir := range []string{w.bin, w.home} {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return err
		}
	}
	for _, name := range []string{"vela", "vela-core"} {
		out, err := exec.Command("go", "build", "-o", filepath.Join(w.bin, name), "github.com/seed-c5f95f19/vela/cmd/"+name).CombinedOutput()
		if err != nil {
			return fmt.Errorf("go build: %w: %s", err, out)
		}
	}
	if err := w.withoutAdmission(); err != nil {
		return err
	}
	local := os.Getenv("VELA_LOCAL")
	if local == "" {
		local = filepath.Join("..", "..", "bin", "vela-local")
	}
	if err := copyFile(local, filepath.Join(w.bin, "vela-local")); err != nil {
		return fmt.Errorf("%w: run `make build` first", err)
	}
	ctx := context.Background()
	if out, err := w.command(ctx, tmp, "vela-local", "start", "--data-dir", w.dir, "--nodes", "simulated"); err != nil {
		return fmt.Errorf("start: %w: %s", err, out)
	}
	out, err := w.command(ctx, tmp, "vela-local", "status", "--data-dir", w.dir, "-o", "json")
	if err != nil {
		return err
	}
	var status struct {
		Clusters  []struct{ Name, Kubeconfig, Server string }
		Processes []struct{ Name, MetricsAddress string }
	}
	if err := json.Unmarshal([]byte(out), &status); err != nil {
		return err
	}
	member, server := "", ""
	for _, c := range status.Clusters {
		switch c.Name {
		case "hub":
			w.hub = c.Kubeconfig
		case "production":
			member, server = c.Kubeconfig, strings.TrimPrefix(c.Server, "https://")
		}
	}
	for _, p := range status.Processes {
		if p.Name == "vela-core" {
			w.metrics = p.MetricsAddress
		}
	}
	if w.door, err = newDoor(server); err != nil {
		return err
	}
	cfg, err := clientcmd.LoadFromFile(member)
	if err != nil {
		return err
	}
	for _, c := range cfg.Clusters {
		c.Server = "https://" + w.door.address
	}
	far := filepath.Join(tmp, "far.kubeconfig")
	if err := clientcmd.WriteToFile(*cfg, far); err != nil {
		return err
	}
	for _, args := range [][]string{{"cluster", "detach", "production"}, {"cluster", "join", far, "--name", "far"}} {
		if out, err := w.command(ctx, tmp, "vela", append(args, "--kubeconfig", w.hub)...); err != nil {
			return fmt.Errorf("vela %s: %w: %s", strings.Join(args, " "), err, out)
		}
	}
	return nil
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o700) //nolint:gosec // a program
}

// command runs one of the programs in dir and returns everything it printed.
func (w *world) command(ctx context.Context, dir, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(w.bin, name), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+w.home)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// client returns one for the hub.
func (w *world) client(t *testing.T) client.Client {
	t.Helper()
	cfg, err := clientcmd.BuildConfigFromFlags("", w.hub)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(cfg, client.Options{Scheme: env.Scheme(t)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// reconciles is how often the control plane has looked at Applications.
func (w *world) reconciles(t *testing.T) int {
	t.Helper()
	resp, err := http.Get("http://" + w.metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, `controller_runtime_reconcile_total{controller="application"`) {
			continue
		}
		fields := strings.Fields(line)
		n, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += int(n)
	}
	return sum
}

// eventually polls until check is true.
func eventually(t *testing.T, what func() string, check func() bool) {
	t.Helper()
	deadline, tick := time.NewTimer(patience), time.NewTicker(50*time.Millisecond)
	defer deadline.Stop()
	defer tick.Stop()
	for !check() {
		select {
		case <-deadline.C:
			t.Fatalf("waited %s in vain until %s", patience, what())
		case <-tick.C:
		}
	}
}
