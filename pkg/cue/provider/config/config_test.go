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

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/config"
	velahttp "github.com/seed-c5f95f19/vela/pkg/cue/provider/http"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/op"
)

// registry answers as image registries and Helm repositories do.
func registry(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	good := user == "ann" && password == "right"
	switch r.URL.Path {
	case "/v2/":
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="registry"`, r.Host))
		w.WriteHeader(http.StatusUnauthorized)
	case "/basic/v2/", "/charts/index.yaml", "/token":
		if r.URL.Path == "/token" && r.URL.Query().Get("service") != "registry" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if !good {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = fmt.Fprint(w, "apiVersion: v1\nentries: {}\n"+strings.Repeat("#", 8<<20))
	case "/page/index.yaml":
		_, _ = fmt.Fprint(w, "<html>")
	default:
		http.NotFound(w, r)
	}
}

func TestChecks(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(registry))
	defer server.Close()
	secure := httptest.NewTLSServer(http.HandlerFunc(registry))
	defer secure.Close()
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	auth := func(password string) string { return fmt.Sprintf(`auth: {username: "ann", password: %q}`, password) }
	cases := map[string]struct{ call, params, want string }{
		"a registry with good credentials":       {"ImageRegistry", `registry: "HOST", useHTTP: true, ` + auth("right"), "true "},
		"a registry with a wrong password":       {"ImageRegistry", `registry: "HOST", useHTTP: true, ` + auth("wrong"), "false the registry refuses the user name or the password"},
		"a registry without credentials":         {"ImageRegistry", `registry: "HOST", useHTTP: true`, "true "},
		"a registry that speaks no TLS":          {"ImageRegistry", `registry: "HOST"`, "false the registry cannot be reached: "},
		"a certificate that nobody trusts":       {"ImageRegistry", `registry: "TLSHOST"`, "false the registry cannot be reached: "},
		"… and that is accepted":                 {"ImageRegistry", `registry: "TLSHOST", insecure: true`, "true "},
		"a log-in without TLS is not sent to":    {"ImageRegistry", `registry: "TLSHOST", insecure: true, ` + auth("right"), "false the registry names no place to log in"},
		"another server":                         {"ImageRegistry", `registry: "OTHER", useHTTP: true`, "false the registry answers with status 404"},
		"no registry":                            {"ImageRegistry", `registry: "a b"`, "false registry: expected a host such as ghcr.io"},
		"a repository":                           {"HelmRepository", `url: "URL/charts", username: "ann", password: "right"`, "true "},
		"a repository with a wrong password":     {"HelmRepository", `url: "URL/charts", username: "ann", password: "wrong"`, "false the repository refuses the user name or the password"},
		"a page that is no repository":           {"HelmRepository", `url: "URL/page"`, "false the address has no index.yaml of a Helm repository"},
		"a place where nothing is":               {"HelmRepository", `url: "URL/nothing"`, "false the repository answers with status 404"},
		"certificates to trust that are none":    {"HelmRepository", `url: "URL/page", caFile: "x"`, "false the repository cannot be reached: the certificates to trust hold no certificate"},
		"a repository that is a registry":        {"HelmRepository", `url: "oci://TLSHOST/charts"`, "false the registry cannot be reached: "},
		"an address that is none":                {"HelmRepository", `url: "charts"`, "false url: expected an address such as https://charts.example.com"},
		"a password does not get into a message": {"HelmRepository", `url: "http://127.0.0.1:1", username: "ann", password: "hidden"`, "false the repository cannot be reached: GET http://127.0.0.1:1: "},
	}
	host := func(url string) string { _, h, _ := strings.Cut(url, "://"); return h }
	fixed := strings.NewReplacer("TLSHOST", host(secure.URL), "HOST", host(server.URL), "OTHER", host(other.URL), "URL", server.URL)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			text := fixed.Replace(fmt.Sprintf("import \"vela/config\"\nc: config.#%s & {$params: {%s}}\ngot: \"\\(c.$returns.result) \\(c.$returns.message)\"", tc.call, tc.params))
			client := velahttp.NewClient(func(netip.Addr) error { return nil }, nil)
			table := provider.NewTable(config.Definition(config.Options{Client: client}))
			got, err := eval(t, config.DefinitionSchema(), text, table.ReadOnly())
			if err != nil || !strings.HasPrefix(got, tc.want) || strings.Contains(got, "hidden") {
				t.Errorf("got %q (%v), want %q", got, err, tc.want)
			}
		})
	}
}

// store notes what is asked of it.
type store struct{ asked []string }

func (s *store) note(format string, args ...any) {
	s.asked = append(s.asked, fmt.Sprintf(format, args...))
}

func (s *store) Save(_ context.Context, c config.Config) error {
	s.note("save %s/%s template %q %v", c.Namespace, c.Name, c.Template, c.Properties)
	return nil
}

func (s *store) Delete(_ context.Context, namespace, name string) error {
	s.note("delete %s/%s", namespace, name)
	return nil
}

func (s *store) Read(_ context.Context, namespace, name string) (config.Config, error) {
	if name == "hidden" {
		return config.Config{}, errors.New("config is sensitive")
	}
	return config.Config{Properties: map[string]any{"from": namespace + "/" + name}}, nil
}

func (s *store) List(_ context.Context, namespace, template string) ([]config.Config, error) {
	return []config.Config{{Name: "one", Alias: "One", Properties: map[string]any{"of": namespace + "/" + template}}, {Name: "two"}}, nil
}

func TestConfigs(t *testing.T) {
	name := `name: "c", namespace: "team"`
	cases := map[string]struct {
		text  string
		want  string
		asked []string
	}{
		"create": {`x: config.#CreateConfig & {$params: {` + name + `, template: "t", config: a: 1}}`, "", []string{`save team/c template "t" map[a:1]`}},
		"delete": {`x: config.#DeleteConfig & {$params: {` + name + `}}`, "", []string{"delete team/c"}},
		"read":   {`x: config.#ReadConfig & {$params: {` + name + `}}, got: x.$returns.config.from`, "team/c", nil},
		"list": {`x: config.#ListConfig & {$params: {template: "t", namespace: "team"}}, got: "\(x.$returns.configs[0].name) \(x.$returns.configs[0].alias) \(x.$returns.configs[0].config.of) \(len(x.$returns.configs))"`,
			"one One team/t 2", nil},
		"create in the older dialect": {`x: op.#CreateConfig & {` + name + `, config: {}}`, "", []string{`save team/c template "" map[]`}},
		"delete in the older dialect": {`x: op.#DeleteConfig & {` + name + `}`, "", []string{"delete team/c"}},
		"read in the older dialect":   {`x: op.#ReadConfig & {` + name + `}, got: x.config.from`, "team/c", nil},
		"list in the older dialect":   {`x: op.#ListConfig & {template: "t", namespace: "team"}, got: x.configs[0].config.of`, "team/t", nil},
		"both dialects at once": {`x: config.#ReadConfig & {$params: {` + name + `}}, y: op.#ListConfig & {template: x.$returns.config.from, namespace: "n"}, got: y.configs[0].config.of`,
			"n/team/c", nil},
	}
	for what, tc := range cases {
		t.Run(what, func(t *testing.T) {
			s := &store{}
			text := "import \"vela/op\"\nimport \"vela/config\"\n" + strings.ReplaceAll(tc.text, "}, ", "}\n")
			got, err := eval(t, config.WorkflowSchema(), text, provider.NewTable(config.Workflow(config.Options{Store: s})))
			if err != nil || got != tc.want {
				t.Errorf("got %q (%v), want %q", got, err, tc.want)
			}
			if diff := cmp.Diff(tc.asked, s.asked); diff != "" {
				t.Errorf("asked of the store (-want +got):\n%s", diff)
			}
		})
	}
}

// eval returns the field got, or "" when there is none.
func eval(t *testing.T, schema provider.Schema, text string, table provider.Table) (string, error) {
	t.Helper()
	engine := cue.NewEngine(cue.Options{Packages: append(op.Schemas(), schema)})
	tmpl, err := engine.Compile(cue.Source{Kind: "test", Name: "it", Text: text})
	if err != nil {
		t.Fatal(err)
	}
	res, err := tmpl.Eval(t.Context(), cue.Input{Actions: table, ReadOnly: len(table["config"].Write) == 0})
	if err != nil || !res.Exists("got") {
		return "", err
	}
	got, _, err := res.String("got")
	return got, err
}
