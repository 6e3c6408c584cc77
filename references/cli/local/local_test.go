package local

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// program writes an executable script and returns its path.
func program(t *testing.T, dir, script string) string {
	t.Helper()
	path := filepath.Join(dir, binary)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func options(out *bytes.Buffer, self string, env map[string]string, args ...string) *Options {
	io := console.IO{In: strings.NewReader("said"), Out: out, Err: out}
	getenv := func(name string) string { return env[name] }
	return &Options{
		Factory: connect.New(io, getenv, ""), Args: args,
		Self: func() (string, error) { return self, nil },
	}
}

func TestFind(t *testing.T) {
	beside, named, inPath, empty := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	program(t, beside, "")
	program(t, inPath, "")
	env := map[string]string{variable: program(t, named, "")}
	cases := map[string]struct {
		self, path string
		env        map[string]string
		want       string
		wantErr    string
	}{
		"the one beside the executable comes first": {self: beside, path: inPath, env: env, want: filepath.Join(beside, binary)},
		"then the variable":                         {self: empty, path: inPath, env: env, want: filepath.Join(named, binary)},
		"then the PATH":                             {self: empty, path: inPath, want: filepath.Join(inPath, binary)},
		"a variable that points nowhere is an error": {
			self: empty, path: inPath, env: map[string]string{variable: "/nowhere/vela-local"},
			wantErr: "VELA_LOCAL points to /nowhere/vela-local, which is not there",
		},
		"without any, the error says how to build it": {self: empty, path: empty, wantErr: "vela-local is not installed: it is neither beside this program, nor named by VELA_LOCAL, nor in the PATH"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PATH", tc.path)
			got, err := find(options(&bytes.Buffer{}, filepath.Join(tc.self, "vela"), tc.env))
			msg := ""
			if err != nil {
				msg = err.Error()
			}
			if diff := cmp.Diff([]string{tc.want, tc.wantErr}, []string{got, msg}); diff != "" {
				t.Errorf("find() path and error mismatch (-want +got):\n%s", diff)
			}
			var hint *console.HintError
			if tc.self == empty && tc.path == empty && !(errors.As(err, &hint) && strings.Contains(hint.Next[0], "make build")) {
				t.Errorf("error %v has no hint how to build", err)
			}
		})
	}
}

func TestExecute(t *testing.T) {
	cases := map[string]struct {
		script  string
		wantOut string
		wantErr string
	}{
		"arguments and streams pass through":            {script: `echo "$@"; cat`, wantOut: "status -o json\nsaid"},
		"its error is ours, without its prefix":         {script: `echo half; echo "error: hub is down" >&2; exit 1`, wantOut: "half\n", wantErr: "hub is down"},
		"an exit code without a word is still an error": {script: `exit 3`, wantErr: "exit status 3"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			program(t, dir, tc.script)
			var out bytes.Buffer
			err := execute(t.Context(), options(&out, filepath.Join(dir, "vela"), nil, "status", "-o", "json"))
			if diff := cmp.Diff(tc.wantOut, out.String()); diff != "" {
				t.Errorf("output mismatch (-want +got):\n%s", diff)
			}
			if (err == nil) != (tc.wantErr == "") || err != nil && !strings.HasSuffix(err.Error(), tc.wantErr) {
				t.Errorf("error = %v, want %q", err, tc.wantErr)
			}
		})
	}
}

func TestFlagsBelongToVelaLocal(t *testing.T) {
	var got []string
	cmd := NewCommand(connect.New(console.IO{}, os.Getenv, ""), func(_ context.Context, o *Options) error {
		got = o.Args
		return nil
	})
	cmd.SetArgs([]string{"start", "--members", "a,b", "--help"})
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"start", "--members", "a,b", "--help"}, got); diff != "" {
		t.Errorf("arguments for vela-local (-want +got):\n%s", diff)
	}
}
