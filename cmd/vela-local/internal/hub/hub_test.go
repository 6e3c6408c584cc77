package hub

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/pki"
)

// credential is the Secret of a joined cluster.
func credential(endpoint string, labels map[string]string) *corev1.Secret {
	return &corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Name: "staging", Labels: labels},
		Data:       map[string][]byte{"endpoint": []byte(endpoint)},
	}
}

// apiServer answers for the Secret and notes what is written to it.
func apiServer(t *testing.T, secret *corev1.Secret, patched *string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path != "/api/v1/namespaces/vela-system/secrets/staging" || secret == nil {
			w.WriteHeader(http.StatusNotFound)
			_ = json.NewEncoder(w).Encode(metav1.Status{
				TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Reason: metav1.StatusReasonNotFound, Code: http.StatusNotFound,
			})
			return
		}
		if r.Method == http.MethodPatch {
			body, _ := io.ReadAll(r.Body)
			*patched = string(body)
		}
		_ = json.NewEncoder(w).Encode(secret)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestJoin(t *testing.T) {
	labelled := map[string]string{credentialLabel: "X509Certificate"}
	cases := map[string]struct {
		secret     *corev1.Secret
		vela       string // the script that stands for vela
		want       bool
		wantArgs   string
		wantPatch  string
		wantErrEnd string
	}{
		"an unknown member is joined by vela": {
			vela: `echo "$KUBECONFIG: $@" > "$0.args"`, want: true,
			wantArgs: "KUBECONFIG: cluster join /m --name staging --labels env=staging\n",
		},
		"a failed join tells vela's last words": {
			vela:       `echo trying; echo "Error: no route" >&2; exit 1`,
			wantErrEnd: "exit status 1: Error: no route",
		},
		"a joined member stays": {secret: credential("https://127.0.0.1:7", labelled)},
		"a member that moved is brought up to date": {
			secret: credential("https://127.0.0.1:6", labelled), want: true,
			wantPatch: `{"metadata":{},"data":{"endpoint":"aHR0cHM6Ly8xMjcuMC4wLjE6Nw=="}}`,
		},
		"a foreign Secret is not touched": {
			secret:     credential("", nil),
			wantErrEnd: "secret vela-system/staging is in the way: it is no cluster credential",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			dir, patched := t.TempDir(), ""
			kubeconfig := filepath.Join(dir, "kubeconfig")
			k := pki.Kubeconfig{Cluster: "hub", Server: apiServer(t, tc.secret, &patched)}
			if err := k.Write(kubeconfig); err != nil {
				t.Fatal(err)
			}
			vela := filepath.Join(dir, "vela")
			if err := os.WriteFile(vela, []byte("#!/bin/sh\n"+tc.vela), 0o755); err != nil {
				t.Fatal(err)
			}
			h := Hub{Kubeconfig: kubeconfig, Bin: dir}
			joined, err := h.Join(t.Context(), Member{Name: "staging", Kubeconfig: "/m", Server: "https://127.0.0.1:7"})
			if (err == nil) != (tc.wantErrEnd == "") || err != nil && !strings.HasSuffix(err.Error(), tc.wantErrEnd) {
				t.Fatalf("Join() error = %v, want %q", err, tc.wantErrEnd)
			}
			args, _ := os.ReadFile(vela + ".args") // absent when vela was not called
			got := []any{joined, strings.Replace(string(args), kubeconfig, "KUBECONFIG", 1), patched}
			if diff := cmp.Diff([]any{tc.want, tc.wantArgs, tc.wantPatch}, got); diff != "" {
				t.Errorf("joined, vela's arguments, patch mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	dir := t.TempDir()
	h := Hub{Bin: dir}
	if diff := cmp.Diff([]string{"vela-core", "vela"}, h.Missing()); diff != "" {
		t.Errorf("Missing() mismatch (-want +got):\n%s", diff)
	}
	for _, name := range []string{"vela-core", "vela"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if missing := h.Missing(); len(missing) > 0 {
		t.Errorf("Missing() = %v although both are there", missing)
	}
}
