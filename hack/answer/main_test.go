package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

func TestGetReturnsTheFirstLine(t *testing.T) {
	for body, want := range map[string]string{"Hello\nname: web\n": "Hello", "no newline": "no newline"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, body)
		}))
		got, err := get(t.Context(), server.URL)
		server.Close()
		if err != nil || got != want {
			t.Errorf("get() = %q, %v, want %q", got, err, want)
		}
	}
}

func TestAskNamesWhatIsWrong(t *testing.T) {
	ns := env.Namespace(t)
	env.Create(t, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "headless"},
		Spec:       corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone},
	})
	for service, want := range map[string]string{
		"hello":          "want NAMESPACE/SERVICE",
		ns + "/missing":  `"missing" not found`,
		ns + "/headless": "has no port",
	} {
		_, _, err := ask(t.Context(), env.Kubeconfig(t), service)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ask(%q) error = %v, want it to contain %q", service, err, want)
		}
	}
}
