package render

import (
	"container/list"
	"sync"
)

// A cache keeps what was rendered for the requests that were seen last.
type cache struct {
	mu           sync.Mutex
	max          int // manifests
	held         int
	order        *list.List // of *kept, last used first
	byKey        map[string]*list.Element
	hits, misses int64
}

type kept struct {
	key    string
	result result
}

func (k *kept) weight() int { return len(k.result.parts) + 1 }

func newCache(max int) *cache {
	return &cache{max: max, order: list.New(), byKey: map[string]*list.Element{}}
}

// get returns what is kept under a key; the empty key has nothing.
func (c *cache) get(key string) (result, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[key]
	if !ok || key == "" {
		c.misses++
		return result{}, false
	}
	c.hits++
	c.order.MoveToFront(e)
	return e.Value.(*kept).result, true
}

func (c *cache) put(key string, r result) {
	if key == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byKey[key]; ok { // what was kept did not fit any more
		c.held -= c.order.Remove(e).(*kept).weight()
	}
	k := &kept{key, r}
	c.byKey[key] = c.order.PushFront(k)
	c.held += k.weight()
	for c.held > c.max && c.order.Len() > 0 {
		last := c.order.Remove(c.order.Back()).(*kept)
		delete(c.byKey, last.key)
		c.held -= last.weight()
	}
}

func (c *cache) stats() (hits, misses int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hits, c.misses
}
