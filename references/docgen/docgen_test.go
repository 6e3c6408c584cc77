package docgen_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/references/cli"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/docgen"
)

// TestReferenceIsUpToDate: docs/cli says what the commands say of themselves.
func TestReferenceIsUpToDate(t *testing.T) {
	f := connect.New(console.Plain(nil, nil, nil, time.Time{}), func(string) string { return "" }, "")
	want := docgen.CLI(cli.NewRoot(f))
	dir := filepath.Join("..", "..", "docs", "cli")
	if os.Getenv("UPDATE") != "" {
		update(t, dir, want)
		return
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got[filepath.Base(file)] = string(text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/cli mismatch (-want +got); UPDATE=1 writes it:\n%s", diff)
	}
}

func update(t *testing.T, dir string, pages map[string]string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(pages[name]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
