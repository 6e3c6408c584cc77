package worker

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-c5f95f19/vela/pkg/cue"
)

// mark tells a process that it is a worker, and carries its limits.
const mark = "VELA_CUE_WORKER"

// A process is one running worker. It serves one request at a time.
type process struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	said *tail
	idle *time.Timer // ends it when it has nothing to do; owned by the pool
}

// start runs a worker.
func start(o Options) (*process, error) {
	if os.Getenv(mark) != "" {
		return nil, errors.New("a worker starts no workers: does main call worker.Main?")
	}
	cmd := exec.Command(o.Command[0], o.Command[1:]...)
	cmd.Env = []string{mark + "=" + o.limits(), "GOTRACEBACK=none", "GOMAXPROCS=2"}
	cmd.Dir = os.TempDir()
	detach(cmd)
	p := &process{cmd: cmd, said: &tail{}}
	cmd.Stderr = p.said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if p.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	p.out = bufio.NewReaderSize(out, 64<<10)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a worker for templates: %w", err)
	}
	return p, nil
}

// lost says that a worker died of something that is not the evaluation.
type lost struct{ why string }

func (l lost) Error() string { return "the worker for templates is gone: " + l.why }

// call sends a request and returns the answer. After an error the process is
// gone. retire says that it should not be used again.
func (p *process) call(ctx context.Context, o Options, request []byte) (reply []byte, retire bool, err error) {
	var late atomic.Bool
	timer := time.AfterFunc(o.Wall, func() { late.Store(true); p.kill() })
	defer timer.Stop()
	defer context.AfterFunc(ctx, p.kill)()

	if err = writeFrame(p.in, request); err == nil {
		reply, err = readFrame(p.out)
	}
	if err == nil && len(reply) > 0 {
		return reply[1:], reply[0] != fine, nil
	}
	p.kill()
	state := p.cmd.Wait() // reads what is left of stderr
	switch {
	case ctx.Err() != nil:
		return nil, true, context.Cause(ctx)
	case late.Load():
		return nil, true, &cue.Runaway{Why: fmt.Sprintf("the evaluation did not end within %s", o.Wall)}
	}
	return nil, true, p.explain(o, state)
}

// explain says why a worker has died.
func (p *process) explain(o Options, state error) error {
	said := p.said.String()
	var exit *exec.ExitError
	code := 0
	if errors.As(state, &exit) {
		code = exit.ExitCode()
	}
	switch {
	case code == exitTime:
		return &cue.Runaway{Why: fmt.Sprintf("the evaluation needs more than %s of processor time", o.CPU)}
	case code == exitMemory, strings.Contains(said, "out of memory"), strings.Contains(said, "cannot allocate memory"):
		return &cue.Runaway{Why: fmt.Sprintf("the evaluation needs more than %d MiB of memory", o.Memory>>20)}
	case strings.Contains(said, "stack overflow"), strings.Contains(said, "goroutine stack exceeds"):
		return &cue.Runaway{Why: "the evaluation does not end: it nests without bound"}
	case strings.Contains(said, "panic:"), strings.Contains(said, "fatal error:"):
		return &cue.Runaway{Why: "the evaluation crashed"}
	}
	return lost{fmt.Sprintf("%v %s", state, firstLine(said))}
}

// kill ends the process at once; whoever waits for its answer gets an error.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may be gone already
	_ = p.in.Close()
}

// end lets an idle process go.
func (p *process) end() {
	p.kill()
	_ = p.cmd.Wait()
}

// tail keeps the beginning of what a process says, which names the reason of a
// crash; what follows are stacks.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const maxSaid = 4 << 10

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if left := maxSaid - t.buf.Len(); left > 0 {
		t.buf.Write(b[:min(left, len(b))])
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
