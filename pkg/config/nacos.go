package config

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	velahttp "github.com/seed-c5f95f19/vela/pkg/cue/provider/http"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// A publication is content that a template wants to have in a Nacos server.
type publication struct {
	Endpoint struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace,omitempty"`
	} `json:"endpoint"`
	Format   string `json:"format,omitempty"`
	Metadata struct {
		DataID      string `json:"dataId"`
		Group       string `json:"group"`
		AppName     string `json:"appName,omitempty"`
		NamespaceID string `json:"namespaceId,omitempty"`
		Tenant      string `json:"tenant,omitempty"`
		Tag         string `json:"tag,omitempty"`
	} `json:"metadata"`
	Content map[string]any `json:"content,omitempty"`
}

// keyPublished remembers in the Secret of a config what is in a Nacos server.
const keyPublished = "nacos"

// publicationOf reads what a template wants to publish, nil for nothing.
func publicationOf(res *cue.Result) (*publication, error) {
	if !res.Exists("nacos") {
		return nil, nil
	}
	p := &publication{}
	if err := res.Decode("nacos", p); err != nil {
		return nil, err
	}
	content, _, err := res.Lookup("nacos.content") // with whole numbers whole
	if err != nil {
		return nil, err
	}
	p.Content, _ = content.(map[string]any)
	if p.Endpoint.Name == "" || p.Metadata.DataID == "" || p.Metadata.Group == "" {
		return nil, errors.New("nacos needs endpoint.name, metadata.dataId and metadata.group")
	}
	return p, nil
}

// place is where a publication is, without what it holds.
func (p *publication) place() string {
	q := *p
	q.Content, q.Format = nil, ""
	b, _ := json.Marshal(q) // a struct of strings
	return string(b)
}

// publish sends what the template wants. The Secret names the place before
// anything is there, and until what was in another place is gone.
func (s *Store) publish(ctx context.Context, namespace string, p *publication) error {
	text, err := p.text()
	if err != nil {
		return fault.Because(ReasonInvalidTemplate, err)
	}
	form := p.query()
	form.Set("content", text)
	form.Set("type", p.Format)
	form.Set("appName", p.Metadata.AppName)
	form.Set("tag", p.Metadata.Tag)
	return s.nacos(ctx, namespace, p, http.MethodPost, nil, form)
}

// withdraw removes what a Secret says to be published.
func (s *Store) withdraw(ctx context.Context, secret *corev1.Secret) error {
	if secret == nil || len(secret.Data[keyPublished]) == 0 {
		return nil
	}
	p := &publication{}
	if err := json.Unmarshal(secret.Data[keyPublished], p); err != nil {
		return fmt.Errorf("what it has published (%s) cannot be read: %w", keyPublished, err)
	}
	return s.nacos(ctx, secret.Namespace, p, http.MethodDelete, p.query(), nil)
}

func (p *publication) query() url.Values {
	tenant := p.Metadata.Tenant
	if tenant == "" {
		tenant = p.Metadata.NamespaceID
	}
	return url.Values{"dataId": {p.Metadata.DataID}, "group": {p.Metadata.Group}, "tenant": {tenant}}
}

// A nacosServer is what a config of the template nacos-server says.
type nacosServer struct {
	Servers []struct {
		IPAddr      string `json:"ipAddr"`
		Port        int    `json:"port"`
		Scheme      string `json:"scheme"`
		ContextPath string `json:"contextPath"`
	} `json:"servers"`
	Username string `json:"username"`
	Password string `json:"password"`
}

// nacos sends one request to the first server that answers.
func (s *Store) nacos(ctx context.Context, namespace string, p *publication, method string, query, form url.Values) error {
	if p.Endpoint.Namespace != "" {
		namespace = p.Endpoint.Namespace
	}
	server, err := s.nacosServer(ctx, namespace, p.Endpoint.Name)
	if err != nil {
		return err
	}
	var problems []error
	for _, at := range server.Servers {
		scheme, path := at.Scheme, at.ContextPath
		if scheme == "" {
			scheme = "http"
		}
		if path == "" {
			path = "/nacos"
		}
		base := &url.URL{Scheme: scheme, Host: net.JoinHostPort(at.IPAddr, strconv.Itoa(at.Port)), Path: path}
		if err = s.ask(ctx, base, server, method, query, form); err == nil {
			return nil
		}
		problems = append(problems, err)
	}
	return fmt.Errorf("nacos server %s/%s: %w", namespace, p.Endpoint.Name, errors.Join(problems...))
}

// nacosServer reads the config of a server. A sensitive one can be used, too.
func (s *Store) nacosServer(ctx context.Context, namespace, name string) (nacosServer, error) {
	var server nacosServer
	secret, err := s.secret(ctx, namespace, name)
	if err != nil {
		return server, fault.Because(ReasonMissing, fmt.Errorf("read the config %s/%s of the Nacos server: %w", namespace, name, err))
	}
	if err := json.Unmarshal(secret.Data[keyProperties], &server); err != nil {
		return server, fmt.Errorf("the config %s/%s is not one of a Nacos server", namespace, name)
	}
	if len(server.Servers) == 0 {
		return server, fault.Invalid(ReasonInvalidConfig, fmt.Errorf("the config %s/%s names no servers; an endpoint with keys is not supported", namespace, name))
	}
	return server, nil
}

// ask sends one request to one server, logged in when there is a user.
func (s *Store) ask(ctx context.Context, base *url.URL, server nacosServer, method string, query, form url.Values) error {
	if query == nil {
		query = url.Values{}
	}
	query = maps.Clone(query)
	if server.Username != "" {
		answer, err := s.post(ctx, http.MethodPost, base.JoinPath("v1/auth/login"), url.Values{"username": {server.Username}, "password": {server.Password}})
		if err != nil {
			return err
		}
		v, _ := provider.Unmarshal(answer)
		m, _ := v.(map[string]any)
		token, _ := m["accessToken"].(string)
		query.Set("accessToken", token)
	}
	u := base.JoinPath("v1/cs/configs")
	u.RawQuery = query.Encode()
	answer, err := s.post(ctx, method, u, form)
	if err == nil && strings.TrimSpace(string(answer)) != "true" {
		err = errors.New("the server did not take it")
	}
	return err
}

func (s *Store) post(ctx context.Context, method string, u *url.URL, form url.Values) ([]byte, error) {
	if s.Web == nil {
		return nil, errors.New("the server cannot be asked from here")
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := s.Web.Fetch(ctx, req, velahttp.FetchOptions{})
	if err == nil && answer.Status != http.StatusOK {
		err = fmt.Errorf("%s answers with status %d", u.Host, answer.Status)
	}
	return answer.Body, err
}

// text writes the content in its format.
func (p *publication) text() (string, error) {
	switch p.Format {
	case "json", "":
		p.Format = "json"
		b, err := json.Marshal(p.Content)
		return string(b), err
	case "yaml":
		b, err := yaml.Marshal(p.Content)
		return string(b), err
	case "toml":
		var b bytes.Buffer
		err := toml.NewEncoder(&b).Encode(p.Content)
		return b.String(), err
	case "properties":
		var lines []string
		flatten("", p.Content, &lines)
		return strings.Join(lines, ""), nil
	}
	return "", fmt.Errorf("nacos.format: expected json, yaml, properties or toml, got %q", p.Format)
}

// flatten writes a value as lines of a properties file: a.b[0]=x.
func flatten(path string, v any, lines *[]string) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			at := key
			if path != "" {
				at = path + "." + key
			}
			flatten(at, v[key], lines)
		}
	case []any:
		for i, e := range v {
			flatten(fmt.Sprintf("%s[%d]", path, i), e, lines)
		}
	case nil:
	default:
		text := strings.NewReplacer("\\", "\\\\", "\n", "\\n", "\r", "\\r").Replace(fmt.Sprint(v))
		*lines = append(*lines, path+"="+text+"\n")
	}
}
