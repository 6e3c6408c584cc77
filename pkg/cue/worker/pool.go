package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-c5f95f19/vela/pkg/cue"
)

// Options say what workers may use. A zero field means its default.
type Options struct {
	Command   []string      // starts a worker; this binary
	Processes int           // at most (4); half of them for texts that have not proven themselves
	Memory    int64         // bytes of one worker (256 MiB)
	Stack     int64         // bytes of one stack (64 MiB)
	CPU       time.Duration // processor time of one request (2s)
	Wall      time.Duration // time of one request (20s), for a machine that is busy
	Idle      time.Duration // an unused worker ends after it (1m)
}

func (o Options) withDefaults() (Options, error) {
	if len(o.Command) == 0 {
		self, err := program()
		if err != nil {
			return o, fmt.Errorf("find this program: %w", err)
		}
		o.Command = []string{self}
	}
	def(&o.Processes, 4)
	def(&o.Memory, 256<<20)
	def(&o.Stack, 64<<20)
	def(&o.CPU, 2*time.Second)
	def(&o.Wall, 20*time.Second)
	def(&o.Idle, time.Minute)
	return o, nil
}

// program is what this process runs. Where the system tells, it is that even when
// another program lies at its path by now: an upgrade must not make workers of it.
func program() (string, error) {
	const own = "/proc/self/exe"
	if _, err := os.Stat(own); err == nil {
		return own, nil
	}
	return os.Executable()
}

func def[T int | int64 | time.Duration](p *T, v T) {
	if *p == 0 {
		*p = v
	}
}

// limits are the options as a worker gets them.
func (o Options) limits() string {
	return fmt.Sprintf("%d,%d,%d", o.Memory, o.Stack, o.CPU)
}

// A Pool keeps workers and is a cue.Sandbox. It starts them when they are
// needed. It is safe for concurrent use.
type Pool struct {
	o         Options
	err       error
	slots     chan struct{}
	probation chan struct{}

	mu     sync.Mutex
	idle   []*process // used last at the end
	closed bool

	sessions, started, died atomic.Int64
}

// NewPool returns a pool; nothing is started yet.
func NewPool(o Options) *Pool {
	o, err := o.withDefaults()
	return &Pool{o: o, err: err, slots: make(chan struct{}, o.Processes), probation: make(chan struct{}, max(1, o.Processes/2))}
}

// Stats are figures for metrics and tests.
type Stats struct {
	Started int64 // workers so far
	Died    int64 // of these, by what they evaluated
	Idle    int   // workers that wait for work
}

// Stats returns current figures.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Stats{Started: p.started.Load(), Died: p.died.Load(), Idle: len(p.idle)}
}

// Close ends the workers that are idle; busy ones end after their work. The
// pool stays usable.
func (p *Pool) Close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, w := range idle {
		w.idle.Stop()
		w.end()
	}
}

// A task is one request. message is asked for the bytes, and whether they have
// to explain everything.
type task struct {
	prefer  *process // has what the request refers to
	suspect bool
	message func(everything bool) (message, error)
}

// do has a task done by a worker and returns the answer and who gave it.
func (p *Pool) do(ctx context.Context, t task) (message, *process, error) {
	if p.err != nil {
		return nil, nil, p.err
	}
	release, err := p.admit(ctx, t.suspect)
	if err != nil {
		return nil, nil, err
	}
	defer release()
	reply, by, err := p.try(ctx, t)
	if l := (lost{}); errors.As(err, &l) { // killed from outside: another can do it
		reply, by, err = p.try(ctx, t)
	}
	if l := (lost{}); errors.As(err, &l) { // a worker that has worked dies of this
		err = &cue.Runaway{Why: "the evaluation ends its process"}
	}
	return reply, by, err
}

// admit waits for a slot. Texts that have not proven themselves share half of
// them, so that they keep nobody else waiting.
func (p *Pool) admit(ctx context.Context, suspect bool) (release func(), err error) {
	lanes := []chan struct{}{p.slots}
	if suspect {
		lanes = []chan struct{}{p.probation, p.slots}
	}
	for i, lane := range lanes {
		select {
		case lane <- struct{}{}:
		case <-ctx.Done():
			for _, taken := range lanes[:i] {
				<-taken
			}
			return nil, context.Cause(ctx)
		}
	}
	return func() {
		for _, lane := range lanes {
			<-lane
		}
	}, nil
}

func (p *Pool) try(ctx context.Context, t task) (message, *process, error) {
	w, err := p.take(t.prefer)
	if err != nil {
		return nil, nil, err
	}
	everything := false
	for {
		m, err := t.message(everything)
		if err != nil {
			p.put(w)
			return nil, nil, err
		}
		b, err := encode(m)
		if err != nil {
			p.put(w)
			return nil, nil, err
		}
		b, retire, err := w.call(ctx, p.o, b)
		if err != nil {
			p.died.Add(1)
			return nil, nil, err
		}
		reply, err := decode(b)
		if err != nil || retire {
			w.end()
		} else if everything || !reply.flag("unknown") {
			p.put(w)
		}
		if err != nil {
			return nil, nil, lost{"its answer cannot be read"}
		}
		if !reply.flag("unknown") {
			return reply, w, nil
		}
		if everything || retire {
			return nil, nil, lost{"it does not know what it was told"}
		}
		everything = true
	}
}

// take returns the preferred worker when it is idle, another one, or a new one.
func (p *Pool) take(prefer *process) (*process, error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		i := slices.Index(p.idle, prefer)
		if i < 0 {
			i = n - 1
		}
		w := p.idle[i]
		p.idle = slices.Delete(p.idle, i, i+1)
		p.mu.Unlock()
		w.idle.Stop()
		return w, nil
	}
	p.mu.Unlock()
	p.started.Add(1)
	return begin(p.o)
}

// begin starts a worker and waits until it answers: what fails here is not the
// fault of a text.
func begin(o Options) (*process, error) {
	w, err := start(o)
	if err != nil {
		return nil, err
	}
	hello, err := encode(message{"op": "hello"})
	if err != nil {
		return nil, err
	}
	if _, _, err := w.call(context.Background(), o, hello); err != nil {
		return nil, fmt.Errorf("start a worker for templates: %v", err) // not as one that is lost
	}
	return w, nil
}

// put makes a worker available again, for a while.
func (p *Pool) put(w *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		w.end()
		return
	}
	p.idle = append(p.idle, w)
	w.idle = time.AfterFunc(p.o.Idle, func() {
		p.mu.Lock()
		i := slices.Index(p.idle, w)
		if i >= 0 {
			p.idle = slices.Delete(p.idle, i, i+1)
		}
		p.mu.Unlock()
		if i >= 0 {
			w.end()
		}
	})
}
