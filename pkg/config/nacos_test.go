package config_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	provided "github.com/seed-c5f95f19/vela/pkg/cue/provider/config"
	velahttp "github.com/seed-c5f95f19/vela/pkg/cue/provider/http"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// nacosConfig is the template of KubeVela's documentation.
const nacosConfig = `
metadata: {name: "nacos-config"}
template: {
	nacos: {
		endpoint: name: "nacos"
		format: parameter.format
		metadata: {
			dataId: parameter.dataId
			group:  "DEFAULT_GROUP"
			if parameter.tenant != _|_ {namespaceId: parameter.tenant}
		}
		content: parameter.content
	}
	parameter: {
		dataId:  string
		tenant?: string
		format:  *"json" | string
		content: {...}
	}
}`

// A nacos keeps what is published, for those who have logged in.
type nacos struct {
	mu   sync.Mutex
	kept map[string]string
}

func (n *nacos) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := r.ParseForm(); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	key := r.Form.Get("tenant") + "/" + r.Form.Get("group") + "/" + r.Form.Get("dataId")
	switch {
	case r.URL.Path == "/nacos/v1/auth/login" && r.PostForm.Get("password") == "right":
		_, _ = fmt.Fprint(w, `{"accessToken": "token"}`)
	case r.URL.Path != "/nacos/v1/cs/configs" || r.URL.Query().Get("accessToken") != "token":
		w.WriteHeader(http.StatusForbidden)
	case r.Method == http.MethodPost:
		n.kept[key] = r.PostForm.Get("type") + " " + r.PostForm.Get("content")
		_, _ = fmt.Fprint(w, "true")
	case r.Method == http.MethodDelete:
		delete(n.kept, key)
		_, _ = fmt.Fprint(w, "true")
	}
}

// A config can be in a Nacos server: it follows the config, and goes with it.
func TestNacos(t *testing.T) {
	t.Parallel()
	ns := env.Namespace(t)
	s := newStore(t, ns, env.Client(t))
	s.Web = velahttp.NewClient(func(netip.Addr) error { return nil }, nil)
	kept := &nacos{kept: map[string]string{}}
	server := httptest.NewServer(kept)
	defer server.Close()
	host, portText, _ := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	port, _ := strconv.Atoi(portText)
	env.Create(t, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "config-template-nacos"}, Data: map[string]string{"template": nacosConfig}})
	save := func(name, template string, properties map[string]any) error {
		return s.Save(t.Context(), provided.Config{Namespace: ns, Name: name, Template: template, Properties: properties})
	}
	if err := save("c", "nacos", map[string]any{"dataId": "a", "content": map[string]any{}}); err == nil || !strings.Contains(err.Error(), "of the Nacos server") {
		t.Errorf("without a server: %v", err)
	}
	if err := save("nacos", "", map[string]any{"username": "ann", "password": "right", "servers": []any{
		map[string]any{"ipAddr": host, "port": 1}, map[string]any{"ipAddr": host, "port": port}, // the first is away
	}}); err != nil {
		t.Fatal(err)
	}
	content := map[string]any{"db": map[string]any{"port": 5432, "hosts": []any{"a", "b"}}, "name": "x\ny"}
	for _, step := range []struct {
		properties map[string]any
		want       map[string]string
	}{
		{map[string]any{"dataId": "a", "content": content}, map[string]string{"/DEFAULT_GROUP/a": `json {"db":{"hosts":["a","b"],"port":5432},"name":"x\ny"}`}},
		{map[string]any{"dataId": "a", "content": content, "format": "yaml"}, map[string]string{"/DEFAULT_GROUP/a": "yaml db:\n  hosts:\n  - a\n  - b\n  port: 5432\nname: |-\n  x\n  y\n"}},
		{map[string]any{"dataId": "b", "content": content, "format": "properties", "tenant": "t"}, map[string]string{"t/DEFAULT_GROUP/b": "properties db.hosts[0]=a\ndb.hosts[1]=b\ndb.port=5432\nname=x\\ny\n"}},
		{map[string]any{"dataId": "b", "content": map[string]any{"n": 1}, "format": "toml", "tenant": "t"}, map[string]string{"t/DEFAULT_GROUP/b": "toml n = 1\n"}},
	} {
		if err := save("c", "nacos", step.properties); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, kept.kept); diff != "" {
			t.Errorf("in the server (-want +got):\n%s", diff)
		}
	}
	if err := save("c", "nacos", map[string]any{"dataId": "b", "content": content, "format": "xml", "tenant": "t"}); err == nil || !strings.Contains(err.Error(), "nacos.format: expected json") {
		t.Errorf("another format: %v", err)
	}
	if err := s.Delete(t.Context(), ns, "c"); err != nil {
		t.Fatal(err)
	}
	if len(kept.kept) > 0 {
		t.Errorf("left in the server: %v", kept.kept)
	}
	if err := save("nacos", "", map[string]any{"username": "ann", "password": "wrong-one", "servers": []any{map[string]any{"ipAddr": host, "port": port}}}); err != nil {
		t.Fatal(err)
	}
	if err := save("c", "nacos", map[string]any{"dataId": "a", "content": content}); err == nil || !strings.Contains(err.Error(), "answers with status 403") || strings.Contains(err.Error(), "wrong-one") {
		t.Errorf("with a wrong password: %v", err)
	}
}
