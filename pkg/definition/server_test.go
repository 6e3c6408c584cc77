package definition_test

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// A definition that went through a cluster is the same as the one in the
// binary: the API server accepts it and drops nothing.
func TestServerKeepsBuiltins(t *testing.T) {
	t.Parallel()
	ns, k8s := env.Namespace(t), env.Client(t)
	builtin, err := definition.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range definition.BuiltinObjects() {
		o.SetNamespace(ns)
		env.Create(t, o)
	}
	store := definition.Cluster(k8s, ns)
	all, err := builtin.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range all {
		got, err := store.Get(t.Context(), ns, definition.Ref{Kind: want.Kind, Name: want.Name})
		if err != nil {
			t.Errorf("%s %q: %v", want.Kind, want.Name, err)
			continue
		}
		if got.Digest != want.Digest {
			t.Errorf("%s %q changes when it is stored in a cluster", want.Kind, want.Name)
		}
	}
}

// Everything that built-in definitions render in their golden files is
// accepted by an API server, without a field that it does not know.
func TestServerTakesWhatBuiltinsRender(t *testing.T) {
	t.Parallel()
	refused := map[string]string{ // why the server is right
		"ingress":          "the API is gone since Kubernetes 1.22; superseded by gateway",
		"pure-ingress":     "the API is gone since Kubernetes 1.22; superseded by gateway",
		"json-merge-patch": "takes the selector away",
		"json-patch":       "takes the selector away",
	}
	ns, k8s := env.Namespace(t), env.Client(t)
	files, err := filepath.Glob("builtin/*/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files (%v)", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var problems []error
			for _, f := range archive.Files {
				if f.Name == "want.yaml" {
					problems = append(problems, apply(t, k8s, ns, f.Data)...)
				}
			}
			if why, ok := refused[name]; ok && len(problems) == 0 {
				t.Errorf("the server takes it although %s", why)
			} else if !ok {
				for _, err := range problems {
					t.Error(err)
				}
			}
		})
	}
}

// apply tries all objects in a YAML text and returns what the server has
// against them.
func apply(t *testing.T, k8s client.Client, ns string, text []byte) []error {
	t.Helper()
	var problems []error
	dec := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		u := &unstructured.Unstructured{}
		if err := dec.Decode(&u.Object); errors.Is(err, io.EOF) {
			return problems
		} else if err != nil {
			t.Fatal(err)
		}
		if u.GetName() == "" {
			u.SetName("unnamed") // rendering gives names
		}
		if mapping, err := k8s.RESTMapper().RESTMapping(u.GroupVersionKind().GroupKind()); err == nil && mapping.Scope.Name() == meta.RESTScopeNameNamespace {
			u.SetNamespace(ns)
		}
		//nolint:staticcheck // the typed apply configurations know no unstructured objects
		err := k8s.Patch(t.Context(), u, client.Apply, client.DryRunAll, client.ForceOwnership, client.FieldOwner("test"), client.FieldValidation("Strict"))
		if err != nil {
			problems = append(problems, err)
		}
	}
}
