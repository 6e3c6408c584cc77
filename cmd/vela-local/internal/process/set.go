package process

import (
	"context"
	"sync"
)

// A Set runs processes and stops them together. Make one with NewSet.
type Set struct {
	ctx    context.Context //nolint:containedctx // the lifetime of the children, not of a call
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu        sync.Mutex
	processes []*Process
}

// NewSet returns an empty Set whose processes run until ctx is done or Stop.
func NewSet(ctx context.Context) *Set {
	ctx, cancel := context.WithCancel(ctx)
	return &Set{ctx: ctx, cancel: cancel}
}

// Start adds a process and keeps it running.
func (s *Set) Start(spec Spec) *Process {
	p := newProcess(spec)
	s.mu.Lock()
	s.processes = append(s.processes, p)
	s.mu.Unlock()
	s.wg.Go(func() { p.run(s.ctx) })
	return p
}

// Status returns a snapshot of every process, in the order they were added.
func (s *Set) Status() []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Status, len(s.processes))
	for i, p := range s.processes {
		out[i] = p.Status()
	}
	return out
}

// Stop ends every process and waits for them.
func (s *Set) Stop() {
	s.cancel()
	s.wg.Wait()
}
