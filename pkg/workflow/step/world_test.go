package step_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider/kube"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/multicluster"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/oam"
)

// world is a control plane in memory: objects by "cluster Kind namespace/name".
// It notes what is written.
type world struct {
	objects   map[string]map[string]any
	writes    []string
	policies  []map[string]any // of the Application; nil is a topology
	unhealthy bool
}

func newWorld() *world { return &world{objects: map[string]map[string]any{}} }

func (w *world) note(verb string, what any) {
	b, err := json.Marshal(what)
	if err != nil {
		panic(err)
	}
	w.writes = append(w.writes, verb+" "+string(b))
}

func (w *world) put(cluster string, o map[string]any) {
	u := &unstructured.Unstructured{Object: o}
	w.objects[at(cluster, u.GetKind(), types.NamespacedName{Namespace: u.GetNamespace(), Name: u.GetName()})] = o
}

func at(cluster, kind string, key types.NamespacedName) string {
	return fmt.Sprintf("%s %s %s", cmp.Or(cluster, "local"), kind, key)
}

func (w *world) Get(_ context.Context, cluster string, gvk schema.GroupVersionKind, key types.NamespacedName) (*unstructured.Unstructured, error) {
	o, ok := w.objects[at(cluster, gvk.Kind, key)]
	if !ok {
		return nil, apierrors.NewNotFound(schema.GroupResource{Group: gvk.Group, Resource: strings.ToLower(gvk.Kind) + "s"}, key.Name)
	}
	return (&unstructured.Unstructured{Object: o}).DeepCopy(), nil
}

func (w *world) List(_ context.Context, cluster string, gvk schema.GroupVersionKind, f kube.Filter) ([]unstructured.Unstructured, error) {
	var out []unstructured.Unstructured
	for _, k := range slices.Sorted(maps.Keys(w.objects)) {
		u := unstructured.Unstructured{Object: w.objects[k]}
		fits := strings.HasPrefix(k, cmp.Or(cluster, "local")+" "+gvk.Kind+" ") && (f.Namespace == "" || f.Namespace == u.GetNamespace())
		for name, value := range f.Labels {
			fits = fits && u.GetLabels()[name] == value
		}
		if fits {
			out = append(out, *u.DeepCopy())
		}
	}
	return out, nil
}

func (w *world) Apply(_ context.Context, cluster string, objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	out := make([]*unstructured.Unstructured, len(objects))
	for i, u := range objects {
		u = u.DeepCopy()
		u.SetUID("uid-" + types.UID(u.GetName()))
		w.note("apply "+cmp.Or(cluster, "local"), u.Object)
		w.put(cluster, u.Object)
		out[i] = u
	}
	return out, nil
}

func (w *world) Merge(_ context.Context, cluster string, gvk schema.GroupVersionKind, key types.NamespacedName, change map[string]any) (*unstructured.Unstructured, error) {
	w.note("merge "+at(cluster, gvk.Kind, key), change)
	return w.Get(context.Background(), cluster, gvk, key)
}

func (w *world) Delete(_ context.Context, cluster string, u *unstructured.Unstructured) error {
	key := at(cluster, u.GetKind(), types.NamespacedName{Namespace: u.GetNamespace(), Name: u.GetName()})
	if _, ok := w.objects[key]; ok {
		w.note("delete "+key, nil)
	}
	delete(w.objects, key)
	return nil
}

func (w *world) Clusters(context.Context) ([]string, error) {
	return []string{"local", "production"}, nil
}

func (w *world) Placements(_ context.Context, policies []string) ([]multicluster.Placement, error) {
	var out []multicluster.Placement
	for _, p := range policies {
		out = append(out, multicluster.Placement{Cluster: p, Namespace: "default"})
	}
	return out, nil
}

// deployer delivers in the same world.
type deployer struct{ *world }

func (w deployer) Deploy(_ context.Context, req oam.DeployRequest) (oam.DeployResult, error) {
	plan := oam.Plan{Digest: "sha256:1", Entries: []oam.Entry{{Object: "production: Deployment default/web", Action: "create"}}}
	if req.Allow != nil {
		if err := req.Allow(plan); err != nil {
			return oam.DeployResult{}, err
		}
	}
	w.note("deploy", req)
	return oam.DeployResult{Healthy: !w.unhealthy, Message: "web is starting"}, nil
}

func (w deployer) Apply(_ context.Context, req oam.ApplyRequest) (oam.ApplyResult, error) {
	if req.Allow != nil {
		if err := req.Allow(oam.Plan{Digest: "sha256:2", Entries: []oam.Entry{{Object: req.Cluster + ": " + req.Component, Action: "create"}}}); err != nil {
			return oam.ApplyResult{}, err
		}
	}
	w.note("component", req)
	return w.result(req), nil
}

func (w deployer) result(req oam.ApplyRequest) oam.ApplyResult {
	out := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": req.Component}, "cluster": req.Cluster,
	}}
	return oam.ApplyResult{
		Output: out, Outputs: map[string]*unstructured.Unstructured{"svc": {Object: map[string]any{"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": "svc"}}}},
		Healthy: !w.unhealthy, Message: req.Component + " is starting",
	}
}

func (w deployer) Render(_ context.Context, req oam.ApplyRequest) (oam.ApplyResult, error) {
	return w.result(req), nil
}

func (w *world) Components(context.Context, string) ([]map[string]any, error) {
	return []map[string]any{{"name": "web", "type": "webservice"}, {"name": "db", "type": "worker"}}, nil
}

func (w *world) Policies(context.Context, string) ([]map[string]any, error) {
	if w.policies != nil {
		return w.policies, nil
	}
	return []map[string]any{{"name": "prod", "type": "topology"}}, nil
}

func (w *world) Labelled(_ context.Context, labels map[string]string) ([]string, error) {
	if labels["tier"] == "prod" {
		return []string{"eu", "us"}, nil
	}
	return nil, nil
}

// Patched notes what an env changes; what becomes of it is the business of the
// override policy.
func (w *world) Patched(_ context.Context, components []map[string]any, selector []string) (map[string]any, error) {
	w.note("patched", map[string]any{"components": components, "selector": selector})
	var out []any
	for _, c := range []map[string]any{
		{"name": "web", "type": "webservice", "inputs": []any{map[string]any{"from": "a"}}}, cloudResource("db", map[string]any{"name": "conn"}), cloudResource("queue", nil),
	} {
		if len(selector) == 0 || slices.Contains(selector, c["name"].(string)) {
			out = append(out, c)
		}
	}
	return map[string]any{"spec": map[string]any{"components": out}}, nil
}

func (w *world) TerraformComponents(context.Context) ([]map[string]any, error) {
	return []map[string]any{cloudResource("db", nil), cloudResource("queue", nil)}, nil
}

func cloudResource(name string, ref map[string]any) map[string]any {
	properties := map[string]any{"size": int64(1)}
	if ref != nil {
		properties["writeConnectionSecretToRef"] = ref
	}
	return map[string]any{"name": name, "type": "alibaba-" + name, "properties": properties}
}
