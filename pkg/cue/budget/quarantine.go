package budget

import (
	"maps"
	"slices"
	"sync"
)

// A Quarantine remembers the texts that exceeded their budget or crashed, by
// digest, until their text, and with it their digest, changes. A text that was
// seen to behave with other input is not to blame as a whole: only the input is
// remembered, so that one Application cannot take a definition from the others.
// It is safe for concurrent use.
type Quarantine struct {
	mu    sync.Mutex
	texts map[string]*record
	order []string // of the first look, oldest first
}

type record struct {
	passed bool
	ours   bool
	whole  string            // why nothing of it is evaluated any more
	inputs map[string]string // why not with this input
}

const (
	maxTexts  = 10_000
	maxInputs = 50 // of one text; beyond them all of it is quarantined
)

// NewQuarantine returns an empty one.
func NewQuarantine() *Quarantine { return &Quarantine{texts: map[string]*record{}} }

func (q *Quarantine) record(digest string) *record {
	r, ok := q.texts[digest]
	if ok {
		return r
	}
	if len(q.order) >= maxTexts {
		delete(q.texts, q.order[0])
		q.order = q.order[1:]
	}
	r = &record{}
	q.texts[digest] = r
	q.order = append(q.order, digest)
	return r
}

// Strike records why a text failed with an input; an empty input means that it
// is the text alone.
func (q *Quarantine) Strike(digest, input, why string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := q.record(digest)
	switch {
	case r.whole != "":
	case r.ours && input == "":
	case r.ours && len(r.inputs) >= maxInputs:
		r.inputs = map[string]string{input: why} // the others may try again
	case !r.ours && (!r.passed || input == "" || len(r.inputs) >= maxInputs):
		r.whole = why
	default:
		if r.inputs == nil {
			r.inputs = map[string]string{}
		}
		r.inputs[input] = why
	}
}

// Trust records that a text is one of ours: whatever is done with it, it is the
// input that is to blame.
func (q *Quarantine) Trust(digest string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := q.record(digest)
	r.ours, r.passed = true, true
}

// Pass records that a text behaved.
func (q *Quarantine) Pass(digest string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.record(digest).passed = true
}

// Why returns the reason for which a text is not evaluated with an input. whole
// says that it is not evaluated with any.
func (q *Quarantine) Why(digest, input string) (why string, whole bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r, ok := q.texts[digest]
	if !ok {
		return "", false
	}
	if r.whole != "" {
		return r.whole, true
	}
	return r.inputs[input], false
}

// Proven says that a text behaved and never failed.
func (q *Quarantine) Proven(digest string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	r, ok := q.texts[digest]
	return ok && r.passed && r.whole == "" && len(r.inputs) == 0
}

// Trouble returns why a text fails and with how many inputs; 0 inputs mean all.
// ok is false when there is nothing to report.
func (q *Quarantine) Trouble(digest string) (why string, inputs int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r, found := q.texts[digest]
	switch {
	case !found:
		return "", 0, false
	case r.whole != "":
		return r.whole, 0, true
	case len(r.inputs) == 0:
		return "", 0, false
	}
	first := slices.Sorted(maps.Values(r.inputs))[0] // the same one every time
	return first, len(r.inputs), true
}

// Len is how many texts are quarantined as a whole.
func (q *Quarantine) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for _, r := range q.texts {
		if r.whole != "" {
			n++
		}
	}
	return n
}
