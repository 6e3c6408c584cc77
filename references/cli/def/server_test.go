package def_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/test/env"
	"github.com/seed-c5f95f19/vela/references/cli"
	"github.com/seed-c5f95f19/vela/references/cli/clitest"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// A session is a person at a terminal in front of a real API server.
type session struct {
	t      *testing.T
	editor string
	ns     string
}

// run runs a command line and returns what it printed.
func (s session) run(args ...string) (stdout, stderr string, exit int) {
	s.t.Helper()
	var out, errOut bytes.Buffer
	io := console.Plain(strings.NewReader(""), &out, &errOut, clitest.Now())
	getenv := func(name string) string {
		switch name {
		case "EDITOR":
			return s.editor
		case "PATH":
			return os.Getenv("PATH")
		}
		return ""
	}
	f := connect.New(io, getenv, s.t.TempDir())
	root := cli.NewRoot(f)
	root.SetArgs(append([]string{"--kubeconfig", env.Kubeconfig(s.t)}, append(args, "-n", s.ns)...))
	exit = io.Exit(cli.Explain(f, root.ExecuteContext(s.t.Context())))
	return out.String(), errOut.String(), exit
}

func write(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

const hello = `hello: {
	type:        "trait"
	description: "Greets."
}
template: {
	patch: metadata: labels: hello: parameter.to
	parameter: to: *"you" | string
}
`

// The life of a definition against a real API server: what is the same is not
// written again, what changes is shown before, and it can be taken out.
func TestDefinitionInACluster(t *testing.T) {
	s := session{t: t, ns: env.Namespace(t)}
	file := write(t, "hello.cue", hello, 0o600)
	changed := write(t, "hello.cue", strings.Replace(hello, `"you"`, `"all"`, 1), 0o600)
	steps := []struct {
		args         []string
		stderr, want string // stdout
		exit         int
	}{
		{args: []string{"def", "apply", file}, stderr: "trait hello created in NS\n"},
		{args: []string{"def", "apply", file}, stderr: "trait hello unchanged in NS\n"},
		{args: []string{"def", "list"}, want: "NAME    TYPE    NAMESPACE   SOURCE-ADDON   ALIAS   DESCRIPTION\nhello   trait   NS   -              -       Greets.\n"},
		{args: []string{"def", "apply", changed}, stderr: "trait hello changed in NS\n"},
		{args: []string{"def", "get", "hello", "--revisions"}, stderr: "hello has no revisions: the control plane makes the first one\n"},
		{args: []string{"def", "del", "hello"}, stderr: "trait NS/hello is deleted\n"},
		{args: []string{"def", "get", "hello"}, exit: 1, stderr: "Error: there is no definition \"hello\" in namespace NS\n  → see what there is: vela def list -n NS\n"},
	}
	for _, step := range steps {
		stdout, stderr, exit := s.run(step.args...)
		got := []any{spaced(strings.ReplaceAll(stdout, s.ns, "NS")), strings.ReplaceAll(stderr, s.ns, "NS"), exit}
		if diff := cmp.Diff([]any{spaced(step.want), step.stderr, step.exit}, got); diff != "" {
			t.Errorf("vela %s (-want +got):\n%s", strings.Join(step.args, " "), diff)
		}
	}
}

// spaced ignores how wide columns are: the name of the namespace differs.
func spaced(s string) string {
	var out []string
	for line := range strings.Lines(s) {
		out = append(out, strings.Join(strings.Fields(line), " "))
	}
	return strings.Join(out, "\n")
}

// A dry-run writes nothing, prints the object, and shows the difference.
func TestApplyDryRunShowsTheDifference(t *testing.T) {
	s := session{t: t, ns: env.Namespace(t)}
	if _, stderr, exit := s.run("def", "apply", write(t, "hello.cue", hello, 0o600)); exit != 0 {
		t.Fatal(stderr)
	}
	changed := write(t, "hello.cue", strings.Replace(hello, `"you"`, `"all"`, 1), 0o600)
	stdout, stderr, exit := s.run("def", "apply", "--dry-run", changed)
	if exit != 0 || !strings.Contains(stdout, `parameter: to: *"all" | string`) {
		t.Errorf("exit %d, stdout:\n%s", exit, stdout)
	}
	for _, want := range []string{"would change:", `-	parameter: to: *"you" | string`, `+	parameter: to: *"all" | string`} {
		if !strings.Contains(stderr, want) {
			t.Errorf("stderr has no %q:\n%s", want, stderr)
		}
	}
	if live, _, _ := s.run("def", "get", "hello"); !strings.Contains(live, `*"you"`) {
		t.Errorf("the dry-run has changed the definition:\n%s", live)
	}
}

// An edit that is wrong comes back with the mistake above its line; saved as it
// is once more, it is given up and kept.
func TestEdit(t *testing.T) {
	cases := map[string]struct {
		editor string // a shell script; $1 is the file
		exit   int
		stderr []string
		live   string
	}{
		"nothing changed, nothing written": {
			editor: "true\n",
			stderr: []string{"hello is not changed"},
			live:   `*"you"`,
		},
		"a right edit is applied": {
			editor: "sed -i 's/\"you\"/\"all\"/' \"$1\"\n",
			stderr: []string{"hello changed"},
			live:   `*"all"`,
		},
		"a wrong edit can be corrected": {
			editor: "if grep -q '//! ' \"$1\"; then sed -i 's/parametr/parameter/' \"$1\"; else sed -i 's/: parameter.to/: parametr.to/; s/\"you\"/\"us\"/' \"$1\"; fi\n",
			stderr: []string{`refers to "parametr"`, "hello changed"},
			live:   `*"us"`,
		},
		"a wrong edit that stays wrong is given up": {
			editor: "sed -i 's/: parameter.to/: parametr.to/' \"$1\"\n",
			exit:   1,
			stderr: []string{`refers to "parametr"`, "what you wrote is kept: "},
			live:   `parameter.to`,
		},
		"a definition cannot become another one": {
			editor: "sed -i 's/^\"hello\"/\"goodbye\"/' \"$1\"\n",
			exit:   1,
			stderr: []string{"no longer trait hello"},
			live:   `"hello"`,
		},
		"an editor that does not exist is told": {
			editor: "-",
			exit:   1,
			stderr: []string{"choose another editor"},
			live:   `*"you"`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := session{t: t, ns: env.Namespace(t), editor: "/nowhere/editor"}
			if tc.editor != "-" {
				s.editor = write(t, "editor", "#!/bin/sh\n"+tc.editor, 0o700)
			}
			t.Setenv("TMPDIR", t.TempDir())
			if _, stderr, exit := s.run("def", "apply", write(t, "hello.cue", hello, 0o600)); exit != 0 {
				t.Fatal(stderr)
			}
			_, stderr, exit := s.run("def", "edit", "hello")
			if exit != tc.exit {
				t.Errorf("exit %d, want %d:\n%s", exit, tc.exit, stderr)
			}
			for _, want := range tc.stderr {
				if !strings.Contains(stderr, want) {
					t.Errorf("stderr has no %q:\n%s", want, stderr)
				}
			}
			if live, _, _ := s.run("def", "get", "hello"); !strings.Contains(live, tc.live) {
				t.Errorf("the definition has no %q:\n%s", tc.live, live)
			}
		})
	}
}
