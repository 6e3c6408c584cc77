package charts_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// TestGrantsAreEnough runs the real vela-core as the service account of the
// chart, with what the chart grants and nothing more, and delivers and deletes an
// Application.
func TestGrantsAreEnough(t *testing.T) {
	server := env.Cluster(t, "rbac", env.WithControllers())
	k8s := server.Client(t)
	install(t, k8s)
	log := startCore(t, server)

	app := &v1beta1.Application{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: server.Namespace(t)}}
	app.Spec.Components = []v1beta1.ApplicationComponent{{
		Name: "settings", Type: "k8s-objects",
		Properties: &runtime.RawExtension{Raw: []byte(`{"objects":[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings"},"data":{"a":"b"}}]}`)},
	}, {
		Name: "web", Type: "webservice", DependsOn: []string{"settings"},
		Properties: &runtime.RawExtension{Raw: []byte(`{"image":"docker.io/vela/hello:1.0","ports":[{"port":8080,"expose":true}]}`)},
		Traits:     []v1beta1.ApplicationTrait{{Type: "scaler", Properties: &runtime.RawExtension{Raw: []byte(`{"replicas":0}`)}}},
	}}
	if err := k8s.Create(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	await(t, log, "the application runs", func(ctx context.Context) (bool, error) {
		err := k8s.Get(ctx, client.ObjectKeyFromObject(app), app)
		return app.Status.Phase == v1beta1.ApplicationRunning, err
	})
	if err := k8s.Delete(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	await(t, log, "the application is gone", func(ctx context.Context) (bool, error) {
		err := k8s.Get(ctx, client.ObjectKeyFromObject(app), app)
		return err != nil, client.IgnoreNotFound(err)
	})
	trusted := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	await(t, log, "the API server knows whom to trust", func(ctx context.Context) (bool, error) {
		err := k8s.Get(ctx, client.ObjectKey{Name: "vela-core-admission"}, trusted)
		return err == nil && len(trusted.Webhooks[0].ClientConfig.CABundle) > 0, err
	})
	if text := read(t, log); strings.Contains(text, "forbidden") {
		t.Errorf("vela-core was forbidden something:\n%s", text)
	}
}

// install creates the chart, except for the Deployment.
func install(t *testing.T, k8s client.Client) {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "vela-system"}}
	if err := k8s.Create(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	for _, obj := range renderChart(t, ns.Name, unreachable()) {
		if obj.GetKind() == "Deployment" {
			continue
		}
		if err := k8s.Create(t.Context(), obj); err != nil {
			t.Fatalf("%s %q: %v", obj.GetKind(), obj.GetName(), err)
		}
	}
}

// startCore runs vela-core as the service account and returns its log.
func startCore(t *testing.T, server *env.Server) string {
	t.Helper()
	dir := t.TempDir()
	kubeconfig := filepath.Join(dir, "kubeconfig")
	if err := clientcmd.WriteToFile(accountConfig(t, server), kubeconfig); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, filepath.Join("..", "bin", "vela-core"), append([]string{"--kubeconfig", kubeconfig}, chartArguments(t)...)...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: run `make build` first", err)
	}
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait() // it was killed
		log.Close()
	})
	return log.Name()
}

// chartArguments are those of the Deployment, with no fixed ports.
func chartArguments(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, obj := range renderChart(t, "vela-system", unreachable()) {
		if obj.GetKind() != "Deployment" {
			continue
		}
		containers, _, err := unstructured.NestedSlice(obj.Object, "spec", "template", "spec", "containers")
		if err != nil {
			t.Fatal(err)
		}
		args, _, err := unstructured.NestedStringSlice(containers[0].(map[string]any), "args")
		if err != nil {
			t.Fatal(err)
		}
		for _, arg := range args {
			name, _, _ := strings.Cut(arg, "=")
			switch {
			case name == "--webhook-bind-address":
				arg = name + "=" + free(t)
			case strings.HasSuffix(name, "-bind-address"):
				arg = name + "=0"
			}
			out = append(out, arg)
		}
	}
	return out
}

// unreachable are the values for a server that has no Services: it cannot ask the
// webhooks, and must not refuse everything for that.
func unreachable() map[string]any {
	return map[string]any{"admissionWebhooks": map[string]any{"failurePolicy": "Ignore"}}
}

// free is an address that nobody listens at.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

// accountConfig is a kubeconfig with a token of the service account.
func accountConfig(t *testing.T, server *env.Server) clientcmdapi.Config {
	t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "vela-core", Namespace: "vela-system"}}
	token := &authenticationv1.TokenRequest{}
	if err := server.Client(t).SubResource("token").Create(t.Context(), account, token); err != nil {
		t.Fatal(err)
	}
	admin := server.Config()
	config := clientcmdapi.NewConfig()
	config.Clusters["hub"] = &clientcmdapi.Cluster{Server: admin.Host, CertificateAuthorityData: admin.CAData, CertificateAuthority: admin.CAFile}
	config.AuthInfos["core"] = &clientcmdapi.AuthInfo{Token: token.Status.Token}
	config.Contexts["hub"] = &clientcmdapi.Context{Cluster: "hub", AuthInfo: "core"}
	config.CurrentContext = "hub"
	return *config
}

func await(t *testing.T, log, what string, done wait.ConditionWithContextFunc) {
	t.Helper()
	if err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, time.Minute, true, done); err != nil {
		t.Fatalf("wait until %s: %v\n%s", what, err, read(t, log))
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
