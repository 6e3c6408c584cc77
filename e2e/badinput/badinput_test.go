package badinput

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/test/golden"
)

// Every archive is one mistake in app.yaml. world.yaml is there before; fixed.yaml
// is applied and gone.yaml deleted to put things right. A file named away shuts
// the door to the cluster far until then. A file named commands has the command
// lines to run; without it they are dry-run and up.
func TestBadInput(t *testing.T) {
	golden.Run(t, "testdata/*.txtar", func(t *testing.T, in golden.Files) golden.Files {
		name := filepath.Base(t.Name())
		out := golden.Files{}
		if _, text := in["malformed"]; !text { // else nothing but vela reads the file
			out["want/cluster.txt"] = inCluster(t, in, name)
		}
		t.Parallel() // from here on time is spent waiting
		out["want/commands.txt"] = onCommandLine(t, in, name)
		for name, text := range out {
			if found := forbidden.FindString(text); found != "" {
				t.Errorf("%s shows %q, which is nothing for users:\n%s", name, found, text)
			}
		}
		return out
	})
}

// forbidden is what no user may see: words of the engine, Go and the secret that
// the cases hold.
var forbidden = regexp.MustCompile(`_\|_|cannot use value|conflicting values|incomplete value|\*?v1beta1\.|map\[string\]|\[\]interface|unstructured\.|goroutine|runtime error|panic|hunter2|aHVudGVyMg`)

// inCluster delivers with kubectl's means and returns what they show. It fails
// when that changes without a cause, or does not go away with its cause.
func inCluster(t *testing.T, in golden.Files, name string) string {
	c, ns := here.client(t), "bad-"+name
	prepare(t, c, in, ns)
	key := client.ObjectKey{Namespace: ns, Name: "shop"}
	apply(t, c, ns, in["app.yaml"])
	app := settled(t, c, key)
	text := conditions(app) + events(t, c, ns, app) + objects(t, c, ns)
	atRest(t, c, app)
	apply(t, c, ns, in["fixed.yaml"])
	for _, o := range documents(t, ns, in["gone.yaml"]) {
		if err := c.Delete(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	if err := here.door.open(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() string { return "it runs:\n" + conditions(app) }, func() bool {
		return c.Get(t.Context(), key, app) == nil && app.Status.Phase == v1beta1.ApplicationRunning && app.Status.ObservedGeneration == app.Generation
	})
	remove(t, c, ns)
	return normal(text)
}

// prepare makes the namespace with what has to be there before.
func prepare(t *testing.T, c client.Client, in golden.Files, ns string) {
	t.Helper()
	if err := c.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}); err != nil {
		t.Fatal(err)
	}
	apply(t, c, ns, in["world.yaml"])
	for _, o := range documents(t, ns, in["world.yaml"]) {
		if o.GetKind() != v1beta1.ApplicationKind {
			continue
		}
		eventually(t, func() string { return o.GetName() + " runs" }, func() bool {
			app := &v1beta1.Application{}
			return c.Get(t.Context(), client.ObjectKeyFromObject(o), app) == nil && app.Status.Phase == v1beta1.ApplicationRunning
		})
	}
	if _, away := in["away"]; away {
		here.door.shut()
	}
}

func remove(t *testing.T, c client.Client, ns string) {
	t.Helper()
	if err := c.DeleteAllOf(t.Context(), &v1beta1.Application{}, client.InNamespace(ns)); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() string { return "the Applications of " + ns + " are gone" }, func() bool {
		apps := &v1beta1.ApplicationList{}
		return c.List(t.Context(), apps, client.InNamespace(ns)) == nil && len(apps.Items) == 0
	})
}

// settled waits until the Application says how it is.
func settled(t *testing.T, c client.Client, key client.ObjectKey) *v1beta1.Application {
	t.Helper()
	app := &v1beta1.Application{}
	eventually(t, func() string { return "it says what is wrong:\n" + conditions(app) }, func() bool {
		if c.Get(t.Context(), key, app) != nil {
			return false
		}
		ready := v1beta1.FindCondition(app.Status.Conditions, v1beta1.ConditionReady)
		return ready != nil && !slices.Contains([]string{v1beta1.ReasonCreating, v1beta1.ReasonUnavailable}, ready.Reason)
	})
	return app
}

// atRest fails when another look at the same Application writes anything.
func atRest(t *testing.T, c client.Client, app *v1beta1.Application) {
	t.Helper()
	key, before := client.ObjectKeyFromObject(app), conditions(app)
	for n := range 2 {
		looks := here.reconciles(t)
		poke := fmt.Appendf(nil, `{"metadata":{"annotations":{"poke":"%d"}}}`, n)
		if err := c.Patch(t.Context(), app, client.RawPatch(types.MergePatchType, poke)); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() string { return "the control plane looks at it again" }, func() bool { return here.reconciles(t) > looks })
	}
	now := &v1beta1.Application{}
	if err := c.Get(t.Context(), key, now); err != nil {
		t.Fatal(err)
	}
	if after := conditions(now); after != before {
		t.Errorf("the conditions change without a cause, from\n%s\nto\n%s", before, after)
	}
	if now.ResourceVersion != app.ResourceVersion {
		t.Errorf("the Application was written without a cause")
	}
}

// conditions shows those that say something.
func conditions(app *v1beta1.Application) string {
	text := "phase " + string(app.Status.Phase) + "\n"
	for _, c := range app.Status.Conditions {
		if c.Message != "" || c.Status != metav1.ConditionTrue {
			text += fmt.Sprintf("condition %s=%s %s: %s\n", c.Type, c.Status, c.Reason, c.Message)
		}
	}
	return text
}

// events waits for those of the Application: one says what the conditions say.
func events(t *testing.T, c client.Client, ns string, app *v1beta1.Application) string {
	t.Helper()
	list := &corev1.EventList{}
	said := func(message string) bool {
		return slices.ContainsFunc(list.Items, func(e corev1.Event) bool { return strings.HasSuffix(e.Message, message) })
	}
	eventually(t, func() string { return "the conditions are events too:\n" + conditions(app) }, func() bool {
		if c.List(t.Context(), list, client.InNamespace(ns)) != nil {
			return false
		}
		list.Items = slices.DeleteFunc(list.Items, func(e corev1.Event) bool { return e.InvolvedObject.Name != "shop" })
		if app.Status.Phase == v1beta1.ApplicationRunning && !said("runs and is healthy") {
			return false // events are written behind the status
		}
		return !slices.ContainsFunc(app.Status.Conditions, func(c v1beta1.Condition) bool { return c.Message != "" && !said(c.Message) })
	})
	var lines []string
	for _, e := range list.Items {
		lines = append(lines, fmt.Sprintf("event %s %s %dx: %s\n", e.Type, e.Reason, max(e.Count, 1), e.Message))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// objects lists what was delivered.
func objects(t *testing.T, c client.Client, ns string) string {
	t.Helper()
	var names []string
	for _, list := range []client.ObjectList{
		&corev1.ConfigMapList{}, &corev1.SecretList{}, &corev1.ServiceList{}, &appsv1.DeploymentList{}, &networkingv1.IngressList{},
	} {
		if err := c.List(t.Context(), list, client.InNamespace(ns), client.MatchingLabels{"app.oam.dev/name": "shop"}); err != nil {
			t.Fatal(err)
		}
		content, err := yaml.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		var u struct {
			Items []struct{ Metadata struct{ Name string } }
		}
		if err := yaml.Unmarshal(content, &u); err != nil {
			t.Fatal(err)
		}
		for _, o := range u.Items {
			names = append(names, strings.TrimSuffix(fmt.Sprintf("%T", list)[4:], "List")+"/"+o.Metadata.Name)
		}
	}
	slices.Sort(names)
	return "delivered: " + cmp.Or(strings.Join(names, " "), "nothing") + "\n"
}

// apply sends documents as kubectl would.
func apply(t *testing.T, c client.Client, ns, text string) {
	t.Helper()
	for _, o := range documents(t, ns, text) {
		if err := c.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("kubectl"), client.ForceOwnership); err != nil {
			t.Fatal(err)
		}
	}
}

func documents(t *testing.T, ns, text string) []*unstructured.Unstructured {
	t.Helper()
	var out []*unstructured.Unstructured
	for _, part := range strings.Split(text, "---\n") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(part), &o.Object); err != nil {
			t.Fatal(err)
		}
		o.SetNamespace(ns)
		out = append(out, o)
	}
	return out
}

// onCommandLine runs the commands and returns what they say, without progress.
func onCommandLine(t *testing.T, in golden.Files, name string) string {
	c, ns, dir := here.client(t), "cli-"+name, t.TempDir()
	prepare(t, c, in, ns)
	if err := os.WriteFile(filepath.Join(dir, "app.yaml"), []byte(in["app.yaml"]), 0o600); err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, line := range strings.Split(strings.TrimSpace(cmp.Or(in["commands"], "dry-run\nup")), "\n") {
		args := append(strings.Fields(line), "-f", "app.yaml")
		out, err := here.command(t.Context(), dir, "vela", append(args, "-n", ns, "--kubeconfig", here.hub)...)
		code := 0
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			code = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("$ vela %s\n%s(exit code %d)\n", strings.Join(args, " "), said(line, out), code)
	}
	if err := here.door.open(); err != nil {
		t.Fatal(err)
	}
	remove(t, c, ns)
	return normal(text)
}

// said leaves out how a delivery went on the way, and what was rendered.
func said(command, out string) string {
	if strings.HasPrefix(command, "plan") {
		return out
	}
	kept, told := "", false
	for line := range strings.Lines(out) {
		told = strings.HasPrefix(line, "Error:") || strings.HasPrefix(line, "Warning:") || told && strings.HasPrefix(line, "  ")
		if told {
			kept += line
		}
	}
	return kept
}

var unstable = []struct {
	pattern *regexp.Regexp
	stands  string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`), "TIME"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "ADDRESS"},
	{regexp.MustCompile(`sha256:[0-9a-f]{64}`), "sha256:..."},
}

// normal replaces what is different in every run.
func normal(text string) string {
	for _, u := range unstable {
		text = u.pattern.ReplaceAllString(text, u.stands)
	}
	return text
}
