package control

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/process"
)

// serve runs a server until the test ends and returns a client of it.
func serve(t *testing.T, s *Server) *Client {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	l, err := Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		l.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return NewClient(socket)
}

func TestStatusPassesThrough(t *testing.T) {
	want := Status{
		Running: true, DataDir: "/d", Start: Ready, Nodes: Nodes{Mode: "real", Reason: "asked for"},
		Clusters:  []Cluster{{Name: "hub", Kubeconfig: "/k", Ready: true}},
		Processes: []process.Status{{Name: "hub", PID: 1, Restarts: 2}},
	}
	c := serve(t, &Server{Status: func(context.Context) Status { return want }})
	got, err := c.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Status() mismatch (-want +got):\n%s", diff)
	}
}

func TestFollowSeesEventsOfBeforeAndAfter(t *testing.T) {
	j := NewJournal()
	j.Add(Progress, "one")
	c := serve(t, &Server{Journal: j})
	var got []Event
	last, err := c.Follow(t.Context(), func(e Event) {
		got = append(got, e)
		if e.Text == "one" {
			j.Add(Progress, "two")
			j.Add(Failed, "three")
			j.Add(Progress, "too late")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []Event{{Phase: Progress, Text: "one"}, {Phase: Progress, Text: "two"}, {Phase: Failed, Text: "three"}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Event{}, "Seconds")); diff != "" {
		t.Errorf("events mismatch (-want +got):\n%s", diff)
	}
	if last.Text != "three" {
		t.Errorf("Follow() = %+v, want the last event", last)
	}
}

func TestPhase(t *testing.T) {
	cases := map[string]struct {
		events []Phase
		want   Phase
	}{
		"nothing yet":                  {want: Progress},
		"under way":                    {events: []Phase{Progress, Progress}, want: Progress},
		"ready":                        {events: []Phase{Progress, Ready}, want: Ready},
		"ready, but something is left": {events: []Phase{Warning, Progress, Ready}, want: Warning},
		"failed":                       {events: []Phase{Warning, Failed}, want: Failed},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			j := NewJournal()
			for _, p := range tc.events {
				j.Add(p, "")
			}
			if got := j.Phase(); got != tc.want {
				t.Errorf("Phase() = %s, want %s", got, tc.want)
			}
		})
	}
}

func TestWithoutASupervisor(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	if _, err := NewClient(socket).Status(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("Status() without a socket = %v, want ErrNotRunning", err)
	}
	l, err := Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	again, err := Listen(socket) // as after a crash: the file may be there
	if err != nil {
		t.Fatalf("Listen() on a dead socket = %v", err)
	}
	again.Close()
	if err := NewClient(socket).Stop(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("Stop() on a dead socket = %v, want ErrNotRunning", err)
	}
}

func TestStop(t *testing.T) {
	stopped := make(chan struct{})
	c := serve(t, &Server{Stop: func() { close(stopped) }})
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-stopped:
	default:
		t.Error("Stop() returned before the supervisor knew")
	}
}
