package golden_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/test/golden"
)

const archive = `upper.txtar: text in capitals
-- a.txt --
one
-- in/b.txt --
two
-- want/a.txt --
old
`

func TestRunGivesInputAndUpdates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "upper.txtar")
	if err := os.WriteFile(path, []byte(archive), 0o600); err != nil {
		t.Fatal(err)
	}
	var seen golden.Files
	upper := func(_ *testing.T, in golden.Files) golden.Files {
		seen = in
		return golden.Files{"want/a.txt": strings.ToUpper(in["a.txt"]), "want/b.txt": strings.ToUpper(in["in/b.txt"])}
	}
	t.Setenv("UPDATE", "1")
	golden.Run(t, path, upper)
	if diff := cmp.Diff(golden.Files{"a.txt": "one\n", "in/b.txt": "two\n"}, seen); diff != "" {
		t.Errorf("input of run (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"b.txt"}, seen.Under("in")); diff != "" {
		t.Errorf("Under(in) (-want +got):\n%s", diff)
	}
	t.Setenv("UPDATE", "")
	golden.Run(t, path, upper) // fails when the update was not written
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(archive, "-- want/a.txt --\nold\n", "-- want/a.txt --\nONE\n-- want/b.txt --\nTWO\n", 1)
	if diff := cmp.Diff(want, string(data)); diff != "" {
		t.Errorf("archive after UPDATE=1 (-want +got):\n%s", diff)
	}
}
