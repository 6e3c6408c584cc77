package schema

import (
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// A folder has a file for each definition, and application.json finds them.
func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "schemas") + string(filepath.Separator)
	f := connect.New(console.Plain(strings.NewReader(""), io.Discard, io.Discard, time.Time{}), func(string) string { return "" }, t.TempDir())
	if err := export(t.Context(), &Options{Factory: f, Offline: true, Output: dir}); err != nil {
		t.Fatal(err)
	}
	s, err := jsonschema.NewCompiler().Compile(filepath.Join(dir, "application.json"))
	if err != nil {
		t.Fatal(err)
	}
	app := func(image string) any {
		return document(t, "apiVersion: core.oam.dev/v1beta1\nkind: Application\nmetadata: {name: a}\nspec: {components: [{name: a, type: webservice, properties: {image: "+image+"}}]}")
	}
	if err := s.Validate(app("nginx")); err != nil {
		t.Errorf("a right application: %v", err)
	}
	if err := s.Validate(app("5")); err == nil {
		t.Error("an image that is a number is accepted")
	}
	if _, err := jsonschema.NewCompiler().Compile(filepath.Join(dir, "trait.scaler.json")); err != nil {
		t.Errorf("the schema of a definition alone: %v", err)
	}
}
