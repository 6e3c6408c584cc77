package process

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const patience = 20 * time.Second

// shell describes a process that runs a script.
func shell(t *testing.T, script string) Spec {
	t.Helper()
	return Spec{Name: "fake", Args: []string{"/bin/sh", "-c", script}, Log: filepath.Join(t.TempDir(), "fake.log")}
}

func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits for a state of the process, woken by its changes.
func eventually(t *testing.T, p *Process, want func(Status) bool) Status {
	t.Helper()
	ctx := bounded(t)
	for {
		p.mu.Lock()
		status, changed := p.status, p.changed
		p.mu.Unlock()
		if want(status) {
			return status
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("process stays %+v", status)
		}
	}
}

func alive(pid int) bool { return !dead(pid) }

func TestAKilledProcessIsStartedAgain(t *testing.T) {
	t.Parallel()
	set := NewSet(t.Context())
	defer set.Stop()
	p := set.Start(shell(t, "exec tail -f /dev/null"))
	first := eventually(t, p, func(s Status) bool { return s.Ready })
	if err := syscall.Kill(first.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	second := eventually(t, p, func(s Status) bool { return s.Ready && s.PID != first.PID })
	if second.Restarts != 1 || alive(first.PID) || !alive(second.PID) {
		t.Errorf("after a kill: %+v, want one restart and one living process", second)
	}
}

func TestReadyIsWhenTheProcessSaysSo(t *testing.T) {
	t.Parallel()
	set := NewSet(t.Context())
	defer set.Stop()
	gate := filepath.Join(t.TempDir(), "gate")
	if err := syscall.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	spec := shell(t, `read x < "`+gate+`"; echo ready >&3; exec 3>&-; exec tail -f /dev/null`)
	spec.Announces = true
	p := set.Start(spec)
	if s := eventually(t, p, func(s Status) bool { return s.PID != 0 }); s.Ready {
		t.Error("ready before it said so")
	}
	if err := os.WriteFile(gate, []byte("go\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.AwaitReady(bounded(t), 1); err != nil {
		t.Error(err)
	}
}

func TestAProcessThatDoesNotComeUpNamesLogAndError(t *testing.T) {
	t.Parallel()
	set := NewSet(t.Context())
	defer set.Stop()
	spec := shell(t, `echo "I0101 fine"; echo "E0101 12:00:00 port 1 is taken"; echo "bye"; exit 3`)
	spec.Announces = true
	err := set.Start(spec).AwaitReady(bounded(t), 2)
	var failure *Failure
	if !errors.As(err, &failure) {
		t.Fatalf("AwaitReady() = %v, want a Failure", err)
	}
	want := "fake ended 2 times before it was ready: E0101 12:00:00 port 1 is taken (log: " + spec.Log + ")"
	if diff := cmp.Diff(want, failure.Error()); diff != "" {
		t.Errorf("message mismatch (-want +got):\n%s", diff)
	}
}

func TestAProgramThatIsMissingIsToldInTheLog(t *testing.T) {
	t.Parallel()
	set := NewSet(t.Context())
	defer set.Stop()
	spec := shell(t, "")
	spec.Args = []string{"/nowhere/program"}
	err := set.Start(spec).AwaitReady(bounded(t), 1)
	if err == nil || !strings.Contains(err.Error(), "fake did not start: fork/exec /nowhere/program: no such file or directory") {
		t.Errorf("AwaitReady() = %v, want the reason", err)
	}
}

func TestStop(t *testing.T) {
	cases := map[string]struct {
		script string
		grace  time.Duration
	}{
		"asks first":                     {script: `trap 'echo asked; exit 0' TERM; tail -f /dev/null & wait`, grace: patience},
		"kills what does not listen":     {script: `trap '' TERM; echo asked; while :; do tail -f /dev/null; done`, grace: 50 * time.Millisecond},
		"takes children of children too": {script: `echo asked; tail -f /dev/null & wait`, grace: patience},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set := NewSet(t.Context())
			spec := shell(t, tc.script)
			spec.Grace = tc.grace
			spec.Env = []string{Mark(spec.Log)}
			p := set.Start(spec)
			// Ready is not enough: the shell must have read its script.
			for ctx := bounded(t); ; {
				found, err := Find(func(pid int) bool { return Marked(spec.Log)(pid) && Runs(pid, "tail") })
				if err != nil || ctx.Err() != nil {
					t.Fatal("the fake process did not come up:", err, p.Status())
				}
				if len(found) > 0 {
					break
				}
			}
			set.Stop()
			// Killed is not yet gone: the kernel takes its time.
			for ctx := bounded(t); ; {
				left, err := Find(Marked(spec.Log))
				if err != nil || ctx.Err() != nil {
					t.Fatalf("Stop() left the processes %v (%v)", left, err)
				}
				if len(left) == 0 {
					break
				}
			}
			if log, err := os.ReadFile(spec.Log); err != nil || !strings.Contains(string(log), "asked") {
				t.Errorf("log = %q, %v", log, err)
			}
			if s := p.Status(); s.PID != 0 || s.Ready {
				t.Errorf("status after Stop() = %+v", s)
			}
		})
	}
}

func TestReapEndsOnlyWhatIsMarked(t *testing.T) {
	t.Parallel()
	set := NewSet(t.Context())
	defer set.Stop()
	mine, other := shell(t, "exec tail -f /dev/null"), shell(t, "exec tail -f /dev/null")
	dir := t.TempDir()
	mine.Env, other.Env = []string{Mark(dir)}, []string{Mark(dir + "b")}
	a, b := set.Start(mine), set.Start(other)
	killed := eventually(t, a, func(s Status) bool { return s.Ready })
	kept := eventually(t, b, func(s Status) bool { return s.Ready })
	if _, err := Reap(bounded(t), func(pid int) bool { return pid == killed.PID && Marked(dir)(pid) }); err != nil {
		t.Fatal(err)
	}
	if alive(killed.PID) || !alive(kept.PID) {
		t.Errorf("after Reap(): ours lives %t, the other lives %t", alive(killed.PID), alive(kept.PID))
	}
	if found, err := Find(Marked(dir + "b")); err != nil || !slices.Contains(found, kept.PID) {
		t.Errorf("Find() = %v, %v, want %d among them", found, err, kept.PID)
	}
}

func TestLastError(t *testing.T) {
	cases := map[string]struct{ log, want string }{
		"the last error, not the last line":   {"E0101 one\nE0102 two\nI0103 fine\n", "E0102 two"},
		"errors of other programs":            {"starting\npanic: out of luck\n\ngoroutine 1\n", "panic: out of luck"},
		"our note counts when all else fails": {"fine\nvela-local: error: hub ended: signal: killed\n", "vela-local: error: hub ended: signal: killed"},
		"our note is not the cause":           {"E0101 cause\nvela-local: error: hub ended: exit status 1\n", "E0101 cause"},
		"nothing went wrong":                  {"I0101 fine\n", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log")
			if err := os.WriteFile(path, []byte(tc.log), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := LastError(path); got != tc.want {
				t.Errorf("LastError() = %q, want %q", got, tc.want)
			}
		})
	}
	if got := LastError("/nowhere"); got != "" {
		t.Errorf("LastError() of no file = %q", got)
	}
}
