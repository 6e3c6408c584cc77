package planview_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/planview"
)

func object(kind, name string, more map[string]any) *unstructured.Unstructured {
	out := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": kind}}
	out.SetNamespace("shop")
	out.SetName(name)
	for key, value := range more {
		out.Object[key] = value
	}
	return out
}

func apply(cluster string, action plan.Action, obj *unstructured.Unstructured, changes ...plan.Change) plan.Apply {
	m := manifest.New(cluster, obj)
	m.Component = "web"
	return plan.Apply{Manifest: m, Action: action, Changes: changes}
}

func TestPrint(t *testing.T) {
	p := plan.Plan{
		Digest: "sha256:abc",
		Applies: []plan.Apply{
			apply("production", plan.Create, object("Secret", "pass", map[string]any{"stringData": map[string]any{"word": "hunter2"}})),
			apply("production", plan.Update, object("Deployment", "web", nil),
				plan.Change{Path: "spec.replicas", From: int64(1), To: int64(3)},
				plan.Change{Path: "spec.template.spec.hostNetwork", From: true},
				plan.Change{Path: "metadata.labels.team", To: "blue team"},
			),
			apply("edge", plan.Unchanged, object("Service", "web", nil)),
			apply("edge", plan.Recreate, object("Job", "migrate", nil), plan.Change{Path: "spec.template", From: "(old)", To: "(new)"}),
		},
		Deletes: []plan.Delete{{Entry: inventory.Entry{Key: manifest.Key{Cluster: "production", Kind: "ConfigMap", Namespace: "shop", Name: "old"}, Component: "web"}}},
		Keeps:   []plan.Keep{{Key: manifest.Key{Cluster: "production", Kind: "PersistentVolumeClaim", Namespace: "shop", Name: "data"}, Reason: "garbage-collect keeps it"}},
		Refusals: []plan.Refusal{{Key: manifest.Key{Cluster: "edge", Kind: "Ingress", Namespace: "shop", Name: "web"}, Component: "web",
			Reason: "it belongs to application blog/blog"}},
	}
	step := planview.Of("to-production", "deploy", p)
	step.Waiting = true
	step.KnownAfter = []planview.After{{Component: "db", Cluster: "production", Inputs: []string{"address"}, Step: "prepare"}}
	var out bytes.Buffer
	if err := (planview.Printer{Wide: true}).Print(&out, planview.View{Steps: []planview.Step{step}}); err != nil {
		t.Fatal(err)
	}
	want := `Step to-production  waits for approval
  plan  sha256:abc
  edge
    ± Job shop/migrate  component web  (recreate)
        spec.template: (old) → (new)
    = 1 object as wanted
  production
    + Secret shop/pass  component web
        apiVersion: v1
        kind: Secret
        metadata:
          name: pass
          namespace: shop
        stringData:
          word: (secret)
    ~ Deployment shop/web  component web
        spec.replicas: 1 → 3
        spec.template.spec.hostNetwork: true (goes)
        metadata.labels.team: "blue team" (new)
    - ConfigMap shop/old  component web
    = PersistentVolumeClaim shop/data  (keep: garbage-collect keeps it)
  production
    ? component db is known after step prepare (it needs address)
  edge
    ! Ingress shop/web: it belongs to application blog/blog
  1 to create, 1 to change, 1 to delete and create again, 1 to delete, 1 kept, 1 as wanted, 1 that cannot be delivered
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("Print() mismatch (-want +got):\n%s", diff)
	}
	out.Reset()
	if err := console.JSON(&out, planview.View{Steps: []planview.Step{step}}); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(out.Bytes(), []byte("hunter2")) {
		t.Errorf("-o json shows a secret:\n%s", out.String())
	}
}
