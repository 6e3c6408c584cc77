package deftest_test

import (
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/deftest"
	"github.com/seed-c5f95f19/vela/pkg/test/golden"
)

// revision matches the revision of a component in a label.
var revision = regexp.MustCompile(`(app.oam.dev/revision: \w+)-[0-9a-f]{10}`)

// The tests of what ships are written in the form that authors use, so they
// have to pass here too.
func TestWhatShipsPassesAsAuthorsTests(t *testing.T) {
	builtin, err := definition.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob("../../definition/builtin/*/*/*.txtar")
	if err != nil || len(paths) < 50 {
		t.Fatalf("found %d archives (%v)", len(paths), err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			runner, err := deftest.New(deftest.Options{Definitions: builtin, Charts: filepath.Join(filepath.Dir(path), "testdata")})
			if err != nil {
				t.Fatal(err)
			}
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			in, want := deftest.Split(archive)
			got, err := runner.Run(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			delete(got, "want/warnings")  // what is odd about an example is not its subject
			for name, text := range got { // their engine has no revisions of components
				got[name] = revision.ReplaceAllString(text, "$1-v1")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s mismatch (-want +got):\n%s", path, diff)
			}
		})
	}
}

// What comes out of a test with definitions of its own. The archive holds the
// definitions as CUE; the one in subject.cue is under test.
func TestRun(t *testing.T) {
	golden.Run(t, "testdata/*.txtar", func(t *testing.T, in golden.Files) golden.Files {
		obj, err := definition.ParseCUE("subject.cue", in["subject.cue"])
		if err != nil {
			t.Fatal(err)
		}
		own, err := definition.Of(obj)
		if err != nil {
			t.Fatal(err)
		}
		all, err := own.All()
		if err != nil {
			t.Fatal(err)
		}
		builtin, err := definition.Builtin()
		if err != nil {
			t.Fatal(err)
		}
		runner, err := deftest.New(deftest.Options{
			Definitions: definition.Chain(own, builtin), Subject: definition.Ref{Kind: all[0].Kind, Name: all[0].Name},
		})
		if err != nil {
			t.Fatal(err)
		}
		input := deftest.Files{}
		for name, text := range in {
			if name != "subject.cue" {
				input[name] = text
			}
		}
		out, err := runner.Run(t.Context(), input)
		if err != nil {
			return golden.Files{"want/archive": err.Error() + "\n"}
		}
		return golden.Files(out)
	})
}
