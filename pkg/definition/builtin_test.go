package definition_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cuelang.org/go/cue/format"
	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/definition"
)

// The built-ins are formatted and stay what they are when they go through a
// cluster and back. UPDATE=1 formats them.
func TestBuiltinFiles(t *testing.T) {
	files, err := filepath.Glob("builtin/*/*/*.cue")
	if err != nil || len(files) == 0 {
		t.Fatalf("no built-in definitions (%v)", err)
	}
	offered, err := filepath.Glob("builtin/registry/*/*/*.cue")
	if err != nil || len(offered) == 0 {
		t.Fatalf("no definitions in the registry (%v)", err)
	}
	files = append(files, offered...)
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(strings.TrimSuffix(file, ".cue") + ".txtar"); err != nil {
				t.Errorf("there is no golden file: %v", err)
			}
			formatted, err := format.Source(text, format.Simplify())
			if err != nil {
				t.Fatal(err)
			}
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(file, formatted, 0o600); err != nil {
					t.Fatal(err)
				}
			} else if string(formatted) != string(text) {
				t.Errorf("%s is not formatted; UPDATE=1 does it", file)
			}
			first := parse(t, string(formatted))
			// Built-ins are found by their folders, before they are parsed.
			folder := filepath.Dir(filepath.Dir(filepath.Dir(file)))
			if want := folder + "/" + strings.ReplaceAll(string(first.Kind), "-", "") + "/" + first.Name + "/" + first.Name + ".cue"; file != want {
				t.Errorf("it describes the %s %q, which belongs into %s", first.Kind, first.Name, want)
			}
			again, err := definition.FormatCUE(first.Object)
			if err != nil {
				t.Fatal(err)
			}
			if second := parse(t, again); second.Digest != first.Digest {
				t.Errorf("the spec changes when it is formatted and parsed again (-first +second):\n%s", cmp.Diff(first.Object, second.Object))
			}
		})
	}
}

func parse(t *testing.T, text string) definition.Definition {
	t.Helper()
	obj, err := definition.ParseCUE("test.cue", text)
	if err != nil {
		t.Fatal(err)
	}
	d, err := definition.FromObject(obj)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
