package simnode

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/fake"
)

// pod returns a pod on the node with one container.
func pod(name string, change func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default", UID: "uid-1"},
		Spec: corev1.PodSpec{
			NodeName:   "node",
			Containers: []corev1.Container{{Name: "main", Image: "image"}},
		},
	}
	if change != nil {
		change(p)
	}
	return p
}

func jobPod(p *corev1.Pod) {
	controls := true
	p.OwnerReferences = []metav1.OwnerReference{{Kind: "Job", Name: "job", Controller: &controls}}
	p.Spec.RestartPolicy = corev1.RestartPolicyNever
}

func newTestNode(t *testing.T, client *fake.Clientset, now func() time.Time) *Node {
	t.Helper()
	n, err := New(Options{Name: "node", Address: "10.0.0.1", PodCIDR: "10.1.0.0/16", Client: client})
	if err != nil {
		t.Fatal(err)
	}
	n.now = now
	return n
}

// summary is what of a status the table below compares.
type summary struct {
	Phase    corev1.PodPhase
	IP       string
	Ready    bool // the condition
	State    string
	Restarts bool
	Again    time.Duration
}

func summarize(status *corev1.PodStatus, again time.Duration) summary {
	if status == nil {
		return summary{Phase: "unchanged", Again: again}
	}
	s := summary{Phase: status.Phase, IP: status.PodIP, Ready: isTrue(status.Conditions, corev1.PodReady), Again: again}
	switch state := status.ContainerStatuses[0].State; {
	case state.Running != nil:
		s.State = "running"
	case state.Waiting != nil:
		s.State = state.Waiting.Reason
	case state.Terminated != nil:
		s.State = fmt.Sprintf("exit %d", state.Terminated.ExitCode)
	}
	return s
}

func TestJudge(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	began := func(ago time.Duration) func(*corev1.Pod) {
		start := metav1.NewTime(now.Add(-ago))
		return func(p *corev1.Pod) { p.Status.StartTime, p.Status.PodIP = &start, "10.1.0.9" }
	}
	outcome := func(o string) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.Annotations = map[string]string{OutcomeAnnotation: o} }
	}
	all := func(changes ...func(*corev1.Pod)) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			for _, c := range changes {
				c(p)
			}
		}
	}
	gate := func(p *corev1.Pod) {
		p.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "lb"}}
	}
	open := func(p *corev1.Pod) {
		p.Status.Conditions = []corev1.PodCondition{{Type: "lb", Status: corev1.ConditionTrue}}
	}
	cases := map[string]struct {
		pod  func(*corev1.Pod)
		want summary
	}{
		"a new pod runs and is ready":              {want: summary{Phase: "Running", IP: "10.1.0.1", Ready: true, State: "running"}},
		"an address once given stays":              {pod: began(0), want: summary{Phase: "Running", IP: "10.1.0.9", Ready: true, State: "running"}},
		"host network means the node's address":    {pod: func(p *corev1.Pod) { p.Spec.HostNetwork = true }, want: summary{Phase: "Running", IP: "10.0.0.1", Ready: true, State: "running"}},
		"a closed readiness gate keeps it unready": {pod: gate, want: summary{Phase: "Running", IP: "10.1.0.1", State: "running"}},
		"an open readiness gate does not":          {pod: all(gate, open), want: summary{Phase: "Running", IP: "10.1.0.1", Ready: true, State: "running"}},
		"a Job's pod runs first":                   {pod: jobPod, want: summary{Phase: "Running", IP: "10.1.0.1", Ready: true, State: "running", Again: jobRuns}},
		"and succeeds after a moment":              {pod: all(jobPod, began(jobRuns)), want: summary{Phase: "Succeeded", IP: "10.1.0.9", State: "exit 0"}},
		"or fails when told to":                    {pod: all(jobPod, began(jobRuns), outcome(OutcomeFailed)), want: summary{Phase: "Failed", IP: "10.1.0.9", State: "exit 1"}},
		"a bare pod that never restarts runs on": {
			pod:  all(began(time.Hour), func(p *corev1.Pod) { p.Spec.RestartPolicy = corev1.RestartPolicyNever }),
			want: summary{Phase: "Running", IP: "10.1.0.9", Ready: true, State: "running"},
		},
		"unready runs but is not ready":      {pod: outcome(OutcomeUnready), want: summary{Phase: "Running", IP: "10.1.0.1", State: "running"}},
		"no-image waits for its image":       {pod: outcome(OutcomeNoImage), want: summary{IP: "10.1.0.1", State: "ImagePullBackOff"}},
		"crash-loop waits for its restart":   {pod: outcome(OutcomeCrashLoop), want: summary{Phase: "Running", IP: "10.1.0.1", State: "CrashLoopBackOff"}},
		"a pod that has ended is left alone": {pod: func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }, want: summary{Phase: "unchanged"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			n := newTestNode(t, fake.NewClientset(), func() time.Time { return now })
			p := pod("p", tc.pod)
			status, again := n.judge(p)
			if diff := cmp.Diff(tc.want, summarize(status, again)); diff != "" {
				t.Fatalf("judge() mismatch (-want +got):\n%s", diff)
			}
			if status == nil {
				return
			}
			p.Status = *status
			if second, _ := n.judge(p); second != nil && !runsToEnd(p) {
				t.Errorf("a pod that has its status is judged again:\n%s", cmp.Diff(*status, *second))
			}
		})
	}
}

func TestAddressesAreGivenOnce(t *testing.T) {
	n := newTestNode(t, fake.NewClientset(), time.Now)
	n.ips = newAddresses(n.ips.prefix)
	n.ips.reserve("10.1.0.1")
	first := n.ips.take("a")
	got := []string{first, n.ips.take("a"), n.ips.take("b")}
	n.ips.release("a", "") // its status never reached the server
	n.ips.release("x", "10.1.0.1")
	if diff := cmp.Diff([]string{"10.1.0.2", "10.1.0.2", "10.1.0.3"}, got); diff != "" {
		t.Errorf("take() mismatch (-want +got):\n%s", diff)
	}
	seen := map[string]bool{"10.1.0.3": true}
	for i := range 1<<16 - 2 {
		ip := n.ips.take(fmt.Sprint("pod-", i))
		if ip == "" || seen[ip] {
			t.Fatalf("take() number %d = %q, which is in use", i, ip)
		}
		seen[ip] = true
	}
	if ip := n.ips.take("one more"); ip != "" {
		t.Errorf("take() from an empty range = %q", ip)
	}
	if !seen["10.1.0.1"] || !seen["10.1.0.2"] {
		t.Error("released addresses are not given again")
	}
}

// TestRun drives a node through the client: a pod comes up, a deleted pod goes.
func TestRun(t *testing.T) {
	client := fake.NewClientset(pod("before", func(p *corev1.Pod) { p.Status.PodIP = "10.1.0.1" }))
	n := newTestNode(t, client, time.Now)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	pods, err := client.CoreV1().Pods("default").Watch(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- n.Run(ctx, func() error { close(ready); return nil }) }()
	select {
	case <-ready:
	case err := <-done:
		t.Fatalf("Run() ended early: %v", err)
	}
	if _, err := client.CoreV1().Nodes().Get(ctx, "node", metav1.GetOptions{}); err != nil {
		t.Errorf("node after ready: %v", err)
	}
	if _, err := client.CoordinationV1().Leases(corev1.NamespaceNodeLease).Get(ctx, "node", metav1.GetOptions{}); err != nil {
		t.Errorf("lease after ready: %v", err)
	}
	next := pod("new", func(p *corev1.Pod) { p.UID = "uid-2" })
	if _, err := client.CoreV1().Pods("default").Create(ctx, next, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, ctx, pods, func(e watch.Event, p *corev1.Pod) bool {
		return p.Name == "new" && isTrue(p.Status.Conditions, corev1.PodReady) && p.Status.PodIP == "10.1.0.2"
	})
	now := metav1.Now()
	going := pod("before", func(p *corev1.Pod) { p.DeletionTimestamp, p.Finalizers = &now, []string{"test/keeps-it-here"} })
	if _, err := client.CoreV1().Pods("default").Update(ctx, going, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, ctx, pods, func(e watch.Event, p *corev1.Pod) bool {
		return e.Type == watch.Deleted && p.Name == "before"
	})
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run() = %v, want nil after cancel", err)
	}
}

func await(t *testing.T, ctx context.Context, w watch.Interface, want func(watch.Event, *corev1.Pod) bool) {
	t.Helper()
	for {
		select {
		case e := <-w.ResultChan():
			if p, ok := e.Object.(*corev1.Pod); ok && want(e, p) {
				return
			}
		case <-ctx.Done():
			t.Fatal("the awaited event did not come")
		}
	}
}

// TestEndpoint asks as the API server would, and as somebody else.
func TestEndpoint(t *testing.T) {
	n := newTestNode(t, fake.NewClientset(), time.Now)
	if err := n.pods.GetStore().Add(pod("web", nil)); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		path  string
		group string
		code  int
		body  string
	}{
		"logs say that there are none":   {"/containerLogs/default/web/main", masters, http.StatusOK, "container main has no output: " + nothingRuns + "\n"},
		"of a pod that is not here":      {"/containerLogs/default/db/main", masters, http.StatusNotFound, "no pod default/db on node node\n"},
		"exec says what would help":      {"/exec/default/web/main", masters, http.StatusNotImplemented, nothingRuns + "\n"},
		"others are refused":             {"/containerLogs/default/web/main", "system:nodes", http.StatusForbidden, "only the API server may ask\n"},
		"so is who shows no certificate": {"/containerLogs/default/web/main", "", http.StatusForbidden, "only the API server may ask\n"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, tc.path, nil)
			if tc.group != "" {
				cert := &x509.Certificate{Subject: pkix.Name{Organization: []string{tc.group}}}
				r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}
			}
			w := httptest.NewRecorder()
			n.endpoint().ServeHTTP(w, r)
			if diff := cmp.Diff([]any{tc.code, tc.body}, []any{w.Code, w.Body.String()}); diff != "" {
				t.Errorf("answer mismatch (-want +got):\n%s", diff)
			}
		})
	}
}
