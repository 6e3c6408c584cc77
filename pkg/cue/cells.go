package cue

import (
	"sort"
	"sync"
	"sync/atomic"
	"time"

	cuelang "cuelang.org/go/cue"
)

// A cell is one compiled template in a CUE context of its own. Dropping the
// pointer frees all of it; nothing in a cell outlives it except the field names
// that CUE keeps for the life of the process.
type cell struct {
	ctx   *cuelang.Context
	value cuelang.Value
	evals atomic.Int64
	bytes int64 // estimate
	// doubtful says that the text without parameters has an error under a
	// condition, which parameters may switch off.
	doubtful bool
}

// cellFactor is compiled bytes per byte of text: 50 cells of a text of 3.6 kB
// took 169 KiB each.
const cellFactor = 48

// textFactor is bytes per byte of text of a template without a cell: what is
// known about its text, and its form for direct evaluation.
const textFactor = 8

// cells keeps templates and drops compiled ones by count, memory and idle time.
// They are found by their text: comparing that is much cheaper than a digest
// for every render.
type cells struct {
	mu        sync.Mutex
	templates map[string]*Template // by text
	limits    Limits
	now       func() time.Time
	swept     time.Time
}

func newCells(l Limits, now func() time.Time) *cells {
	return &cells{templates: map[string]*Template{}, limits: l, now: now, swept: now()}
}

func (c *cells) template(text string) (*Template, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.templates[text]
	if ok {
		t.used.Store(c.now().UnixNano())
	}
	c.sweep(false)
	return t, ok
}

// add keeps t, or returns the one that another goroutine added first.
func (c *cells) add(t *Template) *Template {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.templates[t.src.Text]; ok {
		return old
	}
	t.used.Store(c.now().UnixNano())
	c.templates[t.src.Text] = t
	c.sweep(true)
	return t
}

// drop forgets the templates that are outdated. Who has one keeps it.
func (c *cells) drop(outdated func(*Template) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for text, t := range c.templates {
		if outdated(t) {
			delete(c.templates, text)
		}
	}
}

// sweep drops idle cells, at most once a minute unless forced, and the least
// recently used ones beyond the limits. The caller holds mu.
func (c *cells) sweep(force bool) {
	now := c.now()
	if !force && now.Sub(c.swept) < time.Minute {
		return
	}
	c.swept = now
	var live []*Template
	var bytes int64
	for text, t := range c.templates {
		if now.Sub(t.idleSince()) > c.limits.CellIdle {
			t.cell.Store(nil)
			delete(c.templates, text)
			continue
		}
		live = append(live, t)
		bytes += t.weight()
	}
	if len(live) <= c.limits.Cells && bytes <= c.limits.CellBytes {
		return
	}
	sort.Slice(live, func(i, j int) bool { return live[i].used.Load() < live[j].used.Load() })
	for _, t := range live {
		if len(c.templates) <= c.limits.Cells && bytes <= c.limits.CellBytes {
			return
		}
		bytes -= t.weight()
		t.cell.Store(nil)
		delete(c.templates, t.src.Text)
	}
}

func (c *cells) size() (templates, compiled int, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.templates {
		if t.cell.Load() != nil {
			compiled++
		}
		bytes += t.weight()
	}
	return len(c.templates), compiled, bytes
}

func (t *Template) weight() int64 {
	if c := t.cell.Load(); c != nil {
		return c.bytes
	}
	return int64(len(t.src.Text)) * textFactor
}
