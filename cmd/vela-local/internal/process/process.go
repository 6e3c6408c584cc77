// Package process runs child processes and keeps them running.
//
// A Set owns its processes: each is restarted when it ends, with a growing
// pause, until the Set's context is done; then all get SIGTERM and, after a
// grace period, SIGKILL. A child dies with this process even when this process
// is killed. What the children do is not known here.
package process

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

const (
	firstPause = 200 * time.Millisecond
	maxPause   = 10 * time.Second
	// settled is how long a process must run for its next failure to count as
	// the first again.
	settled      = 30 * time.Second
	defaultGrace = 10 * time.Second
	// readyFD is where a child that announces readiness writes a line.
	readyFD = 3
)

// A Spec says what to run.
type Spec struct {
	Name string
	Args []string // Args[0] is the program's path
	Env  []string // added to this process's environment
	Log  string   // file that receives standard output and error, appended
	// Metrics is the address of the process's metrics, for status only.
	Metrics string
	// Announces means that the child writes a line to file descriptor 3 when
	// it is ready; otherwise it is ready when it runs.
	Announces bool
	// Grace is the time between SIGTERM and SIGKILL; 0 means 10 s.
	Grace time.Duration
}

// A Status is a snapshot of one process.
type Status struct {
	Name           string `json:"name"`
	PID            int    `json:"pid"` // 0 while it does not run
	Log            string `json:"log"`
	MetricsAddress string `json:"metricsAddress,omitempty"`
	Restarts       int    `json:"restarts"`
	Ready          bool   `json:"ready"`
}

// A Process is one supervised child. It is safe for concurrent use.
type Process struct {
	spec Spec
	done chan struct{}

	mu      sync.Mutex
	status  Status
	changed chan struct{} // closed and replaced at every change
}

func newProcess(spec Spec) *Process {
	return &Process{
		spec:    spec,
		done:    make(chan struct{}),
		status:  Status{Name: spec.Name, Log: spec.Log, MetricsAddress: spec.Metrics},
		changed: make(chan struct{}),
	}
}

// Status returns a snapshot.
func (p *Process) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
}

// AwaitReady returns when the process is ready, or with an error when it has
// ended limit times before.
func (p *Process) AwaitReady(ctx context.Context, limit int) error {
	for {
		p.mu.Lock()
		status, changed := p.status, p.changed
		p.mu.Unlock()
		if status.Ready {
			return nil
		}
		if status.Restarts >= limit {
			return &Failure{Name: p.spec.Name, Log: p.spec.Log, Restarts: status.Restarts}
		}
		select {
		case <-changed:
		case <-p.done:
			return fmt.Errorf("%s was stopped before it was ready", p.spec.Name)
		case <-ctx.Done():
			return &Failure{Name: p.spec.Name, Log: p.spec.Log, Restarts: status.Restarts, Err: ctx.Err()}
		}
	}
}

func (p *Process) update(change func(*Status)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.status
	change(&p.status)
	if p.status != before {
		close(p.changed)
		p.changed = make(chan struct{})
	}
}

// run keeps the child running until ctx is done.
func (p *Process) run(ctx context.Context) {
	defer close(p.done)
	pause := firstPause
	for {
		started := time.Now()
		p.once(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(started) > settled {
			pause = firstPause
		}
		p.update(func(s *Status) { s.Restarts++ })
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		pause = min(2*pause, maxPause)
	}
}

// once runs the child to its end and writes why it could not start, or how it
// ended, to its log: that is where the user is sent.
func (p *Process) once(ctx context.Context) {
	log, err := os.OpenFile(p.spec.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer log.Close()
	cmd, ready, err := p.start(log)
	if err != nil {
		fmt.Fprintf(log, "vela-local: error: %s did not start: %v\n", p.spec.Name, err)
		return
	}
	p.update(func(s *Status) { s.PID, s.Ready = cmd.Process.Pid, !p.spec.Announces })
	var announced sync.WaitGroup
	if ready != nil {
		announced.Go(func() {
			defer ready.Close()
			if _, err := bufio.NewReader(ready).ReadString('\n'); err == nil {
				p.update(func(s *Status) { s.Ready = true })
			}
		})
	}
	err = p.wait(ctx, cmd)
	// What the child left behind in its group must not keep ports and files.
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	announced.Wait()
	p.update(func(s *Status) { s.PID, s.Ready = 0, false })
	if ctx.Err() == nil {
		fmt.Fprintf(log, "vela-local: error: %s ended: %v\n", p.spec.Name, ending(err))
	}
}

func (p *Process) start(log *os.File) (*exec.Cmd, *os.File, error) {
	cmd := exec.Command(p.spec.Args[0], p.spec.Args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), p.spec.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if !p.spec.Announces {
		return cmd, nil, cmd.Start()
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer w.Close()
	cmd.ExtraFiles = []*os.File{w}
	if err := cmd.Start(); err != nil {
		r.Close()
		return nil, nil, err
	}
	return cmd, r, nil
}

// wait returns how the child ended, ending it when ctx does.
func (p *Process) wait(ctx context.Context, cmd *exec.Cmd) error {
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	grace := p.spec.Grace
	if grace == 0 {
		grace = defaultGrace
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-ended:
		return err
	case <-time.After(grace):
		_ = cmd.Process.Kill()
		return <-ended
	}
}

func ending(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

// Announce tells the parent that this process is ready, when the parent asked.
func Announce() error {
	f := os.NewFile(readyFD, "ready")
	if f == nil {
		return nil
	}
	defer f.Close()
	if _, err := f.WriteString("ready\n"); err != nil {
		return fmt.Errorf("announce readiness: %w", err)
	}
	return nil
}
