package observe

import "sync"

// maxMemo bounds how many answers an Observer remembers.
const maxMemo = 16_384

// A memo remembers what rules said, by everything that they looked at.
type memo struct {
	mu     sync.Mutex
	recent map[string]answer
	older  map[string]answer // dropped when recent is full
}

func newMemo() *memo { return &memo{recent: map[string]answer{}} }

func (m *memo) get(key string) (answer, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, ok := m.recent[key]
	if !ok {
		if a, ok = m.older[key]; ok {
			m.recent[key] = a
		}
	}
	return a, ok
}

func (m *memo) put(key string, a answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.recent) >= maxMemo/2 {
		m.recent, m.older = map[string]answer{}, m.recent
	}
	m.recent[key] = a
}
