// Package cli_test runs the real vela binary against a real API server with
// the CRDs that ship. No control plane runs: the tests play its part where a
// status is needed, so that each says exactly what the command saw.
package cli_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// A result is what a command line led to.
type result struct {
	stdout, stderr string
	exit           int
}

// vela runs the binary that this test package built, on the server of the
// test package.
func vela(t *testing.T, dir string, args ...string) result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary(t), append(args, "--kubeconfig", env.Kubeconfig(t))...)
	cmd.Dir = dir
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{out.String(), errOut.String(), cmd.ProcessState.ExitCode()}
}

// build builds vela once for the test process; the Go build cache makes that
// cheap when nothing changed.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "vela-e2e-cli")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "vela")
	out, err := exec.Command("go", "build", "-o", path, "github.com/seed-c5f95f19/vela/cmd/vela").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return path, nil
})

func binary(t *testing.T) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := build(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

const shop = `apiVersion: core.oam.dev/v1beta1
kind: Application
metadata:
  name: shop
spec:
  components:
    - name: web
      type: webservice
      properties:
        image: nginx
`

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, ns, name string) *v1beta1.Application {
	t.Helper()
	app := &v1beta1.Application{}
	if err := env.Client(t).Get(t.Context(), client.ObjectKey{Namespace: ns, Name: name}, app); err != nil {
		t.Fatal(err)
	}
	return app
}

// TestUpAppliesAsOneOwner: what the file no longer says goes away, and what
// others set stays.
func TestUpAppliesAsOneOwner(t *testing.T) {
	t.Parallel()
	ns, dir := env.Namespace(t), t.TempDir()
	write(t, dir, "app.yaml", strings.Replace(shop, "image: nginx", "image: nginx\n        cpu: \"1\"", 1))
	if r := vela(t, dir, "up", "-f", "app.yaml", "-n", ns, "--wait=false"); r.exit != 0 || !strings.Contains(r.stderr, "created") {
		t.Fatalf("up = %+v, want it created", r)
	}
	app := get(t, ns, "shop")
	app.Labels = map[string]string{"team": "blue"}
	if err := env.Client(t).Update(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "app.yaml", shop)
	if r := vela(t, dir, "up", "-f", "app.yaml", "-n", ns, "--wait=false"); r.exit != 0 || !strings.Contains(r.stderr, "changed") {
		t.Fatalf("up = %+v, want it changed", r)
	}
	app = get(t, ns, "shop")
	if got := string(app.Spec.Components[0].Properties.Raw); got != `{"image":"nginx"}` {
		t.Errorf("properties = %s, want only the image", got)
	}
	if app.Labels["team"] != "blue" {
		t.Errorf("labels = %v, want the label of somebody else kept", app.Labels)
	}
	if r := vela(t, dir, "up", "-f", "app.yaml", "-n", ns, "--wait=false"); !strings.Contains(r.stderr, "unchanged") {
		t.Errorf("up of the same file = %+v, want it unchanged", r)
	}
}

// TestUpFollowsTheDelivery: the command ends when the status says so, and its
// exit code says how.
func TestUpFollowsTheDelivery(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		status v1beta1.ApplicationStatus
		exit   int
		want   string
	}{
		"delivered": {v1beta1.ApplicationStatus{Phase: v1beta1.ApplicationRunning}, 0, "running"},
		"failed": {v1beta1.ApplicationStatus{Phase: v1beta1.ApplicationWorkflowFailed, Workflow: &v1beta1.WorkflowStatus{
			Steps: []v1beta1.WorkflowStepStatus{{StepStatus: v1beta1.StepStatus{Name: "deploy", Phase: v1beta1.StepFailed, Message: "no room"}}},
		}}, 1, "no room"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns, dir := env.Namespace(t), t.TempDir()
			write(t, dir, "app.yaml", shop)
			done := make(chan result)
			go func() { done <- vela(t, dir, "up", "-f", "app.yaml", "-n", ns, "--timeout", "1m") }()
			k8s := env.Client(t)
			env.Eventually(t, "the Application is there", func() (bool, error) {
				app := &v1beta1.Application{}
				if err := k8s.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "shop"}, app); err != nil {
					return false, client.IgnoreNotFound(err)
				}
				app.Status = tc.status
				app.Status.ObservedGeneration = app.Generation
				return true, k8s.Status().Update(t.Context(), app)
			})
			r := <-done
			if r.exit != tc.exit || !strings.Contains(r.stdout, tc.want) {
				t.Errorf("up = %+v, want exit code %d and %q", r, tc.exit, tc.want)
			}
		})
	}
}

// TestListAndDelete: one list request answers ls; delete waits until the
// finalizer of the control plane is gone.
func TestListAndDelete(t *testing.T) {
	t.Parallel()
	ns, dir := env.Namespace(t), t.TempDir()
	write(t, dir, "app.yaml", shop)
	if r := vela(t, dir, "up", "-f", "app.yaml", "-n", ns, "--wait=false"); r.exit != 0 {
		t.Fatalf("up = %+v", r)
	}
	var list v1beta1.ApplicationList
	r := vela(t, dir, "ls", "-n", ns, "-o", "json")
	if err := json.Unmarshal([]byte(r.stdout), &list); err != nil || len(list.Items) != 1 {
		t.Fatalf("ls -o json = %+v (%v), want one Application", r, err)
	}
	app := get(t, ns, "shop")
	app.Finalizers = []string{"example.com/busy"}
	if err := env.Client(t).Update(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	if r := vela(t, dir, "delete", "shop", "-n", ns, "--timeout", "1s"); r.exit != 1 || !strings.Contains(r.stderr, "is not gone after 1s") {
		t.Errorf("delete = %+v, want it to give up", r)
	}
	app = get(t, ns, "shop")
	app.Finalizers = nil
	if err := env.Client(t).Update(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	env.EventuallyGone(t, app)
	if r := vela(t, dir, "status", "shop", "-n", ns); r.exit != 1 || !strings.Contains(r.stderr, "there is no application") {
		t.Errorf("status = %+v, want it gone", r)
	}
}

// TestStartIsFast: a command that needs no cluster answers at once. What it
// costs is CPU time; wall time would measure what else the machine does.
func TestStartIsFast(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), binary(t), "version")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("vela version: %v\n%s", err, out)
	}
	if cost, limit := cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime(), 50*time.Millisecond; cost > limit {
		t.Errorf("vela version takes %s of CPU, want less than %s", cost, limit)
	}
}
