package cli_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// controlPlane runs vela-core on the server of the test package until the test
// ends.
func controlPlane(t *testing.T) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vela-core")
	if out, err := exec.Command("go", "build", "-o", path, "github.com/seed-c5f95f19/vela/cmd/vela-core").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "vela-core.log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--install", "--kubeconfig", env.Kubeconfig(t), "--metrics-bind-address", "0", "--health-probe-bind-address", "0")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed: the error says so
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("vela-core said:\n%s", text)
		}
	})
}

const notes = `apiVersion: core.oam.dev/v1beta1
kind: Application
metadata:
  name: notes
spec:
  components:
    - name: note
      type: k8s-objects
      properties:
        objects:
          - apiVersion: v1
            kind: ConfigMap
            metadata: {name: note}
            data: {text: hello}
          - apiVersion: v1
            kind: Secret
            metadata: {name: pass}
            stringData: {word: hunter2}
  policies:
    - name: here
      type: topology
      properties: {clusters: [local]}
  workflow:
    steps:
      - name: ask
        type: deploy
        properties: {auto: false, policies: [here]}
`

// TestStory walks what a person does: plan, deliver, look at what waits,
// approve exactly that, and delete. What changes in between voids what was
// looked at, and no secret is ever shown.
func TestStory(t *testing.T) {
	controlPlane(t)
	t.Run("plan, approve, delete", planApproveDelete)
	t.Run("publish, hold, end, repeat", publishHoldEndRepeat)
}

func planApproveDelete(t *testing.T) {
	ns, dir := env.Namespace(t), t.TempDir()
	k8s := env.Client(t)
	all := ""
	run := func(wantExit int, args ...string) result {
		t.Helper()
		r := vela(t, dir, append(args, "-n", ns)...)
		all += r.stdout + r.stderr
		if r.exit != wantExit {
			t.Fatalf("vela %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), r.exit, wantExit, r.stdout, r.stderr)
		}
		return r
	}
	digest := func(text string) string { return regexp.MustCompile(`sha256:[0-9a-f]{64}`).FindString(text) }
	has := func(r result, want string) {
		t.Helper()
		if !strings.Contains(r.stdout+r.stderr, want) {
			t.Fatalf("want %q in:\n%s%s", want, r.stdout, r.stderr)
		}
	}
	write(t, dir, "app.yaml", notes)
	planned := digest(run(0, "plan", "-f", "app.yaml").stdout)
	waiting := run(0, "up", "-f", "app.yaml", "--timeout", "1m")
	if first := digest(waiting.stdout); first != planned || first == "" {
		t.Fatalf("the step waits for %s, the plan of the file was %s", first, planned)
	}
	has(run(0, "plan", "notes"), planned)

	write(t, dir, "app.yaml", strings.Replace(notes, "hello", "goodbye", 1))
	second := digest(run(0, "up", "-f", "app.yaml", "--timeout", "1m").stdout)
	refused := run(1, "workflow", "resume", "notes", "--digest", planned)
	has(refused, "is not what would be done now")
	has(refused, "data.text: hello → goodbye")
	run(0, "workflow", "resume", "notes", "--digest", second[:len("sha256:")+16])
	has(run(0, "up", "-f", "app.yaml", "--wait-for", "healthy", "--timeout", "1m"), "running")

	note := &corev1.ConfigMap{}
	if err := k8s.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "note"}, note); err != nil || note.Data["text"] != "goodbye" {
		t.Fatalf("the object in the cluster = %v (%v), want the approved text", note.Data, err)
	}
	has(run(0, "status", "notes", "--tree"), "ConfigMap/note")
	has(run(0, "live-diff", "notes", "--revision", "1"), "data.text: hello → goodbye")
	var view struct {
		Steps []struct{ Summary string }
	}
	if err := json.Unmarshal([]byte(run(0, "live-diff", "notes", "-o", "json").stdout), &view); err != nil || view.Steps[0].Summary != "2 as wanted" {
		t.Errorf("live-diff = %+v (%v), want nothing different", view, err)
	}
	has(run(0, "delete", "notes", "--timeout", "1m"), "is deleted")
	env.EventuallyGone(t, note)
	if strings.Contains(all, "hunter2") || strings.Contains(all, "aHVudGVyMg") {
		t.Errorf("a secret was shown:\n%s", all)
	}
}

const pausing = `apiVersion: core.oam.dev/v1beta1
kind: Application
metadata:
  name: pausing
spec:
  components:
    - name: note
      type: k8s-objects
      properties:
        objects:
          - {apiVersion: v1, kind: ConfigMap, metadata: {name: pausing}}
  workflow:
    steps:
      - {name: ask, type: suspend}
      - {name: note, type: apply-component, properties: {component: note}}
`

// publishHoldEndRepeat: what people do to a workflow has an effect that the
// next command sees, and a version that is published anew is not taken for
// delivered because the one before was.
func publishHoldEndRepeat(t *testing.T) {
	ns, dir := env.Namespace(t), t.TempDir()
	write(t, dir, "app.yaml", pausing)
	for _, step := range []struct {
		args []string
		exit int
		want string
	}{
		{[]string{"up", "-f", "app.yaml", "--timeout", "1m"}, 0, "Step ask waits for the approval of its plan"},
		{[]string{"plan", "pausing"}, 0, "Step ask  waits for approval"},
		{[]string{"workflow", "resume", "pausing"}, 0, "Step ask: plan"},
		{[]string{"up", "-f", "app.yaml", "--wait-for", "healthy", "--timeout", "1m"}, 0, "running"},
		{[]string{"workflow", "resume", "pausing"}, 1, "it can only be restarted"},
		{[]string{"up", "-f", "app.yaml", "--publish-version", "two", "--timeout", "1m"}, 0, "Step ask waits for the approval of its plan"},
		{[]string{"workflow", "terminate", "pausing"}, 0, "is terminated"},
		{[]string{"up", "-f", "app.yaml", "--publish-version", "two", "--timeout", "1m"}, 1, "workflowTerminated"},
		{[]string{"status", "pausing"}, 1, "workflowTerminated"},
		{[]string{"workflow", "restart", "pausing"}, 0, "begins anew"},
		{[]string{"up", "-f", "app.yaml", "--publish-version", "two", "--timeout", "1m"}, 0, "Step ask waits for the approval of its plan"},
		{[]string{"workflow", "list"}, 0, "suspending"},
		{[]string{"delete", "pausing", "--timeout", "1m"}, 0, "is deleted"},
	} {
		r := vela(t, dir, append(step.args, "-n", ns)...)
		if r.exit != step.exit || !strings.Contains(r.stdout+r.stderr, step.want) {
			t.Fatalf("vela %s: exit code %d, want %d and %q\n%s%s", strings.Join(step.args, " "), r.exit, step.exit, step.want, r.stdout, r.stderr)
		}
		if strings.Contains(r.stdout, "the step still shows") {
			t.Fatalf("nothing changed, yet the plan is another one than the step shows:\n%s", r.stdout)
		}
	}
}

// TestClusters: a cluster joins, is listed, labelled, renamed and detached.
func TestClusters(t *testing.T) {
	dir := t.TempDir()
	member := env.Cluster(t, "member", env.WithoutCRDs())
	for _, step := range []struct {
		args []string
		exit int
		want string
	}{
		{[]string{"join", member.Kubeconfig(), "--name", "eu", "--labels", "region=eu"}, 0, "Cluster eu joined"},
		{[]string{"join", member.Kubeconfig(), "--name", "again"}, 1, `has joined already as "eu"`},
		{[]string{"labels", "add", "eu", "tier=gold"}, 0, "changed"},
		{[]string{"list"}, 0, "region=eu,tier=gold"},
		{[]string{"list", "-o", "name"}, 0, "local\neu\n"},
		{[]string{"labels", "del", "eu", "tier"}, 0, "changed"},
		{[]string{"rename", "eu", "europe"}, 0, "now called europe"},
		{[]string{"list", "-o", "json"}, 0, `"state": "ready"`},
		{[]string{"detach", "eu"}, 1, `no cluster "eu" has joined`},
		{[]string{"detach", "europe"}, 0, "is detached"},
	} {
		r := vela(t, dir, append([]string{"cluster"}, step.args...)...)
		if r.exit != step.exit || !strings.Contains(r.stdout+r.stderr, step.want) {
			t.Fatalf("vela cluster %s: exit code %d, want %d and %q\n%s%s", strings.Join(step.args, " "), r.exit, step.exit, step.want, r.stdout, r.stderr)
		}
	}
}
