package helm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Bounds of what is remembered of renderings.
const (
	maxRemembered = 64
	maxWorth      = 1000 // objects of one that is
)

// Render renders a chart, or remembers what it gave for the same request. The
// result is shared: nobody may modify it.
func (s *Store) Render(ctx context.Context, c *Chart, req Request) (Result, error) {
	b, err := json.Marshal([]any{c.Digest, req})
	if err != nil {
		return Result{}, fmt.Errorf("values of chart %s: %w", c.Name, err)
	}
	sum := sha256.Sum256(b)
	key := hex.EncodeToString(sum[:])
	s.mu.Lock()
	known := s.rendered[key]
	s.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	req.Seed = s.o.Seed
	out, err := c.Render(ctx, req)
	if err != nil || len(out.Objects) > maxWorth {
		return out, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rendered[key] == nil {
		s.rendered[key] = &out
		s.recent = append(s.recent, key)
	}
	for len(s.recent) > maxRemembered {
		delete(s.rendered, s.recent[0])
		s.recent = s.recent[1:]
	}
	return out, nil
}
