package local

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const helloImage = "docker.io/vela/hello:1.0"

func TestTheDataSurvivesAStop(t *testing.T) {
	i := newInstallation(t)
	before := i.start(t, "--nodes", "simulated")
	if !strings.Contains(before, "cluster staging is ready") || !regexp.MustCompile(`(?m)^\[ *\d+\.\ds\] ready$`).MatchString(before) {
		t.Errorf("start prints no progress:\n%s", before)
	}
	first := i.status(t)
	note := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "note"}, Data: map[string]string{"said": "keep me"}}
	if _, err := i.client(t, "staging").CoreV1().ConfigMaps("default").Create(t.Context(), note, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	i.must(t, "stop")
	if left := i.processes(t); len(left) > 0 {
		t.Fatalf("stop leaves the processes %v", left)
	}
	if stopped := i.status(t); stopped.Running || stopped.ready() || len(stopped.Processes) > 0 {
		t.Errorf("status after stop = %+v", stopped)
	}
	i.must(t, "stop") // again is fine

	i.start(t, "--nodes", "simulated")
	got, err := i.client(t, "staging").CoreV1().ConfigMaps("default").Get(t.Context(), "note", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(note.Data, got.Data); diff != "" {
		t.Errorf("data after a restart (-want +got):\n%s", diff)
	}
	if _, err := i.client(t, "hub").CoreV1().ConfigMaps("default").Get(t.Context(), "note", metav1.GetOptions{}); err == nil {
		t.Error("hub and member share their objects")
	}
	second := i.status(t)
	if diff := cmp.Diff(first.Clusters, second.Clusters); diff != "" {
		t.Errorf("clusters after a restart (-before +after):\n%s", diff)
	}
}

func TestAnyPartMayBeKilled(t *testing.T) {
	i := newInstallation(t)
	i.start(t, "--nodes", "simulated")
	before := i.status(t)

	again := i.start(t, "--nodes", "simulated")
	if !strings.HasPrefix(again, "already running\n") {
		t.Errorf("a second start prints:\n%s", again)
	}
	if diff := cmp.Diff(before, i.status(t)); diff != "" {
		t.Errorf("a second start changes what runs (-before +after):\n%s", diff)
	}

	kill(t, before.pid("staging"))
	eventually(t, "staging is back", func() bool {
		s := i.status(t)
		return s.ready() && s.pid("staging") != before.pid("staging")
	})
	if after := i.status(t); after.pid("hub") != before.pid("hub") {
		t.Error("the hub was restarted because a member was killed")
	}

	kill(t, before.pid("supervisor"))
	eventually(t, "nothing outlives the supervisor", func() bool { return len(i.processes(t)) == 0 })
	if s := i.status(t); s.Running {
		t.Errorf("status after the supervisor was killed = %+v", s)
	}
	i.start(t, "--nodes", "simulated")
	after := i.status(t)
	if !after.ready() {
		t.Errorf("status after a new start = %+v", after)
	}
	// The supervisor and one process for each cluster, no more.
	if got := i.processes(t); len(got) != 1+len(after.Clusters) {
		t.Errorf("processes after a new start: %v", got)
	}
}

func TestEverythingListensOnLoopback(t *testing.T) {
	i := newInstallation(t)
	i.start(t, "--nodes", "simulated")
	sockets := map[string]string{}
	for pid, cmdline := range i.processes(t) {
		links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range links {
			if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, "socket:[") {
				sockets[strings.Trim(target, "socket:[]")] = cmdline
			}
		}
	}
	listening := 0
	for inode, ip := range listeners(t) {
		if cmdline, ours := sockets[inode]; ours {
			listening++
			if !ip.IsLoopback() {
				t.Errorf("%s listens on %s", cmdline, ip)
			}
		}
	}
	if listening < 2 {
		t.Errorf("found %d listening sockets, want those of two API servers at least", listening)
	}
	for _, c := range i.status(t).Clusters {
		info, err := os.Stat(c.Kubeconfig)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("kubeconfig of %s has mode %o, want 600", c.Name, info.Mode().Perm())
		}
	}
}

// listeners returns the addresses of this machine's listening TCP sockets by
// inode.
func listeners(t *testing.T) map[string]net.IP {
	t.Helper()
	const listen = "0A"
	out := map[string]net.IP{}
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // a kernel without IPv6
		}
		for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
			f := strings.Fields(lines.Text())
			if len(f) < 10 || f[3] != listen {
				continue
			}
			address, _, _ := strings.Cut(f[1], ":")
			raw, err := hex.DecodeString(address)
			if err != nil {
				t.Fatal(err)
			}
			for w := 0; w+4 <= len(raw); w += 4 { // words in the machine's order
				raw[w], raw[w+1], raw[w+2], raw[w+3] = raw[w+3], raw[w+2], raw[w+1], raw[w]
			}
			out[f[9]] = net.IP(raw)
		}
	}
	return out
}

func TestWhatCannotStartIsToldWithItsLog(t *testing.T) {
	i := newInstallation(t)
	cases := map[string]struct {
		args []string
		want string
	}{
		"a wrong name":     {[]string{"--members", "Staging!"}, `--members: "Staging!" is no cluster name`},
		"a wrong node":     {[]string{"--nodes", "fake"}, `--nodes: want auto, real or simulated, got "fake"`},
		"a wrong argument": {[]string{"everything"}, `unknown command "everything" for "vela local start"`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := i.run(t, append([]string{"start"}, tc.args...)...)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("start %v: error = %v, want %s", tc.args, err, tc.want)
			}
		})
	}
	i.must(t, "status") // asking leaves no trace
	if _, err := os.Stat(i.dir); err == nil {
		t.Errorf("%s exists although nothing was started", i.dir)
	}
	if err := os.Mkdir(i.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(i.dir, "store"), []byte("in the way"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := i.run(t, "start", "--members", "", "--control-plane=false", "--nodes", "simulated")
	if err == nil || !strings.Contains(err.Error(), "start the store") || !strings.Contains(err.Error(), filepath.Join(i.dir, "logs", "supervisor.log")) {
		t.Errorf("start with a broken store: error = %v, want the phase and the log; printed:\n%s", err, out)
	}
	eventually(t, "a failed start leaves nothing", func() bool { return len(i.processes(t)) == 0 })
	if err := os.Remove(filepath.Join(i.dir, "store")); err != nil {
		t.Fatal(err)
	}
	i.must(t, "start", "--members", "", "--control-plane=false", "--nodes", "simulated")
}

// TestAControlPlaneThatFailsIsTold runs vela-local from a directory with
// binaries that stand for the product's.
func TestAControlPlaneThatFailsIsTold(t *testing.T) {
	i := newInstallation(t)
	bin := t.TempDir()
	if err := os.Link(i.binary, filepath.Join(bin, "vela-local")); err != nil {
		// Another file system: a copy does as well.
		data, err := os.ReadFile(i.binary)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(bin, "vela-local"), data, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	i.binary = filepath.Join(bin, "vela-local")
	start := []string{"start", "--members", "", "--nodes", "simulated"}
	out := i.must(t, start...)
	if want := "warning: no vela-core and no vela in " + bin; !strings.Contains(out, want) {
		t.Errorf("start without binaries does not say %q:\n%s", want, out)
	}
	for name, script := range map[string]string{
		"vela-core": `echo "$@"; echo "level=ERROR msg=\"the CRDs are refused\""; exit 1`,
		"vela":      `exit 0`,
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	_, err := i.run(t, start...)
	log := filepath.Join(i.dir, "logs", "vela-core.log")
	want := `start the control plane: vela-core ended 3 times before it was ready: level=ERROR msg="the CRDs are refused" (log: ` + log + ")"
	if err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("start with a broken vela-core: error = %v, want %s", err, want)
	}
	if s := i.status(t); !s.ready() {
		t.Errorf("the clusters went down with the control plane: %+v", s)
	}
	said, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	called := regexp.MustCompile(`--kubeconfig \S+/hub/kubeconfig --install --metrics-bind-address 127\.0\.0\.1:\d+ --health-probe-bind-address 127\.0\.0\.1:\d+`)
	if !called.Match(said) {
		t.Errorf("vela-core was called with\n%s", said)
	}
}

// TestPodsRun starts the best nodes this machine has. Real ones must answer
// over HTTP; simulated ones must look alike to a controller.
func TestPodsRun(t *testing.T) {
	i := newInstallation(t)
	out := i.start(t, "--nodes", "auto")
	mode := i.status(t).Nodes.Mode
	if want := "nodes are " + mode + ": "; !strings.Contains(out, want) {
		t.Errorf("start does not say %q:\n%s", want, out)
	}
	labels := map[string]string{"app": "hello"}
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "hello", Image: helloImage,
			Env:            []corev1.EnvVar{{Name: "GREETING", Value: "Good morning"}},
			ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromInt32(8080)}}},
		}}},
	}
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "hello"},
		Spec:       appsv1.DeploymentSpec{Replicas: new(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: template},
	}
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "hello"},
		Spec:       corev1.ServiceSpec{Selector: labels, Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(8080)}}},
	}
	job := func(name string, args ...string) *batchv1.Job {
		return &batchv1.Job{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
				RestartPolicy: corev1.RestartPolicyNever,
				Containers:    []corev1.Container{{Name: "main", Image: helloImage, Args: args}},
			}}},
		}
	}
	for _, cluster := range []string{"hub", "staging"} {
		t.Run(cluster, func(t *testing.T) {
			k8s := i.client(t, cluster)
			created, err := k8s.CoreV1().Services("default").Create(t.Context(), service, metav1.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := k8s.AppsV1().Deployments("default").Create(t.Context(), deployment, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the Deployment is available", func() bool {
				d, err := k8s.AppsV1().Deployments("default").Get(t.Context(), "hello", metav1.GetOptions{})
				return err == nil && d.Status.AvailableReplicas == 2
			})
			// The second one shows that pods find Services by name.
			for _, j := range []*batchv1.Job{job("work", "work"), job("ask", "get", "http://hello/healthz")} {
				if _, err := k8s.BatchV1().Jobs("default").Create(t.Context(), j, metav1.CreateOptions{}); err != nil {
					t.Fatal(err)
				}
				eventually(t, "the Job "+j.Name+" succeeds", func() bool {
					got, err := k8s.BatchV1().Jobs("default").Get(t.Context(), j.Name, metav1.GetOptions{})
					return err == nil && got.Status.Succeeded == 1
				})
			}
			if mode == "real" {
				eventually(t, "the Service answers over HTTP", func() bool {
					return strings.HasPrefix(get("http://"+created.Spec.ClusterIP), "Good morning\nname: hello\n")
				})
			}
			if err := k8s.AppsV1().Deployments("default").Delete(t.Context(), "hello", metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the pods are gone", func() bool {
				pods, err := k8s.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{LabelSelector: "app=hello"})
				return err == nil && len(pods.Items) == 0
			})
		})
	}
}

// get returns the body, or the error as text.
func get(url string) string {
	client := http.Client{Timeout: 3 * time.Second}
	res, err := client.Get(url)
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}
