package blueprint

import (
	"container/list"
	"sync"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
)

// A Memo remembers what was wrong with properties that were checked before: when
// one component of many changes, the others are not checked again. It is safe
// for concurrent use. A nil Memo remembers nothing.
type Memo struct {
	mu    sync.Mutex
	max   int
	order *list.List // of *verdict, last used first
	byKey map[string]*list.Element
}

// verdict is the outcome of one check. Nobody may modify it.
type verdict struct {
	key      string
	mistakes []*cue.Error
	unknown  []cue.UnknownField
}

// NewMemo returns a memory for the last max checks; 0 means 20,000.
func NewMemo(max int) *Memo {
	if max <= 0 {
		max = 20_000
	}
	return &Memo{max: max, order: list.New(), byKey: map[string]*list.Element{}}
}

// check compares properties with what the template declares.
func (m *Memo) check(t *cue.Template, properties map[string]any) (*verdict, error) {
	if m == nil {
		return checked(t, properties)
	}
	key := t.Digest() + manifest.Digest(properties)
	if v, ok := m.get(key); ok {
		return v, nil
	}
	v, err := checked(t, properties)
	if err == nil {
		v.key = key
		m.put(v)
	}
	return v, err
}

// checked does the work. The error is one of the engine, such as a definition
// that takes too long, and not one about the properties.
func checked(t *cue.Template, properties map[string]any) (*verdict, error) {
	err := t.Check(properties)
	v := &verdict{mistakes: cue.Errors(err), unknown: t.Unknown(properties)}
	if len(v.mistakes) == 0 {
		return v, err
	}
	return v, nil
}

func (m *Memo) get(key string) (*verdict, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.byKey[key]
	if !ok {
		return nil, false
	}
	m.order.MoveToFront(e)
	return e.Value.(*verdict), true
}

func (m *Memo) put(v *verdict) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.byKey[v.key]; ok {
		return
	}
	m.byKey[v.key] = m.order.PushFront(v)
	for m.order.Len() > m.max {
		last := m.order.Remove(m.order.Back()).(*verdict)
		delete(m.byKey, last.key)
	}
}
