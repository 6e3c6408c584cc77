package config_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/seed-c5f95f19/vela/pkg/config"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	provided "github.com/seed-c5f95f19/vela/pkg/cue/provider/config"
	velahttp "github.com/seed-c5f95f19/vela/pkg/cue/provider/http"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// registry is a template as addons bring them: a description, a Secret, an object
// that comes with it, and a check.
const registry = `
import (
	"vela/config"
	"encoding/json"
)

metadata: {
	name:  "registry"
	alias: "Registry"
	scope: "project"
}

#Login: {username: string, password: string}

template: {
	output: {
		apiVersion: "v1"
		kind:       "Secret"
		metadata: {
			name:      context.name
			namespace: context.namespace
			labels: "config.oam.dev/sub-type": "image"
		}
		if parameter.auth != _|_ {type: "kubernetes.io/dockerconfigjson"}
		stringData: {
			registry: parameter.registry
			if parameter.auth != _|_ {
				".dockerconfigjson": json.Marshal({auths: "\(parameter.registry)": parameter.auth})
			}
		}
	}
	outputs: {
		for name in parameter.mirrors {
			"\(name)": {
				apiVersion: "v1"
				kind:       "ConfigMap"
				metadata: "name": name
				data: of: parameter.registry
			}
		}
	}
	if parameter.check != _|_ {
		validation: config.#HelmRepository & {$params: url: parameter.check}
	}
	parameter: {
		// +usage=Host
		registry: string
		auth?:    #Login
		check?:   string
		mirrors: *[] | [...string]
	}
}
`

// writes counts the requests that change something.
type writes struct{ n int }

func (w *writes) client(t *testing.T) client.WithWatch {
	return env.Client(t, interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			w.n++
			return c.Create(ctx, o, opts...)
		},
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			w.n++
			return c.Update(ctx, o, opts...)
		},
	})
}

func newStore(t *testing.T, ns string, k8s client.Client) *config.Store {
	t.Helper()
	web := velahttp.NewClient(func(netip.Addr) error { return nil }, nil)
	template := func(name, text string, sensitive bool) client.Object {
		return &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: ns, Name: "config-template-" + name,
				Labels:      map[string]string{"config.oam.dev/catalog": "velacore-config", "config.oam.dev/scope": "project"},
				Annotations: map[string]string{"config.oam.dev/sensitive": fmt.Sprint(sensitive)},
			},
			Data: map[string]string{"template": text},
		}
	}
	env.Create(t,
		template("registry", registry, false),
		template("hidden", "template: {parameter: token: string}", true),
		template("broken", "template: {parameter: ]}", false),
		template("strange", `template: {output: {apiVersion: "v1", kind: "ConfigMap"}, parameter: {}}`, false),
	)
	return &config.Store{
		Client: k8s, System: ns,
		Engine:  cue.NewEngine(cue.Options{Packages: all.DefinitionSchemas()}),
		Actions: all.Definition(all.Deps{HTTP: velahttp.Options{Client: web}}),
	}
}

func secret(t *testing.T, ns, name string) *corev1.Secret {
	t.Helper()
	s := &corev1.Secret{}
	if err := env.Client(t).Get(t.Context(), client.ObjectKey{Namespace: ns, Name: name}, s); err != nil {
		t.Fatal(err)
	}
	return s
}

func mirrors(t *testing.T, ns string) []string {
	t.Helper()
	list := &corev1.ConfigMapList{}
	if err := env.Client(t).List(t.Context(), list, client.InNamespace(ns)); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, cm := range list.Items {
		if of := cm.Data["of"]; of != "" {
			out = append(out, cm.Name+" of "+of)
		}
	}
	return out
}

// What is stored is what KubeVela stores: labels, annotations, type and keys.
func TestAConfigIsStoredAsASecret(t *testing.T) {
	t.Parallel()
	ns := env.Namespace(t)
	s := newStore(t, ns, env.Client(t))
	err := s.Save(t.Context(), provided.Config{Namespace: ns, Name: "ghcr", Template: "registry", Description: "ours", Properties: map[string]any{
		"registry": "ghcr.io", "auth": map[string]any{"username": "ann", "password": "p"}, "mirrors": []any{"one"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	got := secret(t, ns, "ghcr")
	type stored struct {
		Type                corev1.SecretType
		Labels, Annotations map[string]string
		Data                map[string]string
	}
	data := map[string]string{}
	for k, v := range got.Data {
		data[k] = string(v)
	}
	want := stored{
		Type: "kubernetes.io/dockerconfigjson",
		Labels: map[string]string{
			"config.oam.dev/catalog": "velacore-config", "config.oam.dev/type": "registry", "config.oam.dev/scope": "project", "config.oam.dev/sub-type": "image",
		},
		Annotations: map[string]string{"config.oam.dev/sensitive": "false", "config.oam.dev/template-namespace": ns, "config.oam.dev/description": "ours"},
		Data: map[string]string{
			".dockerconfigjson": `{"auths":{"ghcr.io":{"password":"p","username":"ann"}}}`, "registry": "ghcr.io",
			"input-properties":  `{"auth":{"password":"p","username":"ann"},"mirrors":["one"],"registry":"ghcr.io"}`,
			"objects-reference": "- apiVersion: v1\n  kind: ConfigMap\n  name: one\n  namespace: " + ns + "\n",
		},
	}
	if diff := cmp.Diff(want, stored{got.Type, got.Labels, got.Annotations, data}, cmp.Transformer("docker", func(s string) string {
		return strings.ReplaceAll(s, `"username":"ann","password":"p"`, `"password":"p","username":"ann"`) // CUE keeps the order of fields
	})); diff != "" {
		t.Errorf("Secret mismatch (-want +got):\n%s", diff)
	}
	read, err := s.Read(t.Context(), ns, "ghcr")
	if err != nil || read.Properties["registry"] != "ghcr.io" || read.Template != ns+"/registry" || read.Description != "ours" {
		t.Errorf("Read() = %v, %v", read, err)
	}
}

// The objects of a template follow it, and go with the config. A config that is
// as it was is not written.
func TestAConfigIsChangedAndDeleted(t *testing.T) {
	t.Parallel()
	ns := env.Namespace(t)
	var w writes
	s := newStore(t, ns, w.client(t))
	for _, step := range []struct {
		mirrors []any
		want    []string
		writes  int
	}{
		{[]any{"a", "b"}, []string{"a of ghcr.io", "b of ghcr.io"}, 1},
		{[]any{"a", "b"}, []string{"a of ghcr.io", "b of ghcr.io"}, 0},
		{[]any{"b", "c"}, []string{"b of ghcr.io", "c of ghcr.io"}, 2}, // c is recorded before it is there, a forgotten after it is gone
		{[]any{}, nil, 2},
	} {
		w.n = 0
		if err := s.Save(t.Context(), provided.Config{Namespace: ns, Name: "c", Template: "registry",
			Properties: map[string]any{"registry": "ghcr.io", "mirrors": step.mirrors}}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, mirrors(t, ns)); diff != "" || w.n != step.writes {
			t.Errorf("mirrors %v: %d writes, want %d (-want +got):\n%s", step.mirrors, w.n, step.writes, diff)
		}
	}
	if err := s.Save(t.Context(), provided.Config{Namespace: ns, Name: "c", Template: "registry",
		Properties: map[string]any{"registry": "ghcr.io", "mirrors": []any{"x"}}}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time it is gone already
		if err := s.Delete(t.Context(), ns, "c"); err != nil {
			t.Fatal(err)
		}
	}
	if got := mirrors(t, ns); got != nil {
		t.Errorf("left behind: %v", got)
	}
	if err := env.Client(t).Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "c"}, &corev1.Secret{}); !apierrors.IsNotFound(err) {
		t.Errorf("the Secret is still there: %v", err)
	}
}

// An object that could not be made is in the Secret, so that it goes with it.
func TestWhatComesWithAConfigIsRecordedFirst(t *testing.T) {
	t.Parallel()
	ns := env.Namespace(t)
	s := newStore(t, ns, env.Client(t, interceptor.Funcs{Apply: func(context.Context, client.WithWatch, runtime.ApplyConfiguration, ...client.ApplyOption) error {
		return errors.New("the server is away")
	}}))
	err := s.Save(t.Context(), provided.Config{Namespace: ns, Name: "c", Template: "registry", Properties: map[string]any{"registry": "x", "mirrors": []any{"m"}}})
	if err == nil || !strings.Contains(err.Error(), `apply ConfigMap "m": the server is away`) {
		t.Errorf("error = %v", err)
	}
	if refs := string(secret(t, ns, "c").Data["objects-reference"]); !strings.Contains(refs, "name: m") {
		t.Errorf("recorded %q", refs)
	}
}

func TestWhatConfigsRefuse(t *testing.T) {
	t.Parallel()
	ns := env.Namespace(t)
	s := newStore(t, ns, env.Client(t))
	page := httptest.NewServer(http.NotFoundHandler())
	defer page.Close()
	env.Create(t, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "foreign"}})
	if err := s.Save(t.Context(), provided.Config{Namespace: ns, Name: "token", Template: ns + "/hidden", Properties: map[string]any{"token": "t"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(t.Context(), provided.Config{Namespace: ns, Name: "free", Properties: map[string]any{"a": 1}}); err != nil {
		t.Fatal(err)
	}
	save := func(name, template string, properties map[string]any) func() error {
		return func() error {
			return s.Save(t.Context(), provided.Config{Namespace: ns, Name: name, Template: template, Properties: properties})
		}
	}
	read := func(name string) func() error {
		return func() error { _, err := s.Read(t.Context(), ns, name); return err }
	}
	cases := map[string]struct {
		do       func() error
		want     string
		terminal bool
	}{
		"to read what is sensitive":         {read("token"), "is sensitive and cannot be read", true},
		"to read what is not there":         {read("nothing"), `there is no config "nothing"`, false},
		"to read a Secret that is none":     {read("foreign"), `there is no config "foreign"`, false},
		"to overwrite a Secret":             {save("foreign", "", nil), "a Secret with this name exists and is no config", true},
		"to delete a Secret":                {func() error { return s.Delete(t.Context(), ns, "foreign") }, "is no config and is not deleted", true},
		"another template":                  {save("token", "registry", map[string]any{"registry": "x"}), `is of the template "hidden" and cannot become one of "registry"`, true},
		"a template that is not there":      {save("c", "nothing", nil), `there is no config template "nothing"`, false},
		"a template that is no CUE":         {save("c", "broken", nil), "the text is not CUE", false},
		"a template whose output is wrong":  {save("c", "strange", nil), "output is a ConfigMap, and has to be a Secret", false},
		"a property of another type":        {save("c", "registry", map[string]any{"registry": 1}), "registry", true},
		"a property that is missing":        {save("c", "registry", nil), "registry", true},
		"properties that the check refuses": {save("c", "registry", map[string]any{"registry": "x", "check": page.URL}), "the repository answers with status 404", false},
		"a config without a name":           {save("", "", nil), "a config needs a name and a namespace", true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := tc.do()
			if err == nil || !strings.Contains(err.Error(), tc.want) || fault.Terminal(err) != tc.terminal {
				t.Errorf("error = %v (terminal %v), want %q (terminal %v)", err, fault.Terminal(err), tc.want, tc.terminal)
			}
		})
	}
	list, err := s.List(t.Context(), ns, "hidden")
	if err != nil || len(list) != 1 || list[0].Name != "token" || list[0].Properties != nil {
		t.Errorf("List() of a sensitive template = %v, %v, want its name without properties", list, err)
	}
	if free, err := s.Read(t.Context(), ns, "free"); err != nil || free.Properties["a"] != int64(1) {
		t.Errorf("Read() of a config without a template = %v, %v", free, err)
	}
}
