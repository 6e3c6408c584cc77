package kube_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/kube"
)

// reader has the objects of one namespace.
type reader map[string]map[string]any

func (r reader) Get(_ context.Context, _ string, gvk schema.GroupVersionKind, key types.NamespacedName) (*unstructured.Unstructured, error) {
	o, ok := r[gvk.Kind+" "+key.String()]
	if !ok {
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "secrets"}, key.Name)
	}
	return &unstructured.Unstructured{Object: o}, nil
}

func (reader) List(context.Context, string, schema.GroupVersionKind, kube.Filter) ([]unstructured.Unstructured, error) {
	return []unstructured.Unstructured{{Object: map[string]any{"kind": "Secret", "n": int64(1)}}}, nil
}

func TestSecrets(t *testing.T) {
	s := kube.Secrets{Reader: reader{
		"Secret team/good": {"data": map[string]any{"a": "eA=="}},
		"Secret team/bad":  {"data": map[string]any{"a": "?"}},
	}}
	got, err := s.Secret(t.Context(), "team", "good")
	if diff := cmp.Diff(map[string][]byte{"a": []byte("x")}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if _, err := s.Secret(t.Context(), "team", "none"); !apierrors.IsNotFound(err) {
		t.Errorf("an absent Secret: %v", err)
	}
	if _, err := s.Secret(t.Context(), "team", "bad"); err == nil || err.Error() != `key "a" is not base64` {
		t.Errorf("a broken Secret: %v", err)
	}
}

// The dialect of components, traits and policies reads, and says what it does not
// do, whoever offers writes.
func TestDefinitionDialect(t *testing.T) {
	cases := map[string]struct{ text, want, wantErr string }{
		"get":                         {text: `r: kube.#Get & {$params: resource: {apiVersion: "v1", kind: "Secret", metadata: {name: "s", namespace: "team"}}}` + "\ngot: r.$returns.data.a", want: "x"},
		"get of what is not there":    {text: `r: kube.#Get & {$params: resource: {apiVersion: "v1", kind: "Secret", metadata: {name: "x", namespace: "team"}}}`, wantErr: `"x" not found`},
		"list":                        {text: `r: kube.#List & {$params: resource: {apiVersion: "v1", kind: "Secret"}}` + "\n" + `got: "\(r.$returns.items[0].n)"`, want: "1"},
		"apply":                       {text: `r: kube.#Apply & {$params: resource: {apiVersion: "v1", kind: "Secret", metadata: name: "s"}}`, wantErr: "which a rendering must not"},
		"patch":                       {text: `r: kube.#Patch & {$params: {resource: {apiVersion: "v1", kind: "Secret", metadata: name: "s"}, patch: {type: "merge", data: {}}}}`, wantErr: "which a rendering must not"},
		"delete of the other dialect": {text: `r: {#do: "delete", #provider: "kube", $params: value: {apiVersion: "v1", kind: "Secret", metadata: name: "s"}}`, wantErr: "which a rendering must not"},
	}
	r := reader{"Secret team/s": {"data": map[string]any{"a": "x"}}}
	engine := cue.NewEngine(cue.Options{Packages: []provider.Schema{kube.DefinitionSchema()}})
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tmpl, err := engine.Compile(cue.Source{Kind: "component", Name: "it", Text: "import \"vela/kube\"\n" + tc.text})
			if err != nil {
				t.Fatal(err)
			}
			// Even the actions of steps cannot write here.
			table := provider.NewTable(kube.Workflow(kube.Options{Reader: r, Writer: struct{ kube.Writer }{}}), kube.Definition(kube.Options{Reader: r}))
			res, err := tmpl.Eval(t.Context(), cue.Input{Actions: table.ReadOnly(), ReadOnly: true})
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Errorf("error = %v, want %q", err, tc.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, _, err := res.String("got"); got != tc.want || err != nil {
				t.Errorf("got %q (%v), want %q", got, err, tc.want)
			}
		})
	}
}
