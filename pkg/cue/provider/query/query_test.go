package query_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/kube"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/query"
)

// A world is one Application with a Deployment and a Service in each of two
// clusters.
type world struct{ away bool }

var errAway = errors.New("the cluster is away")

func (w world) Owned(_ context.Context, app types.NamespacedName) ([]query.Resource, error) {
	if app != (types.NamespacedName{Namespace: "default", Name: "shop"}) {
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "applications"}, app.Name)
	}
	deployment := query.Resource{
		Cluster: "local", GVK: schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"},
		Namespace: "default", Name: "web", Component: "web", Revision: "shop-v2", PublishVersion: "p1",
	}
	service := deployment
	service.GVK, service.Trait = schema.GroupVersionKind{Version: "v1", Kind: "Service"}, "expose"
	far := service
	far.Cluster, far.Namespace, far.Component = "far", "prod", "api"
	return []query.Resource{deployment, service, far}, nil
}

func (w world) Live(_ context.Context, of []query.Resource) ([]*unstructured.Unstructured, error) {
	out := make([]*unstructured.Unstructured, len(of))
	for i, r := range of {
		switch {
		case w.away:
			return nil, errAway
		case r.Cluster == "local": // there is nothing in the other cluster
			out[i] = object(`{metadata: {name: ` + r.Name + `, namespace: default, uid: u, resourceVersion: "7", managedFields: [{manager: x}]}, status: {replicas: 1}}`)
			out[i].SetGroupVersionKind(r.GVK)
		}
	}
	return out, nil
}

func (w world) Trees(ctx context.Context, of []query.Resource) ([]query.Node, error) {
	live, err := w.Live(ctx, of)
	out := make([]query.Node, len(live))
	for i, o := range live {
		if o == nil {
			continue
		}
		out[i] = query.Node{Object: o, Health: query.Healthy}
		if o.GetKind() == "Deployment" {
			pod := object(`{apiVersion: v1, kind: Pod, metadata: {name: web-1, namespace: default, creationTimestamp: "2026-01-02T03:04:05Z"}, status: {phase: Pending}}`)
			out[i].Children = []query.Node{{Object: pod, Health: query.Progressing, Message: "is pending"}}
		}
	}
	return out, err
}

func (w world) Endpoints(_ context.Context, of []query.Resource) ([]query.Endpoint, error) {
	var out []query.Endpoint
	for _, r := range of {
		if r.GVK.Kind == "Service" {
			out = append(out, query.Endpoint{Resource: r, ResourceVersion: "7", Protocol: "TCP", Host: "1.2.3.4", Port: 443, PortName: "https"})
		}
	}
	return out, nil
}

func (w world) Log(_ context.Context, which query.Container) (query.Log, error) {
	if which.Pod != "web-1" {
		return query.Log{}, apierrors.NewNotFound(schema.GroupResource{Resource: "pods"}, which.Pod)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return query.Log{Text: []byte("tail " + which.Options.Container), From: at, To: at.Add(time.Hour)}, nil
}

// Get and List make a world a kube.Reader that has events.
func (w world) Get(context.Context, string, schema.GroupVersionKind, types.NamespacedName) (*unstructured.Unstructured, error) {
	return nil, errors.New("only events are asked for")
}

func (w world) List(_ context.Context, _ string, gvk schema.GroupVersionKind, f kube.Filter) ([]unstructured.Unstructured, error) {
	if gvk.Kind != "Event" || f.Namespace != "default" {
		return nil, nil
	}
	return []unstructured.Unstructured{
		*object(`{metadata: {name: late}, involvedObject: {kind: Pod, name: web-1, uid: u}, lastTimestamp: "2026-01-02T03:04:06Z"}`),
		*object(`{metadata: {name: other}, involvedObject: {kind: Pod, name: web-2, uid: v}, lastTimestamp: "2026-01-02T03:04:00Z"}`),
		*object(`{metadata: {name: early}, involvedObject: {kind: Pod, name: web-1, uid: u}, lastTimestamp: "2026-01-02T03:04:05Z"}`),
	}, nil
}

func object(text string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &u.Object); err != nil {
		panic(err)
	}
	return u
}

// ask evaluates a template and returns its field answer as YAML.
func ask(t *testing.T, w world, text string) (string, error) {
	t.Helper()
	engine := cue.NewEngine(cue.Options{Packages: []provider.Schema{query.Schema(), {Path: "vela/ql", Text: query.Flat()}}})
	tmpl, err := engine.Compile(cue.Source{Kind: "test", Name: "ask", Text: text})
	if err != nil {
		t.Fatal(err)
	}
	res, err := tmpl.Eval(t.Context(), cue.Input{
		Parameter: map[string]any{}, Context: map[string]any{},
		Actions: provider.NewTable(query.New(query.Options{World: w, Reader: w})), ReadOnly: true,
	})
	if err != nil {
		return "", err
	}
	v, _, err := res.Lookup("answer")
	if err != nil {
		t.Fatal(err)
	}
	out, err := yaml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out), nil
}

// Both dialects answer with the same.
func TestAnswers(t *testing.T) {
	const app = `app: {name: "shop", namespace: "default"`
	cases := map[string]struct{ name, params, want string }{
		"objects come without status and without what only servers use": {
			name: "ListResourcesInApp", params: app + `, filter: {kind: "Service"}}`,
			want: `
- {cluster: local, component: web, revision: shop-v2, object: {apiVersion: v1, kind: Service, metadata: {name: web, namespace: default, resourceVersion: "7", uid: u}}}`,
		},
		"objects come with their status when that is wanted": {
			name: "ListResourcesInApp", params: app + `, withStatus: true, filter: {kind: "Deployment", apiVersion: "apps/v1"}}`,
			want: `
- {cluster: local, component: web, revision: shop-v2, object: {apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: default, resourceVersion: "7", uid: u}, status: {replicas: 1}}}`,
		},
		"what is owned is told without asking clusters": {
			name: "ListAppliedResources", params: app + `, filter: {cluster: "far", clusterNamespace: "prod", components: ["api"]}}`,
			want: `
- {cluster: far, component: api, trait: expose, apiVersion: v1, kind: Service, namespace: prod, name: web, revision: shop-v2, publishVersion: p1, latest: true}`,
		},
		"pods are found below what is owned": {
			name: "CollectPods", params: app + `}`,
			want: `
- cluster: local
  component: web
  publishVersion: p1
  workload: {apiVersion: apps/v1, kind: Deployment, name: web, namespace: default}
  object: {apiVersion: v1, kind: Pod, metadata: {name: web-1, namespace: default, creationTimestamp: "2026-01-02T03:04:05Z"}, status: {phase: Pending}}`,
		},
		"a Service that is not there is not collected": {
			name: "CollectServices", params: app + `, filter: {cluster: "far"}}`, want: `[]`,
		},
		"an endpoint names what listens at its port": {
			name: "CollectServiceEndpoints", params: app + `, filter: {components: ["api"]}}`,
			want: `
- cluster: far
  component: api
  endpoint: {protocol: TCP, appProtocol: https, host: 1.2.3.4, port: 443, portName: https, inner: false}
  ref: {apiVersion: v1, kind: Service, namespace: prod, name: web, resourceVersion: "7"}`,
		},
		"events are those of the object, in the order of time": {
			name: "SearchEvents", params: `cluster: "", value: {apiVersion: "v1", kind: "Pod", metadata: {name: "web-1", namespace: "default"}}`,
			want: `
- {metadata: {name: early}, involvedObject: {kind: Pod, name: web-1, uid: u}, lastTimestamp: "2026-01-02T03:04:05Z"}
- {metadata: {name: late}, involvedObject: {kind: Pod, name: web-1, uid: u}, lastTimestamp: "2026-01-02T03:04:06Z"}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			want := canonical(t, tc.want)
			for dialect, text := range map[string]string{
				"$returns": "import \"vela/query\"\nit: query.#" + tc.name + " & {$params: {" + tc.params + "}}\nanswer: it.$returns.list\n",
				"flat":     "import \"vela/ql\"\nit: ql.#" + tc.name + " & {" + tc.params + "}\nanswer: it.list\n",
			} {
				got, err := ask(t, world{}, text)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s: %s mismatch (-want +got):\n%s", dialect, tc.name, diff)
				}
			}
		})
	}
}

func canonical(t *testing.T, text string) string {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	out, err := yaml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// The tree has no $params in either dialect.
func TestTree(t *testing.T) {
	const want = `
- cluster: local
  healthStatus: {statusCode: Healthy}
  apiVersion: apps/v1
  kind: Deployment
  name: web
  namespace: default
  uid: u
  leafNodes:
  - {apiVersion: v1, cluster: local, kind: Pod, name: web-1, namespace: default, creationTimestamp: "2026-01-02T03:04:05Z", healthStatus: {statusCode: Progressing, message: is pending}}
- {cluster: local, healthStatus: {statusCode: Healthy}, apiVersion: v1, kind: Service, name: web, namespace: default, uid: u}
- {cluster: far, healthStatus: {statusCode: UnKnown, message: does not exist}, apiVersion: v1, kind: Service, name: web, namespace: prod}`
	for _, pkg := range []string{"query", "ql"} {
		got, err := ask(t, world{}, "import \"vela/"+pkg+"\"\nit: "+pkg+".#GetApplicationTree & {app: {name: \"shop\", namespace: \"default\", filter: queryNewest: true}}\n"+
			"answer: [for r in it.list {r.resourceTree}]\n")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(canonical(t, want), got); diff != "" {
			t.Errorf("%s: tree mismatch (-want +got):\n%s", pkg, diff)
		}
	}
}

func TestLogs(t *testing.T) {
	cases := map[string]struct{ pod, want string }{
		"a log is base64": {
			pod:  "web-1",
			want: `{logs: dGFpbCBtYWlu, info: {fromDate: "2026-01-02T03:04:05Z", toDate: "2026-01-02T04:04:05Z"}}`,
		},
		"a pod that is gone is an answer": {pod: "gone", want: `{err: 'pods "gone" not found'}`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := ask(t, world{}, `import "vela/query"
it: query.#CollectLogsInPod & {$params: {cluster: "", namespace: "default", pod: "`+tc.pod+`", options: container: "main"}}
answer: it.$returns.outputs
`)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(canonical(t, tc.want), got); diff != "" {
				t.Errorf("log mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatIsNotThereIsAnAnswer(t *testing.T) {
	for pkg, text := range map[string]string{
		"query": `it: query.#ListAppliedResources & {$params: app: {name: "gone", namespace: "default"}}
answer: {err: it.$returns.err, list: it.$returns.list != _|_}`,
		"ql": `it: ql.#ListAppliedResources & {app: {name: "gone", namespace: "default"}}
answer: {err: it.err, list: it.list != _|_}`,
	} {
		got, err := ask(t, world{}, "import \"vela/"+pkg+"\"\n"+text+"\n")
		if err != nil {
			t.Fatal(err)
		}
		want := canonical(t, `{err: 'what default/gone owns: applications "gone" not found', list: false}`)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", pkg, diff)
		}
	}
}

func TestAClusterThatIsAwayIsAnError(t *testing.T) {
	_, err := ask(t, world{away: true}, `import "vela/query"
it: query.#CollectPods & {$params: app: {name: "shop", namespace: "default"}}
answer: it.$returns
`)
	if err == nil || !strings.Contains(err.Error(), errAway.Error()) {
		t.Errorf("Eval() error = %v, want %q in it", err, errAway)
	}
}
