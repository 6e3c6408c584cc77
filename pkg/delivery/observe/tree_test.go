package observe_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/observe"
)

// A world is a cluster that only lists, and counts how often.
type world struct {
	objects []*unstructured.Unstructured
	lists   int
	err     error
}

func (w *world) List(_ context.Context, list client.ObjectList, opts ...client.ListOption) error {
	w.lists++
	var o client.ListOptions
	o.ApplyOptions(opts)
	out := list.(*unstructured.UnstructuredList)
	for _, u := range w.objects {
		if u.GetKind()+"List" == out.GetKind() && u.GetNamespace() == o.Namespace {
			out.Items = append(out.Items, *u)
		}
	}
	return w.err
}

// object makes a live object; its UID is its name.
func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(must(yaml.YAMLToJSON([]byte(text)))(t)); err != nil { // integers, as from a server
		t.Fatal(err)
	}
	u.SetNamespace("default")
	meta := u.Object["metadata"].(map[string]any)
	meta["uid"] = u.GetName()
	if owner, ok := meta["owner"].(string); ok {
		delete(meta, "owner")
		meta["ownerReferences"] = []any{map[string]any{"uid": owner, "name": owner, "kind": "Owner", "apiVersion": "v1"}}
	}
	return u
}

func TestTree(t *testing.T) {
	w := &world{objects: []*unstructured.Unstructured{
		object(t, `{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: web-new, owner: web}, spec: {replicas: 1}}`),
		object(t, `{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: web-old, owner: web}, spec: {replicas: 0}}`),
		object(t, `{apiVersion: v1, kind: Pod, metadata: {name: web-new-b, owner: web-new}, status: {phase: Running, conditions: [{type: Ready, status: "True"}]}}`),
		object(t, `{apiVersion: v1, kind: Pod, metadata: {name: web-new-a, owner: web-new}, status: {phase: Pending}}`),
		object(t, `{apiVersion: v1, kind: Pod, metadata: {name: job-x, owner: job}, status: {phase: Succeeded}}`),
	}}
	nodes, err := observe.Tree(t.Context(), w, []*unstructured.Unstructured{
		object(t, `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}}`),
		object(t, `{apiVersion: batch/v1, kind: Job, metadata: {name: job}}`),
		object(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: conf}}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `
Deployment web: Ready:0/1
  ReplicaSet web-new: Ready:0/1
    Pod web-new-a: Pending
    Pod web-new-b ok: Running
Job job: Active/Failed/Succeeded:0/0/0
  Pod job-x ok: Succeeded
ConfigMap conf ok: 
`
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), draw(nodes, "")); diff != "" {
		t.Errorf("Tree() (-want +got):\n%s", diff)
	}
	if w.lists != 2 {
		t.Errorf("Tree() lists %d times, want once for each kind", w.lists)
	}
	if _, err := observe.Tree(t.Context(), &world{err: errors.New("away")}, []*unstructured.Unstructured{nodes[0].Object}); err == nil {
		t.Error("Tree() hides that the cluster cannot be read")
	}
}

func draw(nodes []observe.Node, indent string) string {
	var b strings.Builder
	for _, n := range nodes {
		b.WriteString(indent + n.Object.GetKind() + " " + n.Object.GetName())
		if n.Health.Healthy {
			b.WriteString(" ok")
		}
		b.WriteString(": " + n.Health.Message + "\n" + draw(n.Children, indent+"  "))
	}
	return b.String()
}

func TestEndpoints(t *testing.T) {
	cases := map[string]struct {
		live string
		want []string
	}{
		"a Service is reached inside the cluster": {
			`{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 80, appProtocol: http}, {port: 53, protocol: UDP}, {port: 5432}]}}`,
			[]string{"inner http://web.default", "inner udp://web.default:53", "inner tcp://web.default:5432"}},
		"a LoadBalancer is reached at its address": {
			`{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: LoadBalancer, ports: [{port: 8080}]}, status: {loadBalancer: {ingress: [{hostname: lb}]}}}`,
			[]string{"tcp://lb:8080"}},
		"a LoadBalancer without address says so": {
			`{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: LoadBalancer, ports: [{port: 443, appProtocol: https}]}}`,
			[]string{"https://<no address yet>"}},
		"an Ingress is reached at its host, over TLS where it has a certificate": {
			`{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web}, spec: {tls: [{hosts: [a.com]}], rules: [{host: a.com, http: {paths: [{path: /}, {path: /x}]}}, {host: b.com, http: {paths: [{path: /}]}}]}}`,
			[]string{"https://a.com/", "https://a.com/x", "http://b.com/"}},
		"an Ingress without host is reached at its address": {
			`{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web}, spec: {rules: [{http: {paths: [{path: /}]}}]}, status: {loadBalancer: {ingress: [{ip: 10.0.0.1}]}}}`,
			[]string{"http://10.0.0.1/"}},
		"other objects are not reached": {`{apiVersion: v1, kind: ConfigMap, metadata: {name: web}}`, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			live := object(t, tc.live)
			var got []string
			for _, e := range observe.Endpoints([]observe.Object{
				{Manifest: manifest.New("local", live)}, // absent: has no endpoints
				{Manifest: manifest.New("local", live), Live: live, Known: true},
			}) {
				text := e.String()
				if e.Inner {
					text = "inner " + text
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Endpoints() (-want +got):\n%s", diff)
			}
		})
	}
}
