package helm_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/bcrypt"
	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/pkg/helm"
)

// packed returns a chart of testdata as an archive, with another version if
// one is given.
func packed(t testing.TB, chart, version string) []byte {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	w := tar.NewWriter(zip)
	root := os.DirFS("testdata")
	err := fs.WalkDir(root, chart, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		if version != "" && path == chart+"/Chart.yaml" {
			b = append(b, "\nversion: "+version+"\n"...)
			b = bytes.Replace(b, []byte("version: 1.2.0\n"), nil, 1)
		}
		if err := w.WriteHeader(&tar.Header{Name: path, Mode: 0o644, Size: int64(len(b))}); err != nil {
			return err
		}
		_, err = w.Write(b)
		return err
	})
	if err := errors.Join(err, w.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func load(t testing.TB, chart string) *helm.Chart {
	t.Helper()
	c, err := helm.Load(packed(t, chart, ""))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func render(t testing.TB, c *helm.Chart, req helm.Request) helm.Result {
	t.Helper()
	if req.Release == "" {
		req.Release, req.Namespace = "r", "prod"
	}
	out, err := c.Render(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func names(objects []map[string]any) []string {
	var out []string
	for _, o := range objects {
		meta, _ := o["metadata"].(map[string]any)
		out = append(out, fmt.Sprintf("%s/%s", o["kind"], meta["name"]))
	}
	return out
}

func TestRender(t *testing.T) {
	crd, service, app := "CustomResourceDefinition/widgets.example.com", "Service/r-shop", "Deployment/r-shop"
	cases := map[string]struct {
		req  helm.Request
		want []string
	}{
		"definitions of kinds first, hooks before and after the rest": {
			want: []string{crd, "Job/r-pre-install-pre-upgrade", service, app, "Job/r-post-install"},
		},
		"without definitions of kinds": {
			req:  helm.Request{SkipCRDs: true},
			want: []string{"Job/r-pre-install-pre-upgrade", service, app, "Job/r-post-install"},
		},
		"without hooks": {
			req:  helm.Request{SkipHooks: true},
			want: []string{crd, service, app},
		},
		"with tests": {
			req:  helm.Request{KeepTests: true, SkipHooks: true},
			want: []string{crd, service, app, "Job/r-test"},
		},
		"a dependency that a value turns on": {
			req:  helm.Request{SkipHooks: true, Values: map[string]any{"cache": map[string]any{"enabled": true}}},
			want: []string{crd, "ConfigMap/r-cache", service, app},
		},
		"what the cluster has beside Kubernetes' own": {
			req:  helm.Request{SkipHooks: true, APIVersions: []string{"example.com/v1"}},
			want: []string{crd, service, app, "Widget/r-shop"},
		},
	}
	c := load(t, "shop")
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, names(render(t, c, tc.req).Objects)); diff != "" {
				t.Errorf("Render() mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

// What is null in a chart is not set; an empty object means something. Numbers
// of values stay whole. Nothing of the cluster or the machine is seen.
func TestContent(t *testing.T) {
	out := render(t, load(t, "shop"), helm.Request{
		SkipHooks: true, SkipCRDs: true, KubeVersion: "v1.31.4-eks-1", Values: map[string]any{"replicas": int64(3), "labels": map[string]any{"a": "b"}},
	})
	got, err := yaml.Marshal(out.Objects)
	if err != nil {
		t.Fatal(err)
	}
	const want = `- apiVersion: v1
  kind: Service
  metadata:
    annotations:
      found: "0"
      host: ""
      kube: v1.31.4-eks-1
    name: r-shop
  spec:
    ports:
    - port: 80
- apiVersion: apps/v1
  kind: Deployment
  metadata:
    labels:
      a: b
      app.kubernetes.io/managed-by: Helm
    name: r-shop
  spec:
    replicas: 3
    template:
      spec:
        containers:
        - image: nginx:7.1
          name: main
        volumes:
        - emptyDir: {}
          name: tmp
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("Render() mismatch (-want +got):\n%s", diff)
	}
	if want := "Visit r-shop."; out.Notes != want {
		t.Errorf("Notes = %q, want %q", out.Notes, want)
	}
}

func TestLeftOutIsTold(t *testing.T) {
	want := []string{
		`Job "r-post-delete" of shop/templates/hooks.yaml: a hook for "post-delete" has no moment in a delivery`,
		`Job "r-test" of shop/templates/hooks.yaml: it is a test`,
	}
	if diff := cmp.Diff(want, render(t, load(t, "shop"), helm.Request{}).Left); diff != "" {
		t.Errorf("Left mismatch (-want +got):\n%s", diff)
	}
}

func seed(text string) helm.Seed {
	return func(context.Context) ([]byte, error) { return []byte(text), nil }
}

func madeUp(t *testing.T, req helm.Request) map[string]any {
	t.Helper()
	return render(t, load(t, "random"), req).Objects[0]["stringData"].(map[string]any)
}

// Invariant 5: same input, same bytes, also where templates make values up.
func TestSameInputSameBytes(t *testing.T) {
	first, second := madeUp(t, helm.Request{Seed: seed("a")}), madeUp(t, helm.Request{Seed: seed("a")})
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("rendering twice differs (-first +second):\n%s", diff)
	}
	if first["first"] == first["second"] {
		t.Errorf("two calls of one function give the same: %v", first["first"])
	}
	for name, req := range map[string]helm.Request{
		"another seed":      {Seed: seed("b")},
		"another release":   {Seed: seed("a"), Release: "s", Namespace: "prod"},
		"another namespace": {Seed: seed("a"), Release: "r", Namespace: "staging"},
	} {
		other := madeUp(t, req)
		for _, k := range []string{"first", "letters", "ascii", "bytes", "uuid", "hash", "ca", "key", "edkey"} {
			if first[k] == other[k] {
				t.Errorf("%s gives the same %s: %v", name, k, other[k])
			}
		}
	}
	for k, want := range map[string]string{
		"now": "2020-01-01", "ago": "0s", "keys": "a,b,c", "values": "2,3,1", "seq": "2 4 6 8", "until": "3,2,1",
	} {
		if first[k] != want {
			t.Errorf("%s = %v, want %s", k, first[k], want)
		}
	}
}

// What is made up is of the form that programs expect.
func TestMadeUpValuesAreUsable(t *testing.T) {
	got := madeUp(t, helm.Request{Seed: seed("a")})
	user, hash, _ := strings.Cut(got["hash"].(string), ":")
	if err := bcrypt.CompareHashAndPassword([]byte(hash), []byte("secret")); err != nil || user != "admin" {
		t.Errorf("htpasswd gives %q: %v", got["hash"], err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(got["ca"].(string))) {
		t.Fatal("the authority is no certificate")
	}
	block, _ := pem.Decode([]byte(got["cert"].(string)))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"web.default.svc", "10.0.0.1"} {
		if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: host}); err != nil {
			t.Errorf("the certificate is not good for %s: %v", host, err)
		}
	}
	if n := len(got["first"].(string)); n != 16 {
		t.Errorf("randAlphaNum 16 has %d characters", n)
	}
}

// A seed is asked for only when a template makes something up.
func TestSeedIsAskedForWhenItIsNeeded(t *testing.T) {
	broken := func(context.Context) ([]byte, error) { return nil, errors.New("no seed") }
	render(t, load(t, "shop"), helm.Request{Seed: broken})
	_, err := load(t, "random").Render(t.Context(), helm.Request{Release: "r", Seed: broken})
	if err == nil || !strings.Contains(err.Error(), "no seed") {
		t.Errorf("Render() error = %v, want the seed's", err)
	}
}

func TestRefused(t *testing.T) {
	cases := map[string]struct{ chart, do, version, want string }{
		"what the author asks for":        {chart: "hostile", do: "fail", want: "set a password"},
		"text that is too long":           {chart: "hostile", do: "repeat", want: "repeat: 1000000000 times 1 bytes are too many"},
		"too many numbers":                {chart: "hostile", do: "until", want: "until: more than 100000 numbers"},
		"a key that is new each time":     {chart: "hostile", do: "rsa", want: "such a key differs from call to call"},
		"a template that calls itself":    {chart: "hostile", do: "recurse", want: "nested reference"},
		"text that is no object":          {chart: "hostile", do: "text", want: "hostile/templates/bad.yaml: expected an object"},
		"an object without a name":        {chart: "hostile", do: "nameless", want: "a Pod has no metadata.name"},
		"more than fits":                  {chart: "hostile", do: "big", want: "it renders more than 16 MiB"},
		"values that the schema does not": {chart: "shop", want: "replicas"},
		"a cluster that is too old":       {chart: "shop", version: "v1.19.0", want: "it needs Kubernetes >=1.20.0-0, and the cluster has v1.19.0"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			values := map[string]any{"do": tc.do, "replicas": "many"}
			_, err := load(t, tc.chart).Render(t.Context(), helm.Request{Release: "r", Values: values, KubeVersion: tc.version})
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("Render() error = %v, want %q in one line", err, tc.want)
			}
		})
	}
}

func TestTemplatesThatDoNotEnd(t *testing.T) {
	_, err := load(t, "hostile").Render(t.Context(), helm.Request{Release: "r", Values: map[string]any{"do": "loop"}, Timeout: time.Millisecond})
	if !errors.Is(err, helm.ErrTime) {
		t.Errorf("Render() error = %v, want %v", err, helm.ErrTime)
	}
}

func TestMergeLeavesItsInputAlone(t *testing.T) {
	base := map[string]any{"a": map[string]any{"x": int64(1), "y": int64(2)}, "l": []any{"1"}}
	over := map[string]any{"a": map[string]any{"x": int64(3)}, "l": []any{"2"}}
	want := map[string]any{"a": map[string]any{"x": int64(3), "y": int64(2)}, "l": []any{"2"}}
	got := helm.Merge(base, over)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Merge() mismatch (-want +got):\n%s", diff)
	}
	got["a"].(map[string]any)["x"] = int64(9)
	if base["a"].(map[string]any)["x"] != int64(1) || over["a"].(map[string]any)["x"] != int64(3) {
		t.Error("Merge() shares memory with its input")
	}
}

// A chart that is incomplete says what to do.
func TestChartsThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	cases := map[string]struct{ meta, want string }{
		"a library":            {"apiVersion: v2\nname: x\nversion: 1.0.0\ntype: library\n", "is a library chart"},
		"a missing dependency": {"apiVersion: v2\nname: x\nversion: 1.0.0\ndependencies: [{name: db, version: 1.0.0, repository: 'https://x'}]\n", `the chart "db" is not packed with "x"`},
		"no version":           {"apiVersion: v2\nname: x\n", "version"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			at := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
			if err := os.MkdirAll(at, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(at, "Chart.yaml"), []byte(tc.meta), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := helm.NewStore(helm.Options{Local: dir}).Chart(t.Context(), helm.Source{Location: filepath.Base(at)})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Chart() error = %v, want %q", err, tc.want)
			}
		})
	}
}
