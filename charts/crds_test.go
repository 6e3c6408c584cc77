package charts_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/compression"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/charts"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// TestFields compares every field of every kind, with its type, default and
// optionality, with testdata/fields.txt: the contract with existing clients. A
// change there is a change of the wire format. UPDATE=1 rewrites the file.
func TestFields(t *testing.T) {
	var got strings.Builder
	for _, crd := range embedded(t) {
		describe(&got, crd)
	}
	file := filepath.Join("testdata", "fields.txt")
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("fields of the API mismatch (-want +got):\n%s", diff)
	}
}

func embedded(t *testing.T) []*apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	names, err := fs.Glob(charts.CRDs, "vela-core/crds/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no CRDs are embedded (%v)", err)
	}
	var crds []*apiextensionsv1.CustomResourceDefinition
	for _, name := range names {
		data, err := fs.ReadFile(charts.CRDs, name)
		if err != nil {
			t.Fatal(err)
		}
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), len(data)+1).Decode(crd); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		crds = append(crds, crd)
	}
	return crds
}

func describe(w io.Writer, crd *apiextensionsv1.CustomResourceDefinition) {
	names := crd.Spec.Names
	fmt.Fprintf(w, "%s %s short=%v scope=%s\n", names.Kind, crd.Name, names.ShortNames, crd.Spec.Scope)
	for _, v := range crd.Spec.Versions {
		var columns []string
		for _, c := range v.AdditionalPrinterColumns {
			columns = append(columns, c.Name+"="+c.JSONPath)
		}
		status := v.Subresources != nil && v.Subresources.Status != nil
		fmt.Fprintf(w, "  %s served=%v storage=%v statusSubresource=%v columns=%v\n", v.Name, v.Served, v.Storage, status, columns)
		describeFields(w, "    ", v.Schema.OpenAPIV3Schema)
	}
}

func describeFields(w io.Writer, indent string, s *apiextensionsv1.JSONSchemaProps) {
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		field := s.Properties[name]
		if len(indent) == 4 && (name == "apiVersion" || name == "kind" || name == "metadata") {
			continue
		}
		required := ""
		if slices.Contains(s.Required, name) {
			required = "*"
		}
		kind, inner := typeOf(&field)
		fmt.Fprintf(w, "%s%s%s: %s\n", indent, name, required, kind)
		describeFields(w, indent+"  ", inner)
	}
}

// typeOf returns the type in one word and the schema that holds the fields.
func typeOf(s *apiextensionsv1.JSONSchemaProps) (string, *apiextensionsv1.JSONSchemaProps) {
	switch {
	case s.Type == "array" && s.Items != nil:
		kind, inner := typeOf(s.Items.Schema)
		return "[]" + kind, inner
	case s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil:
		kind, inner := typeOf(s.AdditionalProperties.Schema)
		return "map of " + kind, inner
	}
	kind := s.Type
	if s.XPreserveUnknownFields != nil && *s.XPreserveUnknownFields {
		kind = "free-form"
	}
	for _, v := range s.Enum {
		kind += " " + string(v.Raw)
	}
	if s.Default != nil {
		kind += " default " + string(s.Default.Raw)
	}
	if s.Nullable {
		kind += " nullable"
	}
	return kind, s
}

// TestAccepted creates every object of testdata/accepted and, where the folder
// is there, of the compatibility cases, on a real API server.
func TestAccepted(t *testing.T) {
	k8s, ns := env.Client(t), env.Namespace(t)
	files := yamlFiles(t, filepath.Join("testdata", "accepted"))
	files = append(files, compatibilityCases(t)...)
	count := 0
	for _, file := range files {
		for _, obj := range oamObjects(t, file) {
			if err := create(t.Context(), k8s, ns, obj); err != nil {
				t.Errorf("%s: %s %q is rejected: %v", file, obj.GetKind(), obj.GetName(), err)
			}
			count++
		}
	}
	if count == 0 {
		t.Error("no object was tried")
	}
	t.Logf("%d objects of %d files accepted", count, len(files))
}

// TestTypesLoseNothing reads what the server keeps of every accepted object into
// our types and writes it again: no field may get lost or change.
func TestTypesLoseNothing(t *testing.T) {
	k8s, ns, scheme := env.Client(t), env.Namespace(t), env.Scheme(t)
	files := append(yamlFiles(t, filepath.Join("testdata", "accepted")), compatibilityCases(t)...)
	for _, file := range files {
		for _, obj := range oamObjects(t, file) {
			obj.SetNamespace(ns)
			if err := k8s.Create(t.Context(), obj, client.DryRunAll); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			typed, err := scheme.New(obj.GroupVersionKind())
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			data, err := obj.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(data, typed); err != nil {
				t.Errorf("%s: %s %q: %v", file, obj.GetKind(), obj.GetName(), err)
				continue
			}
			again := &unstructured.Unstructured{}
			if data, err = json.Marshal(typed); err != nil {
				t.Fatal(err)
			}
			if err := again.UnmarshalJSON(data); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(full(obj), full(again)); diff != "" {
				t.Errorf("%s: %s %q read and written mismatch (-want +got):\n%s", file, obj.GetKind(), obj.GetName(), diff)
			}
		}
	}
}

// full returns the content of obj without its metadata and without empty values,
// which mean the same as absent ones outside of free-form JSON.
func full(obj *unstructured.Unstructured) any {
	content := maps.Clone(obj.Object)
	delete(content, "metadata")
	return withoutEmpty(content)
}

func withoutEmpty(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, value := range v {
			if key == "properties" || key == "extension" || key == "template" { // free-form: everything counts
				out[key] = value
				continue
			}
			if value = withoutEmpty(value); value != nil {
				out[key] = value
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case []any:
		var out []any
		for _, value := range v {
			out = append(out, withoutEmpty(value))
		}
		if out == nil {
			return nil
		}
		return out
	case string:
		if v == "" {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	}
	return v
}

// TestRejected creates the objects of testdata/rejected. The first line of each
// file is a comment with words that the rejection contains.
func TestRejected(t *testing.T) {
	k8s, ns := env.Client(t), env.Namespace(t)
	for _, file := range yamlFiles(t, filepath.Join("testdata", "rejected")) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			want := firstComment(t, file)
			for _, obj := range oamObjects(t, file) {
				err := create(t.Context(), k8s, ns, obj)
				if !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err) {
					t.Fatalf("Create() error = %v, want Invalid", err)
				}
				if !strings.Contains(err.Error(), want) {
					t.Errorf("Create() error = %v, want it to contain %q", err, want)
				}
			}
		})
	}
}

// TestFreeFormJSONSurvives stores values of every JSON type, nested and unknown
// to any schema, where the API allows them, and reads them back.
func TestFreeFormJSONSurvives(t *testing.T) {
	k8s, ns := env.Client(t), env.Namespace(t)
	for _, obj := range oamObjects(t, filepath.Join("testdata", "accepted", "free-form.yaml")) {
		want := obj.DeepCopy()
		obj.SetNamespace(ns)
		if err := k8s.Create(t.Context(), obj); err != nil {
			t.Fatal(err)
		}
		got := &unstructured.Unstructured{}
		got.SetGroupVersionKind(obj.GroupVersionKind())
		if err := k8s.Get(t.Context(), client.ObjectKeyFromObject(obj), got); err != nil {
			t.Fatal(err)
		}
		for _, o := range []*unstructured.Unstructured{want, got} {
			unstructured.RemoveNestedField(o.Object, "metadata")
		}
		if diff := cmp.Diff(want.Object, got.Object); diff != "" {
			t.Errorf("%s read back mismatch (-want +got):\n%s", want.GetKind(), diff)
		}
	}
}

func create(ctx context.Context, k8s client.Client, ns string, obj *unstructured.Unstructured) error {
	obj = obj.DeepCopy()
	obj.SetNamespace(ns)
	return k8s.Create(ctx, obj, client.DryRunAll)
}

// oamObjects returns the objects of our group in file, lists taken apart.
func oamObjects(t *testing.T, file string) []*unstructured.Unstructured {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096)
	for {
		var doc runtime.RawExtension
		err := decoder.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if len(doc.Raw) == 0 || string(doc.Raw) == "null" {
			continue
		}
		obj := &unstructured.Unstructured{}
		if err := obj.UnmarshalJSON(doc.Raw); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if obj.GroupVersionKind().Group == "core.oam.dev" {
			out = append(out, obj)
		}
	}
}

func yamlFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no YAML in %s (%v)", dir, err)
	}
	return files
}

// compatibilityCases returns the Applications and definitions that people wrote
// for KubeVela. The folder lies beside the repository or where VELA_COMPAT says.
func compatibilityCases(t *testing.T) []string {
	t.Helper()
	dir := os.Getenv("VELA_COMPAT")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "compat")
	}
	var files []string
	err := filepath.WalkDir(filepath.Join(dir, "cases"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".yaml" && entry.Name() != "want.yaml" {
			files = append(files, path)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		t.Logf("no compatibility cases in %s: only our own are tried", dir)
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func firstComment(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	comment, ok := strings.CutPrefix(line, "# ")
	if !ok {
		t.Fatalf("%s does not start with a comment that says what is wrong", file)
	}
	return comment
}

// TestPackedObjectsAreStored writes packed objects and reads them back whole: the
// schema sees only the shell.
func TestPackedObjectsAreStored(t *testing.T) {
	k8s, ns := env.Client(t), env.Namespace(t)
	rev, tracker := packedRevision(ns), packedTracker(ns)
	for _, obj := range []client.Object{rev, tracker} {
		want := obj.DeepCopyObject().(client.Object)
		if err := k8s.Create(t.Context(), obj); err != nil {
			t.Fatal(err)
		}
		if err := k8s.Get(t.Context(), client.ObjectKeyFromObject(obj), obj); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(specOf(t, want), specOf(t, obj)); diff != "" {
			t.Errorf("%T read back mismatch (-want +got):\n%s", obj, diff)
		}
		raw := rawOf(t, k8s, obj)
		data, _, _ := unstructured.NestedString(raw.Object, "spec", "compression", "data")
		if data == "" {
			t.Errorf("%T is not packed in the store: %v", obj, raw.Object["spec"])
		}
	}
}

func packedRevision(ns string) *v1beta1.ApplicationRevision {
	rev := &v1beta1.ApplicationRevision{}
	rev.Name, rev.Namespace = "web-v1", ns
	rev.Spec.Compression.Type = compression.Zstd
	rev.Spec.Application.Name = "web"
	rev.Spec.Application.Spec.Components = []v1beta1.ApplicationComponent{{Name: "web", Type: "webservice"}}
	rev.Spec.WorkflowStepDefinitions = map[string]v1beta1.WorkflowStepDefinition{"deploy": {}}
	return rev
}

func packedTracker(ns string) *v1beta1.ResourceTracker {
	tracker := &v1beta1.ResourceTracker{}
	tracker.Name = "web-" + ns
	tracker.Spec = v1beta1.ResourceTrackerSpec{
		Type:                  v1beta1.ResourceTrackerRoot,
		ApplicationGeneration: 1,
		Compression:           compression.Text{Type: compression.Gzip},
		ManagedResources: []v1beta1.ManagedResource{{
			ClusterObjectReference: v1beta1.ClusterObjectReference{
				Cluster:         "staging",
				ObjectReference: corev1.ObjectReference{APIVersion: "v1", Kind: "ConfigMap", Name: "web", Namespace: ns, UID: "u"},
			},
			Component: "web",
			Digest:    "sha256:1",
			Data:      &runtime.RawExtension{Raw: []byte(`{"data":{"a":"b"}}`)},
		}},
	}
	return tracker
}

// specOf returns the spec of a packed kind.
func specOf(t *testing.T, obj client.Object) any {
	t.Helper()
	switch o := obj.(type) {
	case *v1beta1.ApplicationRevision:
		return o.Spec
	case *v1beta1.ResourceTracker:
		return o.Spec
	}
	t.Fatalf("%T has no packed spec", obj)
	return nil
}

// rawOf reads obj as it is on the wire.
func rawOf(t *testing.T, k8s client.Client, obj client.Object) *unstructured.Unstructured {
	t.Helper()
	gvk, err := k8s.GroupVersionKindFor(obj)
	if err != nil {
		t.Fatal(err)
	}
	raw := &unstructured.Unstructured{}
	raw.SetGroupVersionKind(gvk)
	if err := k8s.Get(t.Context(), client.ObjectKeyFromObject(obj), raw); err != nil {
		t.Fatal(err)
	}
	return raw
}
