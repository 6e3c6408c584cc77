//go:build linux

package worker_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/worker"
)

// replaceMe makes this program put another one in its own place and then evaluate.
const replaceMe = "VELA_TEST_REPLACE_ME"

// replaced does what the test asks a copy of this program to do.
func replaced() {
	if os.Getenv(replaceMe) == "" {
		return
	}
	if err := afterReplacement(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func afterReplacement() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	p := worker.NewPool(worker.Options{})
	defer p.Close()
	if err := os.Remove(self); err != nil {
		return err
	}
	if err := os.WriteFile(self, []byte("#!/bin/sh\nexit 3\n"), 0o700); err != nil { //nolint:gosec // a program
		return err
	}
	tmpl, err := cue.NewEngine(cue.Options{Sandbox: p}).Compile(cue.Source{Kind: "trait", Name: "test", Text: full + `parameter: a: string, output: v: parameter.a`})
	if err != nil {
		return err
	}
	res, err := tmpl.Eval(context.Background(), cue.Input{Parameter: map[string]any{"a": "still here"}})
	if err != nil {
		return err
	}
	out, err := res.Output()
	fmt.Println(out["v"])
	return err
}

// An upgrade that replaces the program under a running process leaves that its
// workers: they are the same program, whatever lies at its path now.
func TestWorkersOfAReplacedProgram(t *testing.T) {
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, self, 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path)
	cmd.Env = append(os.Environ(), replaceMe+"=yes")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "still here") {
		t.Errorf("the program says %q, %v, want the value", out, err)
	}
}
