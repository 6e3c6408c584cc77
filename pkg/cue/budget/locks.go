package budget

import "sync"

// Locks are mutexes by name. The zero value works; it is safe for concurrent use.
type Locks struct {
	mu    sync.Mutex
	taken map[string]*lock
}

type lock struct {
	sync.Mutex
	wanted int
}

// Lock waits for the mutex of a name and returns what releases it.
func (l *Locks) Lock(name string) (unlock func()) {
	l.mu.Lock()
	if l.taken == nil {
		l.taken = map[string]*lock{}
	}
	m := l.taken[name]
	if m == nil {
		m = &lock{}
		l.taken[name] = m
	}
	m.wanted++
	l.mu.Unlock()
	m.Lock()
	return func() {
		m.Unlock()
		l.mu.Lock()
		defer l.mu.Unlock()
		if m.wanted--; m.wanted == 0 {
			delete(l.taken, name)
		}
	}
}
