package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// An AwayError says that a cluster cannot be asked.
type AwayError struct {
	Cluster string
	Since   time.Time
	Reason  string // the same until the cluster is back
}

func (e *AwayError) Error() string {
	return fmt.Sprintf("cluster %q cannot be reached since %s: %s", e.Cluster, e.Since.UTC().Format(time.RFC3339), e.Reason)
}

// Backoff of requests to a cluster that is away.
const (
	minPause = time.Second
	maxPause = 30 * time.Second
)

// A link is what is known about the way to one cluster. After a failure,
// requests are refused for a pause that doubles, so that nobody waits for a
// timeout again and again; then one is let through.
type link struct {
	cluster string
	now     func() time.Time
	changed func(away bool) // called without the lock

	mu      sync.Mutex
	away    *AwayError
	pause   time.Duration
	retryAt time.Time
	success time.Time // when a request that succeeded ended
	failure time.Time // when the last failure that counted ended
}

// allow returns an error while requests make no sense.
func (l *link) allow() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if l.away == nil || !now.Before(l.retryAt) {
		l.retryAt = now.Add(l.pause) // for the others, until this one has an answer
		return nil
	}
	return l.away
}

// state returns since when and why the cluster is away; nil when it is not.
func (l *link) state() *AwayError {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.away
}

// seen learns from the outcome of a request that was started then. It returns
// the error to hand on.
func (l *link) seen(started time.Time, err error) error {
	reason, lost := unreachable(err)
	l.mu.Lock()
	before := l.away != nil
	switch {
	case !lost && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
		l.away, l.pause, l.retryAt, l.success = nil, 0, time.Time{}, l.now()
	case lost && l.success.After(started):
		// Another request came through in the meantime: this is not the cluster.
	case lost && l.away != nil && started.Before(l.failure):
		err = l.away // it was on its way already: the same failure
	case lost:
		l.failure = l.now()
		l.pause = min(max(2*l.pause, minPause), maxPause)
		l.retryAt = l.failure.Add(l.pause)
		if l.away == nil {
			l.away = &AwayError{Cluster: l.cluster, Since: l.now(), Reason: reason}
		}
		err = l.away
	}
	after := l.away != nil
	l.mu.Unlock()
	if before != after && l.changed != nil {
		l.changed(after)
	}
	return err
}

// wrap makes l learn from everything that goes through next, watches included:
// their clients take a lost connection for a stream that ended.
func (l *link) wrap(next http.RoundTripper) http.RoundTripper { return tripper{link: l, next: next} }

type tripper struct {
	link *link
	next http.RoundTripper
}

func (t tripper) RoundTrip(req *http.Request) (*http.Response, error) {
	started := t.link.now()
	resp, err := t.next.RoundTrip(req)
	outcome := err
	switch {
	case err == nil && resp.StatusCode == http.StatusUnauthorized:
		outcome = apierrors.NewUnauthorized("")
	case err != nil && errors.Is(context.Cause(req.Context()), errTimeout):
		outcome = errTimeout
	case err != nil && req.Context().Err() != nil:
		return resp, err // the caller gave up
	case err != nil:
		outcome = &url.Error{Op: req.Method, URL: req.URL.Path, Err: err}
	}
	_ = t.link.seen(started, outcome)
	return resp, err
}

// errTimeout is the cause of a request that took longer than its own limit, as
// opposed to a caller that gave up.
var errTimeout = errors.New("no answer in time")

// unreachable reports whether err means that no API server answered, or that it
// does not know us, and says why in words that stay the same.
func unreachable(err error) (string, bool) {
	if err == nil {
		return "", false
	}
	if errors.Is(err, errTimeout) {
		return errTimeout.Error(), true
	}
	if apierrors.IsUnauthorized(err) {
		return "the credential is not accepted", true
	}
	if status := apierrors.APIStatus(nil); errors.As(err, &status) {
		return "", false
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return "", false
	}
	var op *net.OpError
	if errors.As(err, &op) { // without the local port, which is another one each time
		where := "the server"
		if op.Addr != nil {
			where = op.Addr.String()
		}
		return fmt.Sprintf("%s %s: %v", op.Op, where, op.Err), true
	}
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err.Error(), true
	}
	var n net.Error
	if errors.As(err, &n) {
		return n.Error(), true
	}
	return "", false
}
