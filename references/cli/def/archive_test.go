package def_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/references/cli/clitest"
)

// `vela def test` writes what is not there yet, passes, and shows what differs.
func TestDefTest(t *testing.T) {
	t.Chdir(t.TempDir())
	put := func(name, text string) {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	vela := func(exit int, args ...string) string {
		t.Helper()
		stdout, stderr, got := clitest.Command(t, nil, "", append([]string{"def", "test"}, args...)...)
		if got != exit {
			t.Errorf("def test %v: exit %d, want %d\n%s%s", args, got, exit, stdout, stderr)
		}
		return stdout + stderr
	}
	same := func(what, got string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(strings.Join(want, "\n")+"\n", got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	put("hello/hello.cue", hello)
	put("hello/plain.txtar", "Whom it greets.\n-- parameter.yaml --\n{}\n-- workload.yaml --\napiVersion: v1\nkind: Pod\n")
	put("hello/wrong.txtar", "A number is no name.\n-- parameter.yaml --\nto: 5\n")

	same("a new test", vela(1, "hello"),
		"FAIL hello/plain.txtar", "  want.yaml was not wanted, and came out:",
		"  apiVersion: v1", "  kind: Pod", "  metadata:", "    labels:", "      hello: you",
		"FAIL hello/wrong.txtar", "  want/error was not wanted, and came out:",
		`  spec.components[0].traits[0].properties.to: trait "hello" of component "example": expected string, got int 5`,
		"Error: 2 of 2 tests failed", "  → when the new result is right, write it: vela def test --update hello")
	same("--update", vela(0, "hello", "--update"), "hello/plain.txtar: written", "hello/wrong.txtar: written", "2 tests written")
	same("a written test", vela(0, "hello"), "ok   hello/plain.txtar", "ok   hello/wrong.txtar", "2 tests passed")
	same("--run", vela(0, "hello", "--run", "wrong"), "ok   hello/wrong.txtar", "1 test passed")
	data, err := os.ReadFile("hello/plain.txtar")
	if err != nil {
		t.Fatal(err)
	}
	same("the archive", string(data), "Whom it greets.", "-- parameter.yaml --", "{}", "-- workload.yaml --", "apiVersion: v1", "kind: Pod",
		"-- want.yaml --", "apiVersion: v1", "kind: Pod", "metadata:", "  labels:", "    hello: you")

	put("hello/hello.cue", strings.Replace(hello, `*"you" | string`, `*"all" | string | int`, 1))
	same("a changed definition", vela(1, "hello/hello.cue"),
		"FAIL hello/plain.txtar", "  want.yaml (- wanted, + came out):", "  @@ line 2 @@", "   kind: Pod", "   metadata:", "     labels:",
		"  -    hello: you", "  +    hello: all",
		"FAIL hello/wrong.txtar", "  want.yaml was not wanted, and came out:", "  apiVersion: apps/v1", "  kind: Deployment",
		"  metadata:", "    labels:", "      hello: 5", "    name: example", "  spec:", "    selector:", "      matchLabels:", "        app: example",
		"    template:", "      metadata:", "        labels:", "          app: example", "      spec:", "        containers:", "        - image: nginx", "          name: example",
		"  want/error was wanted, and did not come out",
		"Error: 2 of 2 tests failed", "  → when the new result is right, write it: vela def test --update hello/hello.cue")

	put("hello/hello.cue", strings.Replace(hello, "hello: parameter.to", "hello: parametr.to", 1))
	if got := vela(1, "hello", "--run", "plain"); !strings.Contains(got, `refers to "parametr"`) {
		t.Errorf("a broken definition: %s", got)
	}
	put("empty/readme.md", "")
	same("no tests", vela(1, "empty"), "Error: empty: no tests found", "  → a test is a file *.txtar beside its definition; see docs/definition-tests.md")
}
