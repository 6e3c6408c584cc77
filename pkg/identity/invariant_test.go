package identity_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Invariant 6: cluster and identity are arguments. Nothing below pkg puts a
// value into a context, so neither can travel unseen.
func TestInvariant6ClusterAndIdentityAreArguments(t *testing.T) {
	read := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		read++
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte("context.WithValue(")) {
			t.Errorf("%s puts a value into a context: hand it over as an argument", path)
		}
		return err
	})
	if err != nil || read < 100 {
		t.Fatalf("read %d files, %v", read, err)
	}
}
