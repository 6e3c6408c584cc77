// Package clitest runs commands in tests: against prepared objects instead of
// a cluster, from txtar archives. The file args holds the command lines,
// which run one after the other, and objects.yaml what the cluster has; every other file lies in the working
// directory, and status.yaml, if there is one, becomes the status of every
// Application that the command applies. The output is want/stdout, want/stderr and want/exit.
package clitest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/test/golden"
	"github.com/seed-c5f95f19/vela/references/cli"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/source"
)

// Now is the time in tests.
func Now() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

// Run runs the archives that match pattern.
func Run(t *testing.T, pattern string) {
	t.Helper()
	pattern, err := filepath.Abs(pattern) // commands run in a directory of their own
	if err != nil {
		t.Fatal(err)
	}
	golden.Run(t, pattern, func(t *testing.T, in golden.Files) golden.Files {
		dir := t.TempDir()
		for name, text := range in {
			write(t, filepath.Join(dir, name), text)
		}
		t.Chdir(dir)
		server := Server(t, in["objects.yaml"], controller(t, in["status.yaml"]))
		out := golden.Files{}
		var stdout, stderr string
		var exit int
		for line := range strings.Lines(in["args"]) {
			var more, moreErr string
			more, moreErr, exit = Command(t, server, in["stdin"], strings.Fields(line)...)
			stdout, stderr = stdout+more, stderr+moreErr
		}
		if stdout != "" {
			out["want/stdout"] = stdout
		}
		if stderr != "" {
			out["want/stderr"] = stderr
		}
		out["want/exit"] = fmt.Sprintln(exit)
		return out
	})
}

// Command runs one command line against server.
func Command(t *testing.T, server client.WithWatch, stdin string, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	var out, errOut bytes.Buffer
	io := console.Plain(strings.NewReader(stdin), &out, &errOut, Now())
	f := connect.New(io, func(string) string { return "" }, t.TempDir())
	f.Server = server
	root := cli.NewRoot(f)
	root.SetArgs(args)
	exit = io.Exit(cli.Explain(f, root.ExecuteContext(t.Context())))
	return out.String(), errOut.String(), exit
}

// Server returns a client of a cluster that holds the objects in text.
func Server(t *testing.T, text string, funcs interceptor.Funcs) client.WithWatch {
	t.Helper()
	builder := fake.NewClientBuilder().WithScheme(connect.Scheme()).WithRESTMapper(connect.Mapper()).WithInterceptorFuncs(funcs).
		WithStatusSubresource(&v1beta1.Application{})
	for _, obj := range Objects(t, text) {
		builder.WithObjects(obj)
	}
	return builder.Build()
}

// controller gives every Application that is applied the status in text, as a
// control plane would after a while.
func controller(t *testing.T, text string) interceptor.Funcs {
	if text == "" {
		return interceptor.Funcs{}
	}
	var status v1beta1.ApplicationStatus
	if err := yaml.Unmarshal([]byte(text), &status); err != nil {
		t.Fatal(err)
	}
	return interceptor.Funcs{Apply: func(ctx context.Context, c client.WithWatch, obj runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
		if err := c.Apply(ctx, obj, opts...); err != nil {
			return err
		}
		var apps v1beta1.ApplicationList
		if err := c.List(ctx, &apps); err != nil {
			return err
		}
		for i := range apps.Items {
			apps.Items[i].Status = status
			if err := c.Status().Update(ctx, &apps.Items[i]); err != nil {
				return err
			}
		}
		return nil
	}}
}

// Objects reads the objects in text as the types that the client knows.
func Objects(t *testing.T, text string) []client.Object {
	t.Helper()
	docs, err := source.Parse("objects.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var out []client.Object
	for _, doc := range docs {
		obj, err := connect.Scheme().New(doc.Object.GroupVersionKind())
		if err != nil {
			t.Fatal(err)
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(doc.Object.Object, obj); err != nil {
			t.Fatal(err)
		}
		out = append(out, obj.(client.Object))
	}
	return out
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
