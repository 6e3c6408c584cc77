package source_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/references/cli/source"
)

const twoDocuments = `# first
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
---
apiVersion: core.oam.dev/v1beta1
kind: Application
metadata:
  name: app
  annotations:
    "example.com/key": x
spec:
  components:
    - name: web
      type: webservice
      properties:
        image: nginx
        ports:
          - port: 80
      trait:
        - type: scaler
`

func TestAt(t *testing.T) {
	docs, err := source.Parse("app.yaml", []byte(twoDocuments))
	if err != nil {
		t.Fatal(err)
	}
	if len(docs) != 2 {
		t.Fatalf("Parse() = %d documents, want 2", len(docs))
	}
	cases := map[string]struct{ path, want string }{
		"a field":                            {"spec.components[0].properties.image", "app.yaml:17:9"},
		"an item of a list":                  {"spec.components[0].properties.ports[0]", "app.yaml:19:13"},
		"a missing field points at its map":  {"spec.components[0].properties.cpu", "app.yaml:16:7"},
		"a missing item points at its list":  {"spec.components[4].name", "app.yaml:13:3"},
		"a key in quotes":                    {`metadata.annotations["example.com/key"]`, "app.yaml:11:5"},
		"a path without the index":           {"spec.components.type", "app.yaml:15:7"},
		"nothing is the start":               {"", "app.yaml:6:1"},
		"something unknown is the start too": {"nothing", "app.yaml:6:1"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := docs[1].At(tc.path); got != tc.want {
				t.Errorf("At(%q) = %s, want %s", tc.path, got, tc.want)
			}
		})
	}
}

func TestDecode(t *testing.T) {
	cases := map[string]struct {
		text         string
		wantWarnings []string
		wantErr      string
	}{
		"an unknown field is a warning with what was meant": {
			text:         twoDocuments,
			wantWarnings: []string{`app.yaml:20:7: Application has no field spec.components[0].trait; did you mean "traits"?`},
		},
		"a field of an embedded struct goes by the name in the file": {
			text:    "kind: Application\napiVersion: core.oam.dev/v1beta1\nspec:\n  workflow:\n    steps:\n    - name: true\n      type: suspend\n",
			wantErr: "app.yaml:6:7: spec.workflow.steps.name must be text, not true or false",
		},
		"a map where a list belongs": {
			text:    "kind: Application\napiVersion: core.oam.dev/v1beta1\nspec:\n  components:\n    name: web\n",
			wantErr: "app.yaml:4:3: spec.components must be a list, not a map",
		},
		"a number where text belongs": {
			text:    "kind: Application\napiVersion: core.oam.dev/v1beta1\nspec:\n  components:\n  - name: web\n    type: 3\n",
			wantErr: "app.yaml:6:5: spec.components.type must be text, not a number",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			docs, err := source.Parse("app.yaml", []byte(tc.text))
			if err != nil {
				t.Fatal(err)
			}
			warnings, err := docs[len(docs)-1].Decode(&v1beta1.Application{})
			if diff := cmp.Diff(tc.wantWarnings, warnings); diff != "" {
				t.Errorf("Decode() warnings mismatch (-want +got):\n%s", diff)
			}
			if got := text(err); got != tc.wantErr {
				t.Errorf("Decode() error = %q, want %q", got, tc.wantErr)
			}
		})
	}
}

func TestParse(t *testing.T) {
	cases := map[string]struct {
		text    string
		want    []string // kinds
		wantErr string
		warn    string
	}{
		"comments alone are no document": {text: "# nothing\n---\n# at all\n"},
		"a list is opened": {
			text: "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret}\n- {apiVersion: v1, kind: ConfigMap}\n",
			want: []string{"Secret", "ConfigMap"},
		},
		"no kind": {
			text:    "---\napiVersion: v1\n",
			wantErr: "app.yaml:2:1: the document has no kind",
		},
		"not an object": {
			text:    "- a\n- b\n",
			wantErr: "app.yaml:1:1: want an object with apiVersion and kind, got a list",
		},
		"malformed, in the second document": {
			text:    "apiVersion: v1\nkind: ConfigMap\n---\nkind: Application\nspec:\n  a: b: c\n",
			wantErr: "app.yaml:6: not valid YAML: mapping values are not allowed in this context\n  6 |   a: b: c",
		},
		"a line that is indented less than its neighbours is named, not where they begin": {
			text:    "spec:\n  components:\n    - name: web\n      properties:\n        image: nginx\n       cmd: [sleep]\n",
			wantErr: "app.yaml:6: not valid YAML: did not find expected key\n  6 |        cmd: [sleep]",
		},
		"a list that is not closed": {
			text:    "kind: Application\nspec:\n  args: [a, b\n  more: c\n",
			wantErr: "app.yaml:4: not valid YAML: did not find expected ',' or ']'\n  4 |   more: c",
		},
		"a tab": {
			text:    "kind: Application\nspec:\n\tcomponents: []\n",
			wantErr: "app.yaml:3: not valid YAML: found character that cannot start any token\n  3 | \tcomponents: []",
		},
		"a key written twice": {
			text: "apiVersion: v1\nkind: ConfigMap\ndata:\n  a: b\n  a: c\n",
			want: []string{"ConfigMap"},
			warn: `app.yaml:5:3: "a" is written twice, first in line 4; the last one counts`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			docs, err := source.Parse("app.yaml", []byte(tc.text))
			if got := text(err); got != tc.wantErr {
				t.Fatalf("Parse() error = %q, want %q", got, tc.wantErr)
			}
			var kinds, warnings []string
			for _, doc := range docs {
				kinds = append(kinds, doc.Object.GetKind())
				warnings = append(warnings, doc.Warnings...)
			}
			if diff := cmp.Diff(tc.want, kinds); diff != "" {
				t.Errorf("Parse() mismatch (-want +got):\n%s", diff)
			}
			if got := strings.Join(warnings, "\n"); got != tc.warn {
				t.Errorf("Parse() warnings = %q, want %q", got, tc.warn)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestLocate(t *testing.T) {
	docs, err := source.Parse("app.yaml", []byte(twoDocuments+"---\napiVersion: core.oam.dev/v1alpha1\nkind: Policy\nmetadata: {name: size}\ntype: override\nproperties:\n  components: 3\n"))
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct{ path, want string }{
		"of the Application":              {"spec.components[0].type", "app.yaml:15:7"},
		"of a policy that it refers to":   {"Policy default/size: properties.components", "app.yaml:28:3"},
		"of an object that nobody showed": {"Workflow default/w: steps[0]", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := source.Locate(docs[1], docs, errors.Join(fault.Invalid("X", errors.New("bad"), fault.At(tc.path)), errors.New("plain")))
			if got := fault.Place(fault.List(err)[0]).File; got != tc.want {
				t.Errorf("Locate() of an error = %q, want %q", got, tc.want)
			}
			message := tc.path + ": bad"
			want := message
			if tc.want != "" {
				want = tc.want + ": " + message
			}
			if got := source.LocateText(docs[1], docs, message); got != want {
				t.Errorf("LocateText() = %q, want %q", got, want)
			}
		})
	}
	step := "step one failed: spec.components[0].type: no"
	if got := source.LocateText(docs[1], docs, step); got != "app.yaml:15:7: "+step {
		t.Errorf("LocateText() of a failed step = %q", got)
	}
}

func TestRead(t *testing.T) {
	const configMap = "apiVersion: v1\nkind: ConfigMap\n"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/app.yaml" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, configMap)
	}))
	defer server.Close()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"b.yaml": configMap, "a.yml": strings.Replace(configMap, "ConfigMap", "Secret", 1), "notes.txt": "-",
		"c.cue":  "mine: {\n\ttype: \"trait\"\n\tattributes: {}\n}\ntemplate: {\n\tparameter: {}\n}\n",
		"d.json": `{"apiVersion":"v1","kind":"Service"}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cases := map[string]struct {
		names   []string
		want    []string
		wantErr string
	}{
		"a folder, by name":          {[]string{dir}, []string{"Secret", "ConfigMap", "TraitDefinition", "Service"}, ""},
		"standard input and a URL":   {[]string{"-", server.URL + "/app.yaml"}, []string{"Namespace", "ConfigMap"}, ""},
		"an address without a file":  {[]string{server.URL + "/nowhere"}, nil, "404 Not Found"},
		"a file that does not exist": {[]string{"nowhere.yaml"}, nil, "there is no such file"},
		"an empty folder":            {[]string{t.TempDir()}, nil, "no documents found"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			docs, err := source.Read(t.Context(), strings.NewReader("apiVersion: v1\nkind: Namespace\n"), tc.names...)
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Fatalf("Read() error = %v, want %q", err, tc.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var kinds []string
			for _, doc := range docs {
				kinds = append(kinds, doc.Object.GetKind())
			}
			if diff := cmp.Diff(tc.want, kinds); diff != "" {
				t.Errorf("Read() mismatch (-want +got):\n%s", diff)
			}
		})
	}
}
