// Package golden runs tests that are txtar archives: some files of an archive
// are the input, those under want are the output. `UPDATE=1 go test` writes
// the output that the code gives now into the archives, to be reviewed like
// code. It knows nothing of what is tested.
package golden

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// Files are the files of an archive by name.
type Files map[string]string

// Under returns the files below a folder, by their names in it, sorted.
func (f Files) Under(dir string) []string {
	var names []string
	for name := range f {
		if rest, ok := strings.CutPrefix(name, dir+"/"); ok {
			names = append(names, rest)
		}
	}
	slices.Sort(names)
	return names
}

// Run makes a subtest of every archive that matches a pattern of
// filepath.Glob. run gets the files that are input and returns the output:
// "want.yaml" and files under "want/". No archive at all is a failure.
func Run(t *testing.T, pattern string, run func(t *testing.T, in Files) Files) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files match %q (%v)", pattern, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			in, want := split(archive)
			got := run(t, in)
			if os.Getenv("UPDATE") != "" {
				update(t, path, archive, got)
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s mismatch (-want +got); UPDATE=1 writes it:\n%s", path, diff)
			}
		})
	}
}

// isWant reports whether a file of an archive is output.
func isWant(name string) bool {
	return strings.HasPrefix(name, "want/") || strings.TrimSuffix(name, filepath.Ext(name)) == "want"
}

func split(archive *txtar.Archive) (in, want Files) {
	in, want = Files{}, Files{}
	for _, f := range archive.Files {
		if isWant(f.Name) {
			want[f.Name] = string(f.Data)
		} else {
			in[f.Name] = string(f.Data)
		}
	}
	return in, want
}

// update writes the archive with got as its output.
func update(t *testing.T, path string, archive *txtar.Archive, got Files) {
	t.Helper()
	archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return isWant(f.Name) })
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if !isWant(name) {
			t.Fatalf("%q is not a name of output: it must be want.* or under want/", name)
		}
		archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(got[name])})
	}
	if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}
