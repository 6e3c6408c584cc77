package connect_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// kubeconfig returns one whose server has that name and whose context has that
// namespace.
func kubeconfig(server, namespace string) string {
	return `apiVersion: v1
kind: Config
current-context: c
clusters: [{name: c, cluster: {server: "https://` + server + `:6443"}}]
contexts: [{name: c, context: {cluster: c, namespace: "` + namespace + `"}}]
`
}

func TestWhichClusterIsUsed(t *testing.T) {
	cases := map[string]struct {
		files         map[string]string
		env           map[string]string
		flag          string
		wantHost      string
		wantNamespace string
		wantErr       string
	}{
		"the flag comes first": {
			files:    map[string]string{"flag": kubeconfig("flag", ""), "env": kubeconfig("env", ""), ".kube/config": kubeconfig("home", "")},
			env:      map[string]string{"KUBECONFIG": "env"},
			flag:     "flag",
			wantHost: "https://flag:6443", wantNamespace: "default",
		},
		"then KUBECONFIG": {
			files:    map[string]string{"env": kubeconfig("env", "team"), ".kube/config": kubeconfig("home", "")},
			env:      map[string]string{"KUBECONFIG": "env"},
			wantHost: "https://env:6443", wantNamespace: "team",
		},
		"then the home directory": {
			files:    map[string]string{".kube/config": kubeconfig("home", ""), ".vela/local/clusters/hub/kubeconfig": kubeconfig("hub", "")},
			wantHost: "https://home:6443", wantNamespace: "default",
		},
		"then the hub of vela-local, so that a newcomer needs no export": {
			files:    map[string]string{".vela/local/clusters/hub/kubeconfig": kubeconfig("hub", "")},
			wantHost: "https://hub:6443", wantNamespace: "default",
		},
		"a KUBECONFIG that leads nowhere is an error, not another cluster": {
			files:   map[string]string{".kube/config": kubeconfig("home", "")},
			env:     map[string]string{"KUBECONFIG": "nowhere"},
			wantErr: "KUBECONFIG=",
		},
		"without any the error says how to get one": {
			wantErr: "no cluster",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			for file, text := range tc.files {
				path := filepath.Join(home, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			getenv := func(key string) string {
				if value := tc.env[key]; value != "" {
					return filepath.Join(home, value)
				}
				return ""
			}
			var said bytes.Buffer
			f := connect.New(console.Plain(nil, nil, &said, time.Time{}), getenv, home)
			f.Verbose = true
			if tc.flag != "" {
				f.Kubeconfig = filepath.Join(home, tc.flag)
			}
			config, err := f.Config()
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Fatalf("Config() error = %v, want %q", err, tc.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if config.Host != tc.wantHost || f.Namespace() != tc.wantNamespace {
				t.Errorf("Config() = %s, namespace %s; want %s, %s", config.Host, f.Namespace(), tc.wantHost, tc.wantNamespace)
			}
			if !strings.Contains(said.String(), tc.wantHost) {
				t.Errorf("-v says %q, want the cluster %s", said.String(), tc.wantHost)
			}
		})
	}
}
