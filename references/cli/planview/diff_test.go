package planview_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/references/cli/planview"
)

func container(image string) map[string]any {
	return map[string]any{"spec": map[string]any{
		"replicas": int64(1), "containers": []any{map[string]any{"name": "web", "image": image}},
	}}
}

func TestBetween(t *testing.T) {
	secret := func(word string) manifest.Manifest {
		return manifest.New("local", object("Secret", "pass", map[string]any{"data": map[string]any{"word": word}}))
	}
	before := []manifest.Manifest{
		manifest.New("local", object("Deployment", "web", container("nginx:1"))),
		manifest.New("local", object("ConfigMap", "old", nil)),
		manifest.New("local", object("Service", "web", nil)),
		secret("aaaa"),
	}
	after := []manifest.Manifest{
		manifest.New("local", object("Deployment", "web", container("nginx:2"))),
		manifest.New("local", object("Service", "web", nil)),
		secret("bbbb"),
		manifest.New("edge", object("Service", "web", nil)),
	}
	got := planview.Between("deploy", before, after)
	want := planview.Step{
		Name: "deploy", Summary: "1 to create, 2 to change, 1 to delete, 1 as wanted",
		Clusters: []planview.Cluster{
			{Name: "local", Unchanged: 1, Objects: []planview.Object{
				{Action: "update", Kind: "Deployment", Namespace: "shop", Name: "web", Changes: []planview.Change{
					{Path: "spec.containers[web].image", From: "nginx:1", To: "nginx:2"},
				}},
				{Action: "update", Kind: "Secret", Namespace: "shop", Name: "pass", Changes: []planview.Change{
					{Path: "data.word", From: "(secret)", To: "(secret changed)"},
				}},
				{Action: "delete", Kind: "ConfigMap", Namespace: "shop", Name: "old"},
			}},
			{Name: "edge", Objects: []planview.Object{
				{Action: "create", Kind: "Service", Namespace: "shop", Name: "web", Object: map[string]any{
					"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": "web", "namespace": "shop"},
				}},
			}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Between() mismatch (-want +got):\n%s", diff)
	}
}
