package all_test

import (
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
type world map[string]map[string]any

func at(cluster, kind string, key types.NamespacedName) string {
	return fmt.Sprintf("%s %s %s", cluster, kind, key)
}

func (w world) Get(_ context.Context, cluster string, gvk schema.GroupVersionKind, key types.NamespacedName) (*unstructured.Unstructured, error) {
	o, ok := w[at(cluster, gvk.Kind, key)]
	if !ok {
		return nil, apierrors.NewNotFound(schema.GroupResource{Group: gvk.Group, Resource: strings.ToLower(gvk.Kind) + "s"}, key.Name)
	}
	return (&unstructured.Unstructured{Object: o}).DeepCopy(), nil
}

func (w world) List(_ context.Context, cluster string, gvk schema.GroupVersionKind, f kube.Filter) ([]unstructured.Unstructured, error) {
	var out []unstructured.Unstructured
	for _, k := range slices.Sorted(maps.Keys(w)) {
		u := unstructured.Unstructured{Object: w[k]}
		fits := strings.HasPrefix(k, cluster+" "+gvk.Kind+" ") && (f.Namespace == "" || f.Namespace == u.GetNamespace())
		for name, value := range f.Labels {
			fits = fits && u.GetLabels()[name] == value
		}
		if fits {
			out = append(out, *u.DeepCopy())
		}
	}
	return out, nil
}

func (w world) Apply(_ context.Context, cluster string, objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	out := make([]*unstructured.Unstructured, len(objects))
	for i, u := range objects {
		u = u.DeepCopy()
		u.SetUID("uid-" + types.UID(u.GetName()))
		w[at(cluster, u.GetKind(), types.NamespacedName{Namespace: u.GetNamespace(), Name: u.GetName()})] = u.Object
		out[i] = u
	}
	return out, nil
}

func (w world) Merge(_ context.Context, cluster string, gvk schema.GroupVersionKind, key types.NamespacedName, change map[string]any) (*unstructured.Unstructured, error) {
	w["merge "+at(cluster, gvk.Kind, key)] = change
	return w.Get(context.Background(), cluster, gvk, key)
}

func (w world) Delete(_ context.Context, cluster string, u *unstructured.Unstructured) error {
	delete(w, at(cluster, u.GetKind(), types.NamespacedName{Namespace: u.GetNamespace(), Name: u.GetName()}))
	return nil
}

func (w world) Clusters(context.Context) ([]string, error) {
	return []string{"local", "production"}, nil
}

func (w world) Placements(_ context.Context, policies []string) ([]multicluster.Placement, error) {
	var out []multicluster.Placement
	for _, p := range policies {
		out = append(out, multicluster.Placement{Cluster: p, Namespace: "default"})
	}
	return out, nil
}

// deployer delivers in the same world.
type deployer struct{ world }

func (w deployer) Deploy(_ context.Context, req oam.DeployRequest) (oam.DeployResult, error) {
	plan := oam.Plan{Digest: "sha256:1", Entries: []oam.Entry{{Object: "production: Deployment default/web", Action: "create"}}}
	if req.Allow != nil {
		if err := req.Allow(plan); err != nil {
			return oam.DeployResult{Plan: plan}, err
		}
	}
	b, _ := json.Marshal(req)
	w.world["deployed"] = map[string]any{"request": string(b)}
	return oam.DeployResult{Plan: plan, Healthy: w.world["unhealthy"] == nil, Message: "web is starting"}, nil
}

func (w deployer) Apply(_ context.Context, req oam.ApplyRequest) (oam.ApplyResult, error) {
	return w.result(req), nil
}

func (w deployer) result(req oam.ApplyRequest) oam.ApplyResult {
	out := &unstructured.Unstructured{Object: map[string]any{
		"kind": "Deployment", "metadata": map[string]any{"name": req.Component}, "cluster": req.Cluster,
	}}
	return oam.ApplyResult{
		Output: out, Outputs: map[string]*unstructured.Unstructured{"svc": {Object: map[string]any{"kind": "Service"}}},
		Healthy: w.world["unhealthy"] == nil, Message: req.Component + " is starting",
	}
}

func (w deployer) Render(_ context.Context, req oam.ApplyRequest) (oam.ApplyResult, error) {
	return w.result(req), nil
}

func (w world) Components(context.Context, string) ([]map[string]any, error) {
	return []map[string]any{{"name": "web", "type": "webservice"}, {"name": "db", "type": "worker"}}, nil
}

func (w world) Policies(context.Context, string) ([]map[string]any, error) {
	return []map[string]any{{"name": "prod", "type": "topology"}}, nil
}

// session is an attempt that remembers what it was told.
type session struct {
	said   []string
	vars   map[string]any
	paused string
	passes bool
}

func (s *session) Pause(path string) bool       { s.paused = path; return !s.passes }
func (s *session) Say(message string)           { s.said = append(s.said, message) }
func (s *session) Var(path string) (any, error) { return s.vars[path], nil }
func (s *session) SetVar(path string, v any) error {
	if s.vars == nil {
		s.vars = map[string]any{}
	}
	s.vars[path] = v
	return nil
}
