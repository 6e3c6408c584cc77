package preview_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/preview"
	"github.com/seed-c5f95f19/vela/references/cli/source"
)

const app = `apiVersion: core.oam.dev/v1beta1
kind: Application
metadata: {name: shop, namespace: default}
spec: {components: [{name: web, type: loud, properties: {text: hi}}]}
`

const definition = `import "ext/words"

loud: {type: "component", attributes: workload: definition: {apiVersion: "v1", kind: "ConfigMap"}}
template: {
	word: words.#Loud & {$params: text: parameter.text}
	output: {apiVersion: "v1", kind: "ConfigMap", metadata: name: context.name, data: text: word.$returns.text}
	parameter: text: string
}
`

const object = `apiVersion: cue.oam.dev/v1alpha1
kind: Package
metadata: {name: words}
spec:
  path: ext/words
  provider: {protocol: http, endpoint: "ENDPOINT"}
  templates:
    words.cue: |
      #Loud: {#do: "loud", #provider: "words", $params: text: string, $returns?: text: string}
`

// A preview executes the functions of Packages: on this machine offline too, and
// nowhere else then.
func TestPreviewCallsFunctions(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, `{"text": %q}`, r.URL.Path+" "+string(body))
	}))
	defer server.Close()
	cases := map[string]struct{ endpoint, want, wantErr string }{
		"a server on this machine": {endpoint: server.URL, want: `/loud {"text":"hi"}`},
		"a server elsewhere":       {endpoint: "http://203.0.113.7", wantErr: "offline, only servers on this machine are asked, not 203.0.113.7"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range map[string]string{"loud.cue": definition, "words.yaml": strings.Replace(object, "ENDPOINT", tc.endpoint, 1)} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			docs, err := source.Parse("app.yaml", []byte(app))
			if err != nil {
				t.Fatal(err)
			}
			p, err := preview.New(preview.Options{Factory: &connect.Factory{}, Documents: docs, DefinitionDirs: []string{dir}, Offline: true})
			if err != nil {
				t.Fatal(err)
			}
			b, err := p.Blueprint(t.Context(), p.Apps[0])
			if err != nil {
				t.Fatal(err)
			}
			rendered, _, err := p.Render(t.Context(), p.Apps[0], b)
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Errorf("error = %v, want %q", err, tc.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			data := rendered[0].Manifests[0].Object.Object["data"].(map[string]any)
			if data["text"] != tc.want {
				t.Errorf("text = %q, want %q", data["text"], tc.want)
			}
		})
	}
}
