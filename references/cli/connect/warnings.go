package connect

import (
	"context"
	"strings"
	"sync"
)

// told are the warnings that were printed. It is safe for concurrent use.
type told struct {
	mu   sync.Mutex
	said []string
}

// Warn prints a warning that the server may have too: it then says nothing new.
func (f *Factory) Warn(text string) {
	f.told.mu.Lock()
	f.told.said = append(f.told.said, text)
	f.told.mu.Unlock()
	f.IO.Warnf("%s", text)
}

// HandleWarningHeaderWithContext implements rest.WarningHandlerWithContext: it
// prints what the server warns of once, unless it was said already with its place
// in a file.
func (f *Factory) HandleWarningHeaderWithContext(_ context.Context, code int, _, text string) {
	if code != 299 || text == "" {
		return
	}
	f.told.mu.Lock()
	for _, s := range f.told.said {
		if strings.HasSuffix(s, text) {
			f.told.mu.Unlock()
			return
		}
	}
	f.told.mu.Unlock()
	f.Warn(text)
}
