package helm_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-c5f95f19/vela/pkg/helm"
)

// A schema of values reads nothing: no file, no URL, whatever it refers to.
func TestSchemasReadNothing(t *testing.T) {
	asked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		t.Errorf("the schema made a request for %s", q.URL)
		fmt.Fprint(w, `{"type": "integer"}`)
	}))
	t.Cleanup(asked.Close)
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret.json")
	write(t, secret, `{"type": "integer"}`)
	cases := map[string]string{
		"a URL":                   asked.URL + "/x.json",
		"a URL with a fragment":   asked.URL + "/x.json#/definitions/a",
		"a file":                  "file://" + secret,
		"a relative file":         "secret.json",
		"a file by absolute path": secret,
	}
	for name, target := range cases {
		t.Run(name, func(t *testing.T) {
			for keyword, schema := range map[string]string{
				"$ref":        `{"properties": {"a": {"$ref": %q}, "b": {"$ref": "#/definitions/text"}}, "definitions": {"text": {"type": "string"}}}`,
				"$dynamicRef": `{"$schema": "https://json-schema.org/draft/2020-12/schema", "properties": {"a": {"$dynamicRef": %q}, "b": {"type": "string"}}}`,
				"$schema":     `{"$schema": %q, "properties": {"b": {"type": "string"}}}`,
				"allOf":       `{"allOf": [{"$ref": %q}, {"properties": {"b": {"type": "string"}}}]}`,
				"$id":         `{"$id": "file:///", "properties": {"a": {"$ref": %q}, "b": {"type": "string"}}}`,
			} {
				chart := filepath.Join(dir, strings.ReplaceAll(name+keyword, " ", "-"))
				write(t, filepath.Join(chart, "Chart.yaml"), "apiVersion: v2\nname: x\nversion: 1.0.0\n")
				write(t, filepath.Join(chart, "values.schema.json"), fmt.Sprintf(schema, target))
				c, err := helm.NewStore(helm.Options{Local: dir}).Chart(t.Context(), helm.Source{Location: chart})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := c.Render(t.Context(), helm.Request{Release: "r", Values: map[string]any{"a": "text", "b": "text"}}); err != nil {
					t.Errorf("%s: Render() error = %v, want none: what is elsewhere may be anything", keyword, err)
				}
				// The rest of the schema counts.
				if _, err := c.Render(t.Context(), helm.Request{Release: "r", Values: map[string]any{"b": int64(1)}}); err == nil {
					t.Errorf("%s: values against the schema were taken", keyword)
				}
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
