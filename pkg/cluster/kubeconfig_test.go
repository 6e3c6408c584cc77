package cluster

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/fault"
)

func kubeconfig(t *testing.T, user, server string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	text := `apiVersion: v1
kind: Config
current-context: main
contexts:
- {name: main, context: {cluster: c, user: u}}
- {name: lost, context: {cluster: c, user: nobody}}
clusters:
- {name: c, cluster: ` + server + `}
users:
- {name: u, user: ` + user + `}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestKubeconfigsThatCannotBeStored(t *testing.T) {
	const server, token = `{server: "https://x:6443"}`, `{token: abc}`
	const hint = " (use a kubeconfig with a service account token or a client certificate)"
	cases := map[string]struct{ user, server, context, want string }{
		"a program for each login": {
			`{exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, interactiveMode: Never}}`, server, "",
			`users[u].user.exec: runs the program "aws" for each login; the control plane runs no programs of a kubeconfig` + hint,
		},
		"a login plugin": {
			`{auth-provider: {name: gcp}}`, server, "",
			`users[u].user.auth-provider: needs the login plugin "gcp", which the control plane does not have` + hint,
		},
		"a password": {
			`{username: me, password: hunter2}`, server, "",
			`users[u].user.username: is a password login, which Kubernetes does not support any more` + hint,
		},
		"a token in a file": {
			`{tokenFile: /var/run/token}`, server, "",
			`users[u].user.tokenFile: names a file whose content is replaced from time to time; the copy would expire` + hint,
		},
		"nothing at all": {
			`{}`, server, "", `users[u].user.token: there is no credential` + hint,
		},
		"an impersonation": {
			`{token: abc, as: root}`, server, "",
			`users[u].user.as: impersonates somebody; the control plane impersonates the users of Applications itself` + hint,
		},
		"a server that nobody checks": {
			token, `{server: "https://x", insecure-skip-tls-verify: true}`, "",
			`clusters[c].cluster.insecure-skip-tls-verify: would send the credential to whoever answers (set certificate-authority-data instead)`,
		},
		"a server without TLS": {
			token, `{server: "http://x"}`, "", `clusters[c].cluster.server: it starts with "http", expected one of ["https"]`,
		},
		"a context that is not there": {
			token, server, "prod", `contexts: there is no context "prod", only "lost, main"`,
		},
		"a context without its user": {
			token, server, "lost", `contexts[lost].context.user: there is no user "nobody", only "u"`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			path := kubeconfig(t, tc.user, tc.server)
			_, err := credentialFrom(path, tc.context)
			if err == nil {
				t.Fatal("accepted")
			}
			if diff := cmp.Diff(path+": "+tc.want, fault.Message(err)); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
		})
	}
}

func TestKubeconfigsKeepWhatTheyPointTo(t *testing.T) {
	path := kubeconfig(t, `{client-certificate: tls.crt, client-key: tls.key}`,
		`{server: "https://x:6443", certificate-authority: ca.crt, proxy-url: "http://proxy:3128", tls-server-name: api}`)
	for _, name := range []string{"tls.crt", "tls.key", "ca.crt"} {
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := credentialFrom(path, "")
	if err != nil {
		t.Fatal(err)
	}
	want := credential{
		Endpoint: "https://x:6443", CA: []byte("ca.crt"), Cert: []byte("tls.crt"), Key: []byte("tls.key"),
		Proxy: "http://proxy:3128", ServerName: "api",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("credential (-want +got):\n%s", diff)
	}
	secret := got.secret("vela-system", JoinOptions{Name: "prod"}, "uid")
	back, err := credentialOf(secret)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, back); diff != "" {
		t.Errorf("credential read back from its Secret (-want +got):\n%s", diff)
	}
}

func TestCredentialSecrets(t *testing.T) {
	cases := map[string]struct {
		kind string
		data map[string]string
		want string
	}{
		"a token": {kind: CredentialToken, data: map[string]string{"endpoint": "https://x", "token": "t"}},
		"a certificate with the old name of the authority": {
			kind: CredentialCertificate,
			data: map[string]string{"endpoint": "https://x", "tls.crt": "c", "tls.key": "k", "ca": "a"},
		},
		"a program": {
			kind: CredentialDynamic, data: map[string]string{"endpoint": "https://x", "exec": "{}"},
			want: `credential of cluster "m": type Dynamic runs a program for each login and is not supported; join with a token or a client certificate`,
		},
		"a certificate without its key": {
			kind: CredentialCertificate, data: map[string]string{"endpoint": "https://x", "tls.crt": "c"},
			want: `credential of cluster "m": keys "tls.crt" and "tls.key" are both needed`,
		},
		"an unknown type": {
			kind: "Magic", data: map[string]string{"endpoint": "https://x"},
			want: `credential of cluster "m": type "Magic" is unknown, expected ServiceAccountToken or X509Certificate`,
		},
		"no address": {
			kind: CredentialToken, data: map[string]string{"token": "t"},
			want: `credential of cluster "m": endpoint is not a URL`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := credential{}.secret("ns", JoinOptions{Name: "m"}, "")
			s.Labels["cluster.core.oam.dev/cluster-credential-type"] = tc.kind
			s.Data = map[string][]byte{}
			for key, value := range tc.data {
				s.Data[key] = []byte(value)
			}
			got := ""
			if _, err := credentialOf(s); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}
