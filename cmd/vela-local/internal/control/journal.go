package control

import (
	"context"
	"sync"
	"time"
)

// A Journal keeps the events of one start and lets any number of readers
// follow them from the beginning. It is safe for concurrent use.
type Journal struct {
	since time.Time

	mu     sync.Mutex
	events []Event
	grown  chan struct{} // closed and replaced at every event
}

// NewJournal returns an empty journal whose clock starts now.
func NewJournal() *Journal {
	return &Journal{since: time.Now(), grown: make(chan struct{})}
}

// Add appends an event. After the last one, further ones are dropped.
func (j *Journal) Add(phase Phase, text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if n := len(j.events); n > 0 && j.events[n-1].Last() {
		return
	}
	j.events = append(j.events, Event{Phase: phase, Seconds: time.Since(j.since).Seconds(), Text: text})
	close(j.grown)
	j.grown = make(chan struct{})
}

// Phase sums the journal up: the phase of the last event, except that a start
// that is ready with a warning is a Warning.
func (j *Journal) Phase() Phase {
	j.mu.Lock()
	defer j.mu.Unlock()
	sum := Progress
	for _, e := range j.events {
		switch {
		case e.Phase == Failed, e.Phase == Warning:
			sum = e.Phase
		case e.Phase == Ready && sum != Warning:
			sum = Ready
		}
	}
	return sum
}

// Follow calls see for every event, past and future, up to the last one.
func (j *Journal) Follow(ctx context.Context, see func(Event) error) error {
	for i := 0; ; i++ {
		e, err := j.at(ctx, i)
		if err != nil {
			return err
		}
		if err := see(e); err != nil {
			return err
		}
		if e.Last() {
			return nil
		}
	}
}

func (j *Journal) at(ctx context.Context, i int) (Event, error) {
	for {
		j.mu.Lock()
		if i < len(j.events) {
			defer j.mu.Unlock()
			return j.events[i], nil
		}
		grown := j.grown
		j.mu.Unlock()
		select {
		case <-grown:
		case <-ctx.Done():
			return Event{}, ctx.Err()
		}
	}
}
