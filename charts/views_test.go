package charts_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// The views arrive in the cluster as they stand in the chart.
func TestChartHasViews(t *testing.T) {
	got := map[string]string{}
	for _, obj := range renderChart(t, "vela-system", nil) {
		if obj.GetKind() == "ConfigMap" {
			got[obj.GetName()], _, _ = unstructured.NestedString(obj.Object, "data", "template")
		}
	}
	files, err := filepath.Glob("vela-core/views/*.cue")
	if err != nil || len(files) == 0 {
		t.Fatalf("no views (%v)", err)
	}
	for _, file := range files {
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".cue")
		if strings.TrimSpace(got[name]) != strings.TrimSpace(string(want)) {
			t.Errorf("the template of ConfigMap %q is\n%s\nwant\n%s", name, got[name], want)
		}
	}
}
