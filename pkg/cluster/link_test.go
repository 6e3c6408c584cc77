package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// refusedBy is the error of a client whose server is not there; the local port
// is another one each time.
func refusedBy(port int) error {
	return &url.Error{Op: "Get", URL: "https://x/api", Err: &net.OpError{
		Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 6443},
		Source: &net.TCPAddr{Port: port}, Err: errors.New("connection refused"),
	}}
}

func TestALinkThatIsLostRefusesForAPauseThatGrows(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var changes []bool
	l := &link{cluster: "prod", now: func() time.Time { return now }, changed: func(away bool) { changes = append(changes, away) }}

	if err := l.allow(); err != nil {
		t.Fatalf("a new link refuses: %v", err)
	}
	first := l.seen(now, refusedBy(1))
	const want = `cluster "prod" cannot be reached since 2026-01-02T03:04:05Z: dial 127.0.0.1:6443: connection refused`
	if first == nil || first.Error() != want {
		t.Fatalf("error = %v, want %s", first, want)
	}
	if err := l.allow(); err == nil {
		t.Errorf("a lost link lets the next request through at once")
	}
	for range 9 { // those that were on their way
		if err := l.seen(now.Add(-time.Second), refusedBy(9)); err.Error() != want {
			t.Errorf("a failure at the same time reads %v", err)
		}
	}
	now = now.Add(minPause)
	if err := l.allow(); err != nil {
		t.Errorf("after the pause nobody may try: %v", err)
	}
	if err := l.allow(); err == nil {
		t.Errorf("two may try at the same time")
	}
	if err := l.seen(now, refusedBy(2)); err.Error() != want {
		t.Errorf("the second failure reads %v, want the words of the first", err)
	}
	now = now.Add(minPause)
	if err := l.allow(); err == nil {
		t.Errorf("the pause did not grow")
	}
	now = now.Add(maxPause)
	if err := l.allow(); err != nil {
		t.Errorf("the pause grew above its limit: %v", err)
	}
	if err := l.seen(now, nil); err != nil || l.state() != nil {
		t.Errorf("after a success: error %v, state %v, want neither", err, l.state())
	}
	if diff := cmp.Diff([]bool{true, false}, changes); diff != "" {
		t.Errorf("changes told (-want +got):\n%s", diff)
	}
}

func TestWhatMeansAway(t *testing.T) {
	cases := map[string]struct {
		err  error
		want bool
	}{
		"no connection":                {refusedBy(1), true},
		"no answer in time":            {fmt.Errorf("%w (1s)", errTimeout), true},
		"a credential that is refused": {apierrors.NewUnauthorized("no"), true},
		"an object that is missing":    {apierrors.NewNotFound(schema.GroupResource{}, "x"), false},
		"a caller that gave up":        {context.Canceled, false},
		"a caller without time":        {&url.Error{Op: "Get", Err: context.DeadlineExceeded}, false},
		"success":                      {nil, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if _, got := unreachable(tc.err); got != tc.want {
				t.Errorf("unreachable(%v) = %v, want %v", tc.err, got, tc.want)
			}
		})
	}
}

// One slow answer among good ones is not an outage.
func TestATimeoutBesidesSuccessesIsNotAway(t *testing.T) {
	now := time.Unix(100, 0)
	l := &link{cluster: "prod", now: func() time.Time { return now }}
	started := now
	now = now.Add(time.Second)
	if err := l.seen(started, nil); err != nil {
		t.Fatal(err)
	}
	if err := l.seen(started, errTimeout); !errors.Is(err, errTimeout) || l.state() != nil {
		t.Errorf("error %v, state %v: want the timeout itself and a link that is there", err, l.state())
	}
}

func TestRequestsAreCountedByVerb(t *testing.T) {
	cases := map[string]struct{ method, url, contentType, want string }{
		"a named object":                {"GET", "/api/v1/namespaces/a/pods/b", "", "get"},
		"a collection":                  {"GET", "/api/v1/namespaces/a/pods", "", "list"},
		"a collection of all":           {"GET", "/apis/apps/v1/deployments", "", "list"},
		"a cluster-wide object":         {"GET", "/apis/core.oam.dev/v1beta1/resourcetrackers/x", "", "get"},
		"a namespace":                   {"GET", "/api/v1/namespaces/a", "", "get"},
		"namespaces":                    {"GET", "/api/v1/namespaces", "", "list"},
		"a subresource":                 {"GET", "/apis/apps/v1/namespaces/a/deployments/b/status", "", "get"},
		"discovery":                     {"GET", "/apis/apps/v1", "", "get"},
		"a version":                     {"GET", "/version", "", "get"},
		"a watch":                       {"GET", "/api/v1/pods?watch=true", "", "watch"},
		"a server-side apply":           {"PATCH", "/api/v1/namespaces/a/pods/b?force=true", "application/apply-patch+yaml", "apply"},
		"a dry run of it":               {"PATCH", "/api/v1/namespaces/a/pods/b?dryRun=All", "application/apply-patch+yaml", "dryrun"},
		"another patch":                 {"PATCH", "/api/v1/namespaces/a/pods/b", "application/merge-patch+json", "patch"},
		"a create":                      {"POST", "/api/v1/namespaces/a/pods", "", "create"},
		"an update":                     {"PUT", "/api/v1/namespaces/a/pods/b", "", "update"},
		"a delete":                      {"DELETE", "/api/v1/namespaces/a/pods/b", "", "delete"},
		"an object of a proxied server": {"GET", "/k8s/clusters/c/api/v1/namespaces/a/pods/b", "", "get"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			req := httptest.NewRequest(tc.method, tc.url, http.NoBody)
			req.Header.Set("Content-Type", tc.contentType)
			if got := verb(req); got != tc.want {
				t.Errorf("verb(%s %s) = %q, want %q", tc.method, tc.url, got, tc.want)
			}
		})
	}
}
