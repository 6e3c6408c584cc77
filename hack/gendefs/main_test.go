package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/definition"
)

func TestRunWritesWhatFilesRead(t *testing.T) {
	dir := t.TempDir()
	stale := filepath.Join(dir, "trait-gone.yaml")
	if err := os.WriteFile(stale, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); !os.IsNotExist(err) {
		t.Errorf("the file of a definition that is gone is still there (%v)", err)
	}
	got, err := definition.FromFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	want, err := definition.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(digests(t, want), digests(t, got)); diff != "" {
		t.Errorf("definitions read from the written files (-want +got):\n%s", diff)
	}
}

func digests(t *testing.T, s *definition.Static) map[string]string {
	t.Helper()
	all, err := s.All()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, d := range all {
		out[string(d.Kind)+"/"+d.Name] = d.Digest
	}
	return out
}
