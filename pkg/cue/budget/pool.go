// Package budget keeps evaluations within what they may use: a Pool gives each
// a time, a Quarantine remembers what took more. Neither knows what CUE is.
// Package cue stands on it; what runs in another process is bounded by package
// worker instead, and only remembered here.
package budget

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// A Pool runs functions that cannot be cancelled. One that exceeds its budget
// is abandoned: its goroutine runs on, and another takes its place. It is safe
// for concurrent use.
type Pool struct {
	slots     chan struct{}
	abandoned atomic.Int64
}

// maxAbandoned is how many runaway functions the process tolerates before it
// starts no more.
const maxAbandoned = 16

// NewPool returns a pool that runs as many functions at the same time.
func NewPool(workers int) *Pool {
	return &Pool{slots: make(chan struct{}, workers)}
}

// Stuck is how many abandoned functions still run.
func (p *Pool) Stuck() int { return int(p.abandoned.Load()) }

// Exceeded says that a function did not end in time.
type Exceeded struct{ After time.Duration }

func (e Exceeded) Error() string {
	return fmt.Sprintf("the evaluation did not end within %s", e.After)
}

// Crashed says that a function panicked.
type Crashed struct {
	Value any
	Stack []byte
}

func (e Crashed) Error() string { return "the evaluation crashed" }

// Run calls f and waits for it as long as budget says. f must not touch what
// the caller owns after Run returned an Exceeded.
func (p *Pool) Run(ctx context.Context, budget time.Duration, f func()) error {
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
				err = Crashed{r, debug.Stack()}
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
		return Exceeded{budget}
	}
}
