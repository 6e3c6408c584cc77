// Package admission proves on the embedded hub what the API server answers before
// it stores anything: who uses kubectl reads our words at once, a control plane
// that is down refuses nobody, and what got in meanwhile is told by the control
// plane when it is back.
package admission

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// hub starts an installation with what this tree has and returns a client of its
// hub, which notes warnings, and the process id of its control plane.
func hub(t *testing.T) (client.Client, *warnings, func() int) {
	t.Helper()
	bin, data := t.TempDir(), filepath.Join(t.TempDir(), "data")
	for _, name := range []string{"vela", "vela-core"} {
		out, err := exec.Command("go", "build", "-o", filepath.Join(bin, name), "github.com/seed-c5f95f19/vela/cmd/"+name).CombinedOutput()
		if err != nil {
			t.Fatalf("go build: %v: %s", err, out)
		}
	}
	local := os.Getenv("VELA_LOCAL")
	if local == "" {
		local = filepath.Join("..", "..", "bin", "vela-local")
	}
	program, err := os.ReadFile(local)
	if err != nil {
		t.Fatalf("%v: run `make build` first", err)
	}
	local = filepath.Join(bin, "vela-local")
	if err := os.WriteFile(local, program, 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	command := func(ctx context.Context, args ...string) string {
		cmd := exec.CommandContext(ctx, local, append(args, "--data-dir", data)...)
		var out, mistakes bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &mistakes
		if err := cmd.Run(); err != nil {
			t.Fatalf("vela-local %s: %v: %s%s", strings.Join(args, " "), err, out.String(), mistakes.String())
		}
		return out.String()
	}
	t.Cleanup(func() { command(context.Background(), "reset") })
	command(t.Context(), "start", "--nodes", "simulated", "--members", "")
	cfg, err := clientcmd.BuildConfigFromFlags("", strings.TrimSpace(command(t.Context(), "kubeconfig", "hub")))
	if err != nil {
		t.Fatal(err)
	}
	seen := &warnings{}
	cfg.WarningHandlerWithContext = seen
	c, err := client.New(cfg, client.Options{Scheme: env.Scheme(t)})
	if err != nil {
		t.Fatal(err)
	}
	return c, seen, func() int {
		var status struct {
			Processes []struct {
				Name string
				PID  int `json:"pid"`
			}
		}
		if err := json.Unmarshal([]byte(command(t.Context(), "status", "-o", "json")), &status); err != nil {
			t.Fatal(err)
		}
		for _, p := range status.Processes {
			if p.Name == "vela-core" {
				return p.PID
			}
		}
		t.Fatal("no vela-core runs")
		return 0
	}
}

// warnings are what the API server has warned of.
type warnings struct {
	mu  sync.Mutex
	all []string
}

// HandleWarningHeaderWithContext implements rest.WarningHandlerWithContext.
func (w *warnings) HandleWarningHeaderWithContext(_ context.Context, _ int, _, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, text)
}

const wrong = `spec.components[0].properties.image: component "web": the property "image" is missing: expected string`

func TestAdmission(t *testing.T) {
	c, warned, core := hub(t)
	bad := build.App("default/bad").Component("web", "webservice", "ports: [{port: 80}]").Object()
	env.Eventually(t, "the API server to know whom to ask", func() (bool, error) {
		return c.Create(t.Context(), bad.DeepCopy(), client.DryRunAll) != nil, nil
	})
	err := c.Create(t.Context(), bad.DeepCopy())
	if err == nil || !strings.HasSuffix(err.Error(), "denied the request: "+wrong) {
		t.Fatalf("a bad Application: error = %v, want our words", err)
	}
	broken := build.ComponentDefinition("broken", "output: {\n  a: b.c\n}\n")
	broken.Namespace = "default"
	err = c.Create(t.Context(), broken)
	if err == nil || !strings.Contains(err.Error(), `spec.schematic.cue.template: line 2:6: output.a: refers to "b", which does not exist`) {
		t.Fatalf("a broken definition: error = %v, want the line", err)
	}
	doubtful := build.App("default/doubtful").Component("web", "webservice", "{image: nginx, imgae: nginx}").Object()
	if err := c.Create(t.Context(), doubtful); err != nil {
		t.Fatal(err)
	}
	want := []string{`spec.components[0].properties.imgae: component "web": type "webservice" has no such property (did you mean "image"?)`}
	if diff := cmp.Diff(want, warned.all); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}

	process, err := os.FindProcess(core())
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
	env.Eventually(t, "a control plane that is down refuses nobody", func() (bool, error) {
		err := c.Create(t.Context(), bad.DeepCopy())
		return err == nil, err
	})
	env.Eventually(t, "the control plane is back and tells the same", func() (bool, error) {
		app := &v1beta1.Application{}
		err := c.Get(t.Context(), client.ObjectKeyFromObject(bad), app)
		parsed := v1beta1.FindCondition(app.Status.Conditions, v1beta1.ConditionParsed)
		return parsed != nil && parsed.Message == wrong, err
	})
	env.Eventually(t, "mistakes are refused again", func() (bool, error) {
		again := build.App("default/again").Component("web", "webservice", "ports: [{port: 80}]").Object()
		err := c.Create(t.Context(), again, client.DryRunAll)
		return err != nil && strings.Contains(err.Error(), "denied the request: "+wrong), err
	})
}
