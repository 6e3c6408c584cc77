package render_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy"
	"github.com/seed-c5f95f19/vela/pkg/delivery/render"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
	"github.com/seed-c5f95f19/vela/pkg/test/golden"
)

// Each archive is an Application, the definitions that it uses and what is
// rendered: all components in the cluster "staging", namespace "prod".
func TestRender(t *testing.T) {
	golden.Run(t, "testdata/*.txtar", func(t *testing.T, in golden.Files) golden.Files {
		b := blueprintOf(t, in)
		components, err := policy.Components(b.Components, b.Policies, policy.Options{})
		if err != nil {
			t.Fatal(fault.Message(err))
		}
		r := render.New(render.Options{Engine: cue.NewEngine(cue.Options{})})
		out := golden.Files{}
		for _, c := range components {
			req := request(b, c)
			if live, ok := in["live.yaml"]; ok {
				req.Live = &render.Live{Output: build.Object(live)}
			}
			all, err := r.Component(t.Context(), req)
			if err != nil {
				out["want.txt"] += describe(err)
				continue
			}
			var docs []string
			for _, m := range all {
				docs = append(docs, show(t, m))
			}
			name := strings.Trim(c.Name+"-"+c.ReplicaKey, "-")
			out["want/"+name+".yaml"] = strings.Join(docs, "---\n")
		}
		return out
	})
}

// blueprintOf resolves an Application without its checks, so that what rendering
// itself finds can be seen.
func blueprintOf(t *testing.T, in golden.Files) *blueprint.Blueprint {
	t.Helper()
	app := &v1beta1.Application{}
	if err := yaml.UnmarshalStrict([]byte(in["app.yaml"]), app); err != nil {
		t.Fatal(err)
	}
	d, err := blueprint.Parse(t.Context(), app, nil)
	if err != nil {
		t.Fatal(fault.Message(err))
	}
	dir := t.TempDir()
	for _, name := range in.Under("defs") {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(in["defs/"+name]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	defs, err := definition.FromFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	b := &blueprint.Blueprint{Draft: d, Definitions: map[definition.Ref]definition.Definition{}}
	for _, ref := range d.Uses() {
		if ref.Kind != definition.Component && ref.Kind != definition.Trait {
			continue
		}
		if b.Definitions[ref], err = defs.Get(t.Context(), "", ref); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func request(b *blueprint.Blueprint, c blueprint.Component) render.Request {
	return render.Request{
		Blueprint: b, Component: c, Cluster: "staging", Namespace: "prod", RevisionName: b.App.Name + "-v3", RevisionNumber: 3,
		ClusterVersion: render.ClusterVersion{Major: "1", Minor: 36, GitVersion: "v1.36.3", Platform: "linux/amd64"},
	}
}

func describe(err error) string {
	var out strings.Builder
	for _, e := range fault.List(err) {
		retry := "retry"
		if fault.Terminal(e) {
			retry = "final"
		}
		fmt.Fprintf(&out, "%s %s\n\t%s\n", fault.Reason(e), retry, fault.Message(e))
	}
	return out.String()
}

func show(t *testing.T, m manifest.Manifest) string {
	t.Helper()
	text, err := yaml.Marshal(m.Object.Object)
	if err != nil {
		t.Fatal(err)
	}
	head := fmt.Sprintf("# %s\n# component=%s type=%s", m.Key, m.Component, m.ComponentType)
	for _, f := range []struct{ name, value string }{
		{"trait", m.Trait}, {"output", m.Output}, {"replica", m.ReplicaKey}, {"stage", string(m.Stage)},
	} {
		if f.value != "" {
			head += " " + f.name + "=" + f.value
		}
	}
	return head + "\n" + string(text)
}

const configMap = `
output: {apiVersion: "v1", kind: "ConfigMap", data: value: parameter.value}
parameter: value: string`

func one(t *testing.T, component, trait string, app *build.Application) *blueprint.Blueprint {
	t.Helper()
	d, err := blueprint.Parse(t.Context(), app.Object(), nil)
	if err != nil {
		t.Fatal(fault.Message(err))
	}
	engine := cue.NewEngine(cue.Options{})
	b, err := blueprint.Resolve(t.Context(), d,
		build.Definitions(build.ComponentDefinition("c", component), build.TraitDefinition("t", trait)),
		blueprint.Options{Components: engine, Steps: engine})
	if err != nil {
		t.Fatal(fault.Message(err))
	}
	return &b
}

// Invariant 5: same input, same bytes.
func TestRenderingIsDeterministic(t *testing.T) {
	const component = `
output: {apiVersion: "v1", kind: "ConfigMap", data: {for k, v in parameter.values {(k): v}}}
outputs: {for k, v in parameter.values {(k): {apiVersion: "v1", kind: "Secret", metadata: name: k, stringData: value: v}}}
parameter: values: [string]: string`
	app := build.App("prod/shop").Label("z", "1").Label("a", "2").
		Component("web", "c", "values: {z: '1', y: '2', x: '3', a: '4', m: '5', b: '6'}")
	var first string
	for i := range 20 {
		b := one(t, component, "", app)
		r := render.New(render.Options{Engine: cue.NewEngine(cue.Options{})})
		all, err := r.Component(t.Context(), request(b, b.Components[0]))
		if err != nil {
			t.Fatal(fault.Message(err))
		}
		var docs []string
		for _, m := range all {
			docs = append(docs, show(t, m)+m.Digest())
		}
		got := strings.Join(docs, "---\n")
		if i == 0 {
			first = got
		}
		if diff := cmp.Diff(first, got); diff != "" {
			t.Fatalf("rendering %d differs from the first (-first +this):\n%s", i, diff)
		}
	}
}

func TestRenderingIsRemembered(t *testing.T) {
	b := one(t, configMap, "patch: metadata: annotations: revision: context.appRevision", build.App("prod/shop").
		Component("plain", "c", "value: a").Component("tracked", "c", "value: a").Trait("t", ""))
	cases := map[string]struct {
		component int
		change    func(*render.Request)
		wantSeen  bool
	}{
		"the same request":                            {change: func(*render.Request) {}, wantSeen: true},
		"a revision that no template reads":           {change: func(r *render.Request) { r.RevisionName = "shop-v4" }, wantSeen: true},
		"a revision that a trait reads":               {component: 1, change: func(r *render.Request) { r.RevisionName = "shop-v4" }},
		"another component of the Application":        {change: func(r *render.Request) { r.Blueprint = withComponent(b) }, wantSeen: true},
		"another cluster":                             {change: func(r *render.Request) { r.Cluster = "production" }},
		"another namespace":                           {change: func(r *render.Request) { r.Namespace = "other" }},
		"other properties":                            {change: func(r *render.Request) { r.Component.Properties = map[string]any{"value": "b"} }},
		"another copy":                                {change: func(r *render.Request) { r.Component.ReplicaKey = "eu" }},
		"another label on the Application":            {change: func(r *render.Request) { r.Blueprint = withLabel(b) }},
		"live objects, when no trait waits for those": {change: func(r *render.Request) { r.Live = &render.Live{} }, wantSeen: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := render.New(render.Options{Engine: cue.NewEngine(cue.Options{})})
			req := request(b, b.Components[tc.component])
			if _, err := r.Component(t.Context(), req); err != nil {
				t.Fatal(fault.Message(err))
			}
			tc.change(&req)
			if _, err := r.Component(t.Context(), req); err != nil {
				t.Fatal(fault.Message(err))
			}
			if hits, _ := r.Stats(); (hits == 1) != tc.wantSeen {
				t.Errorf("hits = %d, want seen = %v", hits, tc.wantSeen)
			}
		})
	}
}

func withComponent(b *blueprint.Blueprint) *blueprint.Blueprint {
	c := *b
	c.Components = append([]blueprint.Component{{Name: "more", Type: "c"}}, b.Components...)
	return &c
}

func withLabel(b *blueprint.Blueprint) *blueprint.Blueprint {
	c := *b
	c.App.Labels = map[string]string{"team": "a"}
	return &c
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	b := one(t, configMap, "", build.App("prod/shop").Component("web", "c", "value: a"))
	r := render.New(render.Options{Engine: cue.NewEngine(cue.Options{}), Keep: 4}) // two results of one manifest
	for _, value := range []string{"a", "b", "a", "c", "b", "a"} {
		req := request(b, b.Components[0])
		req.Component.Properties = map[string]any{"value": value}
		if _, err := r.Component(t.Context(), req); err != nil {
			t.Fatal(fault.Message(err))
		}
	}
	if hits, misses := r.Stats(); hits != 1 || misses != 5 {
		t.Errorf("Stats() = %d hits, %d misses, want 1 and 5: only the last two are kept", hits, misses)
	}
}

func TestScopeOfAKindDecidesAboutTheNamespace(t *testing.T) {
	const component = `
output: {apiVersion: "example.com/v1", kind: "Zone"}
outputs: role: {apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: {name: "r", namespace: "wrong"}}`
	b := one(t, component, "", build.App("prod/shop").Component("web", "c", ""))
	installed := false
	r := render.New(render.Options{Engine: cue.NewEngine(cue.Options{}), Scope: func(gvk schema.GroupVersionKind) (bool, bool) {
		return false, installed && gvk.Kind == "Zone"
	}})
	namespaces := func() []string {
		all, err := r.Component(t.Context(), request(b, b.Components[0]))
		if err != nil {
			t.Fatal(fault.Message(err))
		}
		var out []string
		for _, m := range all {
			out = append(out, m.Key.Kind+" in "+m.Key.Namespace+m.Object.GetNamespace())
		}
		return out
	}
	if diff := cmp.Diff([]string{"Zone in prodprod", "ClusterRole in "}, namespaces()); diff != "" {
		t.Errorf("unknown kind (-want +got):\n%s", diff)
	}
	installed = true
	if diff := cmp.Diff([]string{"Zone in ", "ClusterRole in "}, namespaces()); diff != "" {
		t.Errorf("kind that the cluster knows (-want +got):\n%s", diff)
	}
}

func TestTraitsAskOverHTTP(t *testing.T) {
	const trait = `
processing: {
	output: {token?: string}
	http: {method: "GET", url: parameter.url, request: header: accept: "application/json"}
}
outputs: secret: {apiVersion: "v1", kind: "Secret", metadata: name: context.name, stringData: token: processing.output.token}
parameter: url: string`
	b := one(t, configMap, trait, build.App("prod/shop").Component("web", "c", "value: a").Trait("t", "url: http://tokens"))
	var asked any
	answer := map[string]any{"body": `{"token": "abc"}`, "statusCode": int64(200)}
	actions := provider.Table{"http": {Read: provider.Actions{"do": func(_ context.Context, c provider.Call) (any, error) {
		asked = c.Params
		return map[string]any{"response": answer}, nil
	}}}}
	r := render.New(render.Options{Engine: cue.NewEngine(cue.Options{})})
	req := request(b, b.Components[0])

	_, err := r.Component(t.Context(), req)
	if got, want := fault.Message(err), `spec.components[0].traits[0]: trait "t" of component "web" asks for an HTTP request, which cannot be sent from here`; got != want {
		t.Errorf("without the provider: error = %q, want %q", got, want)
	}
	req.Actions = actions
	all, err := r.Component(t.Context(), req)
	if err != nil {
		t.Fatal(fault.Message(err))
	}
	if token, _, _ := unstructured.NestedString(all[1].Object.Object, "stringData", "token"); token != "abc" {
		t.Errorf("token = %q, want that of the answer", token)
	}
	wantAsked := map[string]any{"method": "GET", "url": "http://tokens", "request": map[string]any{"header": map[string]any{"accept": "application/json"}}}
	if diff := cmp.Diff(wantAsked, asked); diff != "" {
		t.Errorf("request mismatch (-want +got):\n%s", diff)
	}
	answer["statusCode"] = int64(500)
	_, err = r.Component(t.Context(), req)
	if got := fault.Message(err); fault.Terminal(err) || !strings.Contains(got, "answered with status 500") {
		t.Errorf("error = %q, want a retry after status 500", got)
	}
}

func TestCombine(t *testing.T) {
	service := func(component, ports string) manifest.Manifest {
		m := manifest.New("staging", build.Object(`{apiVersion: v1, kind: Service, metadata: {name: web, namespace: prod, labels: {app.oam.dev/component: `+component+`}}, spec: `+ports+`}`))
		m.Component = component
		return m
	}
	output := func(name, spec string) manifest.Manifest {
		m := service("web", spec)
		m.Trait, m.Output = "twins", name
		return m
	}
	cases := map[string]struct {
		in      []manifest.Manifest
		want    []string
		wantErr string
	}{
		"different objects stay as they are": {
			in:   []manifest.Manifest{build.Manifest("Service", "a"), build.Manifest("Service", "b")},
			want: []string{"null", "null"},
		},
		"ports of one Service are put together": {
			in:   []manifest.Manifest{service("web", `{type: ClusterIP, ports: [{port: 80, name: http}, {port: 81}]}`), output("service", `{type: NodePort, ports: [{port: 80, name: web, targetPort: 8080}, {port: 82}]}`)},
			want: []string{`{"ports":[{"name":"http","port":80,"targetPort":8080},{"port":81},{"port":82}],"type":"ClusterIP"}`},
		},
		"a template cannot contradict itself": {
			in:      []manifest.Manifest{output("a", `{type: ClusterIP}`), output("b", `{type: NodePort}`)},
			wantErr: `trait "twins" of component "web" gives staging: Service prod/web twice, under outputs.a and outputs.b of its template, with different content (correct its definition: every output is an object of its own)`,
		},
		"components that agree share an object": {
			in:   []manifest.Manifest{service("web", `{ports: [{port: 80}]}`), service("api", `{ports: [{port: 80}]}`)},
			want: []string{`{"ports":[{"port":80}]}`},
		},
		"components that do not agree cannot": {
			in:      []manifest.Manifest{service("web", `{ports: [{port: 80}]}`), service("api", `{ports: [{port: 81}]}`)},
			wantErr: `component "web" and component "api" both give staging: Service prod/web, with different content`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			out, err := render.Combine(tc.in)
			if text := fault.Message(err); text != tc.wantErr {
				t.Fatalf("Combine() error = %q, want %q", text, tc.wantErr)
			}
			var got []string
			for _, m := range out {
				spec, err := yaml.Marshal(m.Object.Object["spec"])
				if err != nil {
					t.Fatal(err)
				}
				text, err := yaml.YAMLToJSON(spec)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, string(text))
				if m.Digest() != manifest.Digest(m.Object.Object) {
					t.Error("the digest is not that of the combined object")
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Combine() mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

// One Renderer serves all reconcilers at once.
func TestARendererIsSafeForConcurrentUse(t *testing.T) {
	b := one(t, configMap, "patch: metadata: annotations: of: context.output.data.value", build.App("prod/shop").Component("web", "c", "value: a").Trait("t", ""))
	r := render.New(render.Options{Engine: cue.NewEngine(cue.Options{}), Keep: 6})
	var group sync.WaitGroup
	for i := range 40 {
		group.Go(func() {
			req := request(b, b.Components[0])
			value := fmt.Sprint(i % 5)
			req.Component.Properties = map[string]any{"value": value}
			all, err := r.Component(context.Background(), req)
			if err != nil {
				t.Error(fault.Message(err))
				return
			}
			if got := all[0].Object.GetAnnotations()["of"]; got != value {
				t.Errorf("value = %q, want %q", got, value)
			}
		})
	}
	group.Wait()
}

func TestPartsAreWhatTheTemplatesGive(t *testing.T) {
	const component = `
output: {apiVersion: "apps/v1", kind: "Deployment"}
outputs: a: {apiVersion: "v1", kind: "Service", metadata: name: "web", spec: ports: [{port: 80}]}
outputs: b: {apiVersion: "v1", kind: "Service", metadata: name: "web", spec: ports: [{port: 81}]}`
	app := build.App("prod/shop").Component("web", "c", "").Trait("t", "")
	d, err := blueprint.Parse(t.Context(), app.Object(), nil)
	if err != nil {
		t.Fatal(err)
	}
	engine := cue.NewEngine(cue.Options{})
	manages := func(s *v1beta1.TraitDefinitionSpec) { s.ManageWorkload = true }
	b, err := blueprint.Resolve(t.Context(), d, build.Definitions(
		build.ComponentDefinition("c", component), build.TraitDefinition("t", "parameter: {}", manages),
	), blueprint.Options{Components: engine, Steps: engine})
	if err != nil {
		t.Fatal(fault.Message(err))
	}
	r := render.New(render.Options{Engine: engine})
	kinds := func(f func(context.Context, render.Request) ([]manifest.Manifest, error)) []string {
		all, err := f(t.Context(), request(&b, b.Components[0]))
		if err != nil {
			t.Fatal(fault.Message(err))
		}
		var out []string
		for _, m := range all {
			out = append(out, m.Key.Kind)
		}
		return out
	}
	if diff := cmp.Diff([]string{"Deployment", "Service", "Service"}, kinds(r.Parts)); diff != "" {
		t.Errorf("Parts() mismatch (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Service"}, kinds(r.Component)); diff != "" {
		t.Errorf("Component() mismatch (-want +got):\n%s", diff)
	}
}
