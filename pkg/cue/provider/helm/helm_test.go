package helm_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/helm"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/kube"
	charts "github.com/seed-c5f95f19/vela/pkg/helm"
)

// A namespace holds Secrets and ConfigMaps by kind and name.
type namespace map[string]map[string]string

func (n namespace) Get(_ context.Context, cluster string, gvk schema.GroupVersionKind, key types.NamespacedName) (*unstructured.Unstructured, error) {
	data, ok := n[gvk.Kind+"/"+key.Name]
	if !ok || cluster != "" || key.Namespace != "team" {
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: strings.ToLower(gvk.Kind) + "s"}, key.Name)
	}
	values := map[string]any{}
	for k, v := range data {
		if gvk.Kind == "Secret" {
			v = base64.StdEncoding.EncodeToString([]byte(v))
		}
		values[k] = v
	}
	return &unstructured.Unstructured{Object: map[string]any{"data": values, "metadata": map[string]any{"name": key.Name}}}, nil
}

func (n namespace) List(context.Context, string, schema.GroupVersionKind, kube.Filter) ([]unstructured.Unstructured, error) {
	return nil, fmt.Errorf("nothing lists")
}

// render evaluates a template that renders the chart web with more parameters.
func render(t *testing.T, reader kube.Reader, params string) (string, error) {
	t.Helper()
	engine := cue.NewEngine(cue.Options{Packages: []provider.Schema{helm.Schema()}})
	tmpl, err := engine.Compile(cue.Source{Kind: "test", Name: "chart", Text: `
import "vela/helm"

r: helm.#Render & {$params: {chart: {source: *"./web" | string}, context: {appName: "shop", appNamespace: "team", name: "front", namespace: *"team" | string}} & {` + params + `}}
output: r.$returns
`})
	if err != nil {
		t.Fatal(err)
	}
	local := "../../../definition/builtin/component/helmchart/testdata"
	if strings.Contains(params, "./large") {
		local = "testdata"
	}
	store := charts.NewStore(charts.Options{Local: local})
	o := helm.Options{Charts: store, Reader: reader, Namespace: "team"}
	res, err := tmpl.Eval(t.Context(), cue.Input{Parameter: map[string]any{}, Context: map[string]any{}, Actions: provider.NewTable(helm.New(o)), ReadOnly: true})
	if err != nil {
		return "", err
	}
	v, err := res.Output()
	if err != nil {
		return "", err
	}
	out, err := yaml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out), nil
}

// A later source wins over an earlier one, inline values over all of them.
func TestValues(t *testing.T) {
	has := namespace{
		"ConfigMap/base": {"values.yaml": "replicas: 2", "other.yaml": "replicas: 4"},
		"Secret/more":    {"values.yaml": "replicas: 3"},
	}
	cases := map[string]struct{ params, want string }{
		"those of the chart":              {``, "replicas: 1"},
		"a ConfigMap":                     {`valuesFrom: [{kind: "ConfigMap", name: "base"}]`, "replicas: 2"},
		"a Secret after a ConfigMap":      {`valuesFrom: [{kind: "ConfigMap", name: "base"}, {kind: "Secret", name: "more"}]`, "replicas: 3"},
		"another key":                     {`valuesFrom: [{kind: "ConfigMap", name: "base", key: "other.yaml", namespace: "team"}]`, "replicas: 4"},
		"inline values":                   {`values: {replicas: 5}, valuesFrom: [{kind: "Secret", name: "more"}]`, "replicas: 5"},
		"an optional one that is missing": {`valuesFrom: [{kind: "Secret", name: "gone", optional: true}]`, "replicas: 1"},
		"an optional key that is missing": {`valuesFrom: [{kind: "Secret", name: "more", key: "gone", optional: true}]`, "replicas: 1"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := render(t, has, tc.params)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(got, tc.want+"\n") {
				t.Errorf("got\n%s\nwant %q in it", got, tc.want)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	has := namespace{
		"Secret/text":  {"values.yaml": "hunter2"},
		"Secret/both":  {"token": "t0ken", "username": "me"},
		"Secret/token": {"token": "t0ken", "insecureSkipTLS": "true"},
		"Secret/maybe": {"insecureSkipTLS": "perhaps"},
		"Secret/hub":   {".dockerconfigjson": `{"auths": {"ghcr.io": {"auth": "bWU6c2VjcmV0"}}}`},
	}
	auth := func(secret, source string) string {
		return fmt.Sprintf(`chart: {source: %q, auth: secretRef: name: %q}`, source, secret)
	}
	cases := map[string]struct{ params, want string }{
		"a missing source of values":       {`valuesFrom: [{kind: "Secret", name: "gone"}]`, `valuesFrom[0]: read Secret "gone" in namespace "team"`},
		"values of another namespace":      {`valuesFrom: [{kind: "Secret", name: "x", namespace: "kube-system"}]`, `only the namespace "team" of the Application is read`},
		"values that are no object":        {`valuesFrom: [{kind: "Secret", name: "text"}]`, `key "values.yaml" of Secret "text" is no YAML object`},
		"a name that is no release":        {`release: name: "Big"`, `release.name "Big": expected at most 53`},
		"a time that is none":              {`options: timeout: "soon"`, `options.timeout "soon": expected a duration`},
		"a time of the cache that is none": {`options: cache: mutableTTL: "-1h"`, `options.cache.mutableTTL "-1h": expected a duration`},
		"a program":                        {`options: postRender: exec: command: "sh"`, `options.postRender is not supported`},
		"a token and a user":               {auth("both", "https://x/y.tgz"), "one of them is shown"},
		"a token in the clear":             {auth("token", "http://x/y.tgz"), "not sent over plain HTTP"},
		"a token for a stranger":           {auth("token", "https://x/y.tgz"), "does not prove who it is"},
		"a token for a registry":           {auth("token", "oci://x/y"), "a registry takes a user name"},
		"a word that is no truth":          {auth("maybe", "https://x/y.tgz"), "insecureSkipTLS: expected true or false"},
		"a login for another host":         {auth("hub", "oci://quay.io/x"), "it has no login for quay.io"},
		"the network in this test":         {auth("hub", "oci://ghcr.io/x"), "charts are not fetched here"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := render(t, has, tc.params)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("Eval() error = %v, want %q", err, tc.want)
			}
			for _, secret := range []string{"hunter2", "t0ken", "c2VjcmV0"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error shows a secret: %v", err)
				}
			}
		})
	}
}

// A chart whose objects a template cannot take says what to do.
func TestChartsThatAreTooLarge(t *testing.T) {
	_, err := render(t, nil, `chart: source: "./large"`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = render(t, nil, `chart: source: "./large", values: many: 50000`)
	const want = "100008 of them in definitions of kinds: set options.includeCRDs to false"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Eval() error = %v, want %q", err, want)
	}
}

// What tells about a release holds neither values nor credentials.
func TestAudit(t *testing.T) {
	got, err := render(t, nil, `release: {name: "door", namespace: "edge"}, values: {password: "hunter2"}, options: {skipHooks: true, cache: ttl: "0"}`)
	if err != nil {
		t.Fatal(err)
	}
	var out struct {
		Resources []struct {
			Kind     string
			Metadata map[string]any
			Data     map[string]string
		}
	}
	if err := yaml.Unmarshal([]byte(got), &out); err != nil {
		t.Fatal(err)
	}
	first := out.Resources[0]
	delete(first.Data, "digest")
	want := map[string]string{
		"release": "door", "namespace": "edge", "chart": "web", "version": "1.2.0", "appVersion": "7.1", "source": "./web",
		"leftOut": `Job "door-migrate" of web/templates/web.yaml: hooks are left out`,
	}
	if diff := cmp.Diff(want, first.Data); diff != "" || first.Kind != "ConfigMap" || first.Metadata["name"] != "door-helm-release" {
		t.Errorf("%s %v mismatch (-want +got):\n%s", first.Kind, first.Metadata, diff)
	}
	for _, r := range out.Resources[1:] {
		if r.Metadata["namespace"] != "edge" {
			t.Errorf("%s is in namespace %v, want that of the release", r.Kind, r.Metadata["namespace"])
		}
	}
}

// A release may be for any namespace. What its templates make up is then not what
// those of a release in that namespace do: who renders it could read their
// passwords.
func TestPasswordsOfAnotherNamespace(t *testing.T) {
	store := charts.NewStore(charts.Options{Local: "../../../helm/testdata", Seed: func(context.Context) ([]byte, error) { return []byte("secret"), nil }})
	passwords := func(own, release string) string {
		t.Helper()
		p := helm.New(helm.Options{Charts: store, Namespace: own})
		out, err := p.Read["render"](t.Context(), provider.Call{Provider: "helm", Do: "render", Params: map[string]any{
			"chart": map[string]any{"source": "./random"}, "release": map[string]any{"name": "db", "namespace": release}, "context": map[string]any{"name": "db", "namespace": own},
		}})
		if err != nil {
			t.Fatal(err)
		}
		text, err := yaml.Marshal(out)
		if err != nil {
			t.Fatal(err)
		}
		return regexp.MustCompile(`(?m)^.*namespace: .*\n`).ReplaceAllString(string(text), "")
	}
	own := passwords("bank", "bank")
	if again := passwords("bank", "bank"); again != own {
		t.Error("the same release has other passwords the second time")
	}
	if passwords("mallory", "bank") == own {
		t.Error("another namespace can make up the same passwords")
	}
}
