package env

import (
	"testing"
	"time"
)

const (
	patience  = 30 * time.Second
	pollEvery = 20 * time.Millisecond
)

// Eventually polls until check reports true and fails the test when it has not
// within half a minute, naming what was waited for and the last error. An
// error does not end the waiting: it may be the state being waited out.
func Eventually(t testing.TB, what string, check func() (bool, error)) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		ok, err := check()
		if ok {
			return
		}
		select {
		case <-deadline.C:
			t.Fatalf("waited %s in vain until %s; last error: %v", patience, what, err)
		case <-t.Context().Done():
			t.Fatalf("test ended while waiting until %s", what)
		case <-tick.C:
		}
	}
}
