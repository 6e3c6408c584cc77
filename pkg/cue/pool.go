package cue

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// pool runs CUE evaluations. CUE cannot be cancelled, so an evaluation that
// exceeds its budget is abandoned: its goroutine runs on, a new worker takes its
// place, and its template is quarantined so that this happens once per text.
type pool struct {
	slots     chan struct{}
	abandoned atomic.Int64
}

// maxAbandoned is how many runaway evaluations the process tolerates before it
// refuses further ones of templates that were not seen to behave.
const maxAbandoned = 16

func newPool(workers int) *pool {
	return &pool{slots: make(chan struct{}, workers)}
}

func (p *pool) stuck() int { return int(p.abandoned.Load()) }

// errBudget says that an evaluation did not end in time.
type errBudget struct{ after time.Duration }

func (e errBudget) Error() string {
	return fmt.Sprintf("the evaluation did not end within %s", e.after)
}

// errPanic is a crash inside the CUE library.
type errPanic struct {
	value any
	stack []byte
}

func (e errPanic) Error() string { return "the evaluation crashed" }

// run calls f on a worker. f must not touch what the caller owns after run
// returned an errBudget.
func (p *pool) run(ctx context.Context, budget time.Duration, f func()) error {
	if p.abandoned.Load() >= maxAbandoned {
		return fmt.Errorf("%d evaluations are out of control, no more are started", maxAbandoned)
	}
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	var once sync.Once
	release := func() { once.Do(func() { <-p.slots }) }

	done := make(chan error, 1)
	var late atomic.Bool
	go func() {
		defer func() {
			var err error
			if r := recover(); r != nil {
				err = errPanic{r, debug.Stack()}
			}
			done <- err
			release()
			if late.Load() {
				p.abandoned.Add(-1)
			}
		}()
		f()
	}()
	timer := time.NewTimer(budget)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		p.abandoned.Add(1)
		late.Store(true)
		release()
		return errBudget{budget}
	}
}

// quarantine remembers templates that exceeded their budget or crashed, until
// their text, and with it their digest, changes.
type quarantine struct {
	mu   sync.Mutex
	why  map[string]string
	list []string // oldest first
}

const maxQuarantined = 1000

func newQuarantine() *quarantine { return &quarantine{why: map[string]string{}} }

func (q *quarantine) add(digest, why string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, ok := q.why[digest]; ok {
		return
	}
	if len(q.list) >= maxQuarantined {
		delete(q.why, q.list[0])
		q.list = q.list[1:]
	}
	q.why[digest] = why
	q.list = append(q.list, digest)
}

func (q *quarantine) check(t *Template) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	why, ok := q.why[t.digest]
	if !ok {
		return nil
	}
	return &Error{Kind: Limit, Message: fmt.Sprintf(
		"the %s definition %q is not evaluated any more until its text changes: %s", t.src.Kind, t.src.Name, why)}
}

func (q *quarantine) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.why)
}
