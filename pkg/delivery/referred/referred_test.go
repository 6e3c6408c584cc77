package referred_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/referred"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

func object(apiVersion, kind, namespace, name string, more map[string]any) unstructured.Unstructured {
	o := map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"namespace": namespace, "name": name}}
	for k, v := range more {
		o[k] = v
	}
	return unstructured.Unstructured{Object: o}
}

func labelled(o unstructured.Unstructured, labels map[string]string) unstructured.Unstructured {
	o.SetLabels(labels)
	return o
}

func component(properties map[string]any) blueprint.Component {
	return blueprint.Component{Name: "web", Type: "ref-objects", Properties: properties, Origin: blueprint.Origin{Path: "spec.components[0]"}}
}

// names are what was found, as kind/name.
func names(objects []map[string]any) []string {
	var out []string
	for _, o := range objects {
		u := unstructured.Unstructured{Object: o}
		out = append(out, u.GetKind()+"/"+u.GetName())
	}
	return out
}

func TestFind(t *testing.T) {
	app := map[string]string{"app": "shop"}
	files := referred.Files{
		object("apps/v1", "Deployment", "shop", "web", nil),
		object("v1", "Service", "shop", "web", nil),
		labelled(object("v1", "ConfigMap", "shop", "b", nil), app),
		labelled(object("v1", "ConfigMap", "shop", "a", nil), app),
		object("v1", "ConfigMap", "other", "web", nil),
		object("v1", "Secret", "", "anywhere", nil),
	}
	one := func(o map[string]any) map[string]any { return map[string]any{"objects": []any{o}} }
	fetch := func(_ context.Context, url string) ([]byte, error) {
		switch url {
		case "https://example.com/all.yaml":
			return []byte("apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: x}}\n---\n# nothing\n---\n{apiVersion: v1, kind: Secret, metadata: {name: other}}\n"), nil
		case "https://example.com/page.html":
			return []byte("hello"), nil
		}
		return nil, fmt.Errorf("%s: not there", url)
	}
	cases := map[string]struct {
		properties map[string]any
		scope      referred.Scope
		noURLs     bool
		want       []string
		wantErr    string
		reason     string
	}{
		"by resource and name":                          {properties: one(map[string]any{"resource": "deployment", "name": "web"}), want: []string{"Deployment/web"}},
		"by the plural, with a group":                   {properties: one(map[string]any{"resource": "deployments", "group": "apps", "name": "web"}), want: []string{"Deployment/web"}},
		"by the short name":                             {properties: one(map[string]any{"resource": "svc", "name": "web"}), want: []string{"Service/web"}},
		"without name and labels that of the component": {properties: one(map[string]any{"resource": "service"}), want: []string{"Service/web"}},
		"by labels, in the order of names":              {properties: one(map[string]any{"resource": "configmap", "labelSelector": map[string]any{"app": "shop"}}), want: []string{"ConfigMap/a", "ConfigMap/b"}},
		"by the old name of labelSelector":              {properties: one(map[string]any{"resource": "configmap", "selector": map[string]any{"app": "shop"}}), want: []string{"ConfigMap/a", "ConfigMap/b"}},
		"by apiVersion and kind, the old form":          {properties: one(map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}), want: []string{"Deployment/web"}},
		"an object without namespace stands for any":    {properties: one(map[string]any{"resource": "secret", "name": "anywhere"}), want: []string{"Secret/anywhere"}},
		"several, in their order": {
			properties: map[string]any{"objects": []any{
				map[string]any{"resource": "service"}, map[string]any{"resource": "configmap", "name": "a"}, map[string]any{"resource": "deployment"},
			}},
			want: []string{"Service/web", "ConfigMap/a", "Deployment/web"},
		},
		"by URL": {properties: map[string]any{"urls": []any{"https://example.com/all.yaml"}}, want: []string{"ConfigMap/x", "Secret/other"}},
		"another namespace is not for this Application": {
			properties: one(map[string]any{"resource": "configmap", "name": "web", "namespace": "other"}), reason: v1beta1.ReasonForbidden,
			wantErr: `spec.components[0].properties.objects[0]: component "web" refers to configmap "web" in namespace "other": only objects in the namespace "shop" of the Application can be referred to (copy the object, or have the controller started with --ref-objects-available-scope global)`,
		},
		"another namespace in the scope of the cluster": {
			properties: one(map[string]any{"resource": "configmap", "name": "web", "namespace": "other"}), scope: referred.InCluster, want: []string{"ConfigMap/web"},
		},
		"another cluster in the scope of the cluster": {
			properties: one(map[string]any{"resource": "deployment", "cluster": "far"}), scope: referred.InCluster, reason: v1beta1.ReasonForbidden,
			wantErr: `spec.components[0].properties.objects[0]: component "web" refers to deployment "web" in namespace "shop" of cluster "far": only objects on the hub can be referred to (copy the object, or have the controller started with --ref-objects-available-scope global)`,
		},
		"another namespace of another cluster anywhere": {
			properties: one(map[string]any{"resource": "configmap", "name": "web", "namespace": "other", "cluster": "far"}), scope: referred.Anywhere, want: []string{"ConfigMap/web"},
		},
		"one that does not exist": {
			properties: one(map[string]any{"resource": "deployment", "name": "api"}), reason: v1beta1.ReasonReferenceMissing,
			wantErr: `spec.components[0].properties.objects[0]: component "web" refers to deployment "api" in namespace "shop", which does not exist`,
		},
		"labels that none has": {
			properties: one(map[string]any{"resource": "deployment", "labelSelector": map[string]any{"b": "2", "a": "1"}}), reason: v1beta1.ReasonReferenceMissing,
			wantErr: `spec.components[0].properties.objects[0]: component "web" refers to deployment with the labels a=1,b=2 in namespace "shop", which does not exist`,
		},
		"name and labels": {
			properties: one(map[string]any{"resource": "deployment", "name": "web", "labelSelector": map[string]any{"a": "1"}}), reason: v1beta1.ReasonInvalidProperties,
			wantErr: `spec.components[0].properties.objects[0]: component "web": an object is meant by name or by labelSelector, not by both`,
		},
		"no resource": {
			properties: one(map[string]any{"name": "web"}), reason: v1beta1.ReasonInvalidProperties,
			wantErr: `spec.components[0].properties.objects[0]: component "web": an object needs a resource, such as "deployment"`,
		},
		"nothing": {
			properties: map[string]any{}, reason: v1beta1.ReasonInvalidProperties,
			wantErr: `spec.components[0].properties: component "web" refers to nothing (name objects under objects, or files under urls)`,
		},
		"a URL that holds no object": {
			properties: map[string]any{"urls": []any{"https://example.com/page.html"}}, reason: v1beta1.ReasonReferenceMissing,
			wantErr: `spec.components[0].properties.urls[0]: component "web": https://example.com/page.html: document 1 is no object of Kubernetes: it has no apiVersion and kind`,
		},
		"a URL where none is allowed": {
			properties: map[string]any{"urls": []any{"https://example.com/all.yaml"}}, noURLs: true, reason: v1beta1.ReasonForbidden,
			wantErr: `spec.components[0].properties.urls[0]: component "web": refers to https://example.com/all.yaml: URLs are not allowed here`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := referred.Finder{Sources: []referred.Source{referred.Files{}, files}, Fetch: fetch, Scope: tc.scope}
			if tc.noURLs {
				f.Fetch = nil
			}
			got, err := f.Find(t.Context(), "shop", component(tc.properties))
			if message := text(err); message != tc.wantErr || fault.Reason(err) != tc.reason {
				t.Fatalf("Find() = %s: %s, want %s: %s", fault.Reason(err), message, tc.reason, tc.wantErr)
			}
			if diff := cmp.Diff(tc.want, names(got)); diff != "" {
				t.Errorf("Find() (-want +got):\n%s", diff)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return fault.Message(err)
}

// broken is a cluster that cannot be asked.
type broken struct{}

func (broken) Select(context.Context, referred.Selector) ([]unstructured.Unstructured, error) {
	return nil, errors.New("cluster \"far\" is away")
}

// What cannot be asked is not taken for absent.
func TestAnAwayClusterIsNotAMissingObject(t *testing.T) {
	f := referred.Finder{Sources: []referred.Source{broken{}}}
	_, err := f.Find(t.Context(), "shop", component(map[string]any{"objects": []any{map[string]any{"resource": "deployment"}}}))
	if want := `component "web": cluster "far" is away`; text(err) != want {
		t.Errorf("Find() = %q, want %q", text(err), want)
	}
}

func TestCopies(t *testing.T) {
	live := map[string]any{
		"uid": "1", "resourceVersion": "2", "generation": int64(3), "creationTimestamp": "now", "finalizers": []any{"f"},
		"namespace": "shop", "name": "web", "labels": map[string]any{"app": "shop"}, "ownerReferences": []any{map[string]any{"name": "o"}},
		"annotations": map[string]any{
			"note": "mine", "kubectl.kubernetes.io/last-applied-configuration": "{}", "app.oam.dev/applied-digest": "x",
		},
	}
	cases := map[string]struct {
		live map[string]any
		want map[string]any
	}{
		"what a server fills in stays behind": {
			live: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": live, "data": map[string]any{"k": "v"}, "status": map[string]any{"x": true}},
			want: map[string]any{
				"apiVersion": "v1", "kind": "ConfigMap", "data": map[string]any{"k": "v"},
				"metadata": map[string]any{"name": "web", "labels": map[string]any{"app": "shop"}, "annotations": map[string]any{"note": "mine"}},
			},
		},
		"a Service gets an address of its own": {
			live: map[string]any{"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": "web"}, "spec": map[string]any{"clusterIP": "10.0.0.1", "clusterIPs": []any{"10.0.0.1"}, "type": "ClusterIP"}},
			want: map[string]any{"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": "web"}, "spec": map[string]any{"type": "ClusterIP"}},
		},
		"a headless Service stays headless": {
			live: map[string]any{"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": "web"}, "spec": map[string]any{"clusterIP": "None"}},
			want: map[string]any{"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": "web"}, "spec": map[string]any{"clusterIP": "None"}},
		},
		"a Job loses the selector that the server made up": {
			live: map[string]any{"apiVersion": "batch/v1", "kind": "Job", "metadata": map[string]any{"name": "web"}, "spec": map[string]any{
				"selector": map[string]any{"matchLabels": map[string]any{"controller-uid": "1"}},
				"template": map[string]any{"metadata": map[string]any{"labels": map[string]any{"controller-uid": "1", "app": "x"}}},
			}},
			want: map[string]any{"apiVersion": "batch/v1", "kind": "Job", "metadata": map[string]any{"name": "web"}, "spec": map[string]any{
				"template": map[string]any{"metadata": map[string]any{"labels": map[string]any{"app": "x"}}},
			}},
		},
		"a volume is claimed anew": {
			live: map[string]any{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": map[string]any{"name": "web", "annotations": map[string]any{"pv.kubernetes.io/bind-completed": "yes"}}, "spec": map[string]any{"volumeName": "pv-1"}},
			want: map[string]any{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": map[string]any{"name": "web"}, "spec": map[string]any{}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			u := unstructured.Unstructured{Object: tc.live}
			before := u.DeepCopy()
			f := referred.Finder{Sources: []referred.Source{referred.Files{u}}}
			got, err := f.Find(t.Context(), "shop", component(map[string]any{"objects": []any{map[string]any{"resource": u.GetKind(), "name": "web"}}}))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]map[string]any{tc.want}, got); diff != "" {
				t.Errorf("Find() (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before.Object, tc.live); diff != "" {
				t.Errorf("Find changed the object (-before +after):\n%s", diff)
			}
		})
	}
}
