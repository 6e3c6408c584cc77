package deftest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
)

// A world is what templates can reach in a test: every call of every provider
// is answered by the test.
type world struct {
	mu       sync.Mutex
	requests []any // that were sent under processing.http
	answers  []map[string]any
	byPath   map[string]any
	charts   provider.Table // renders those of the test
}

func (r *Runner) world(in input) *world {
	return &world{answers: in.answers, byPath: in.byPath, charts: r.charts}
}

// reads are the actions of a rendering.
func (w *world) reads() provider.Table {
	table := provider.Table{}
	for _, a := range append(offered(all.DefinitionSchemas()), action{"http", "do"}) {
		if table[a.provider].Read == nil {
			table[a.provider] = provider.Bound{Read: provider.Actions{}}
		}
		table[a.provider].Read[a.do] = w.call
	}
	table["helm"] = w.charts["helm"] // works without the world
	return table
}

// taken returns the requests since the last time.
func (w *world) taken() []any {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.requests
	w.requests = nil
	return out
}

func (w *world) call(_ context.Context, c provider.Call) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.Path != "processing.http" {
		return w.byPath[c.Path], nil
	}
	w.requests = append(w.requests, c.Params)
	var answer map[string]any
	if len(w.answers) > 0 {
		answer, w.answers = w.answers[0], w.answers[1:]
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	return map[string]any{"body": string(body), "statusCode": int64(200)}, nil
}

// An action is what a package offers.
type action struct{ provider, do string }

// offered lists the actions that the texts of packages name.
func offered(schemas []provider.Schema) []action {
	var out []action
	for _, s := range schemas {
		do := ""
		for line := range strings.Lines(s.Text) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
			switch value = strings.Trim(strings.TrimSpace(value), `"`); key {
			case "#do":
				do = value
			case "#provider":
				out = append(out, action{value, do})
			}
		}
	}
	return out
}
