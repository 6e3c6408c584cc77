package charts_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/chart/common"
	chartutil "helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// TestChartInstalls renders the chart and offers every object to a real API
// server.
func TestChartInstalls(t *testing.T) {
	cases := map[string]map[string]any{
		"with defaults": {},
		"with everything set": {
			"replicaCount":     2,
			"imagePullSecrets": []any{map[string]any{"name": "x"}},
			"podAnnotations":   map[string]any{"a": "b"},
			"nodeSelector":     map[string]any{"a": "b"},
			"tolerations":      []any{map[string]any{"operator": "Exists"}},
			"affinity":         map[string]any{"nodeAffinity": map[string]any{}},
			"rbac": map[string]any{"deliverExtra": []any{
				map[string]any{"apiGroups": []any{"example.com"}, "resources": []any{"things"}},
			}},
		},
		"with permissions":   {"admissionWebhooks": map[string]any{"definitionPermissions": true}},
		"without webhooks":   {"admissionWebhooks": map[string]any{"enabled": false}},
		"with cluster-admin": {"rbac": map[string]any{"clusterAdmin": true}},
	}
	k8s, ns := env.Client(t), env.Namespace(t)
	for name, values := range cases {
		t.Run(name, func(t *testing.T) {
			objects := renderChart(t, ns, values)
			for _, obj := range objects {
				if !strings.HasPrefix(obj.GetKind(), "Cluster") && !strings.HasSuffix(obj.GetKind(), "WebhookConfiguration") {
					obj.SetNamespace(ns) // definitions go to vela-system, which is not here
				}
				if err := k8s.Create(t.Context(), obj, client.DryRunAll); err != nil {
					t.Errorf("%s %q: %v", obj.GetKind(), obj.GetName(), err)
				}
			}
		})
	}
}

// By default the chart grants no wildcard and no cluster-admin.
func TestChartIsNotClusterAdmin(t *testing.T) {
	for _, obj := range renderChart(t, "vela-system", nil) {
		if role, _, _ := unstructured.NestedString(obj.Object, "roleRef", "name"); role == "cluster-admin" {
			t.Errorf("%s %q binds cluster-admin", obj.GetKind(), obj.GetName())
		}
		rules, _, _ := unstructured.NestedSlice(obj.Object, "rules")
		for _, rule := range rules {
			for field, values := range rule.(map[string]any) {
				if slices.Contains(values.([]any), any("*")) {
					t.Errorf("%s %q has a wildcard in %s", obj.GetKind(), obj.GetName(), field)
				}
			}
		}
	}
}

func TestDefinitionsCanBeLeftOut(t *testing.T) {
	kinds := func(values map[string]any) []string {
		set := map[string]bool{}
		for _, obj := range renderChart(t, "vela-system", values) {
			if obj.GroupVersionKind().Group == "core.oam.dev" {
				set[obj.GetKind()] = true
			}
		}
		return slices.Sorted(maps.Keys(set))
	}
	if got := kinds(nil); len(got) == 0 {
		t.Error("the chart holds no definitions")
	}
	if diff := cmp.Diff([]string(nil), kinds(map[string]any{"definitions": false})); diff != "" {
		t.Errorf("definitions although they are off (-want +got):\n%s", diff)
	}
}

func renderChart(t *testing.T, namespace string, values map[string]any) []*unstructured.Unstructured {
	t.Helper()
	chart, err := loader.LoadDir("vela-core")
	if err != nil {
		t.Fatal(err)
	}
	options := common.ReleaseOptions{Name: "vela-core", Namespace: namespace, IsInstall: true}
	all, err := chartutil.ToRenderValues(chart, values, options, common.DefaultCapabilities)
	if err != nil {
		t.Fatal(err)
	}
	files, err := engine.Render(chart, all)
	if err != nil {
		t.Fatal(err)
	}
	var out []*unstructured.Unstructured
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasSuffix(name, ".yaml") {
			out = append(out, documents(t, name, files[name])...)
		}
	}
	return out
}

func documents(t *testing.T, name, text string) []*unstructured.Unstructured {
	t.Helper()
	var out []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader([]byte(text)), 4096)
	for {
		obj := &unstructured.Unstructured{}
		err := decoder.Decode(&obj.Object)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		if len(obj.Object) > 0 {
			out = append(out, obj)
		}
	}
}
