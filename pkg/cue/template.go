package cue

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-c5f95f19/vela/pkg/cue/direct"
	"github.com/seed-c5f95f19/vela/pkg/cue/order"
	"github.com/seed-c5f95f19/vela/pkg/cue/text"
)

// A Template is one compiled definition. It stays usable when its cell is
// dropped: the next Eval compiles it again. It is safe for concurrent use.
type Template struct {
	engine   *Engine
	src      Source
	packages *packageSet
	digest   string

	facts    text.Facts
	order    *order.Order    // only when it may call providers
	program  *direct.Program // only when it cannot
	warnings []Warning

	remote  Remote // the template in a sandbox; nil when this process evaluates it
	trusted bool   // came with the program, and there is a sandbox for everything else

	mu     sync.Mutex  // guards building a cell, and second
	second Remote      // of a trusted text, for large input
	passed atomic.Bool // the quarantine knows that it behaves
	driven atomic.Bool // a trusted text that took too long here
	cell   atomic.Pointer[cell]
	used   atomic.Int64 // unix nanoseconds of the last use
}

func newTemplate(e *Engine, packages *packageSet, src Source) (*Template, error) {
	if len(src.Text) > e.limits.TemplateBytes {
		return nil, limitError("", "the template has %d bytes, at most %d are allowed", len(src.Text), e.limits.TemplateBytes)
	}
	t := &Template{engine: e, src: src, packages: packages, digest: DigestOf(packages.digest, src.Text)}
	if err := t.quarantined(""); err != nil {
		return nil, err
	}
	if e.sandbox != nil && (e.trusted == nil || !e.trusted(src.Kind, src.Name, src.Text)) {
		if err := t.open(context.Background()); err != nil {
			return nil, err
		}
		if !t.remote.Plain() {
			t.program = nil
		}
		return t, nil
	}
	if t.trusted = e.sandbox != nil; t.trusted {
		e.quarry.Trust(t.digest)
	}
	var err error
	guarded := t.guard(context.Background(), func() {
		if err = t.parse(); err == nil {
			var c *cell
			if c, err = t.compiled(); err == nil && c.doubtful {
				t.program = nil // only the library knows what becomes of such a text
			}
		}
	})
	if guarded != nil {
		return nil, guarded
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

// Source returns what the template was compiled from.
func (t *Template) Source() Source { return t.src }

// Digest returns the content address of the template.
func (t *Template) Digest() string { return t.digest }

// ContextFields returns which fields of `context` the text reads. all says that
// it reads context as a whole, so any field may matter.
func (t *Template) ContextFields() (fields []string, all bool) {
	return append([]string(nil), t.facts.Context...), t.facts.WholeContext
}

// HasParameter says that the text declares `parameter`.
func (t *Template) HasParameter() bool { return t.facts.Parameter }

// Plain says that some input needs no CUE library.
func (t *Template) Plain() bool { return t.program != nil }

// Calls says that the text may call providers.
func (t *Template) Calls() bool { return t.facts.Calls }

// A Warning is something in the text that works but should be changed.
type Warning = text.Warning

// Warnings returns what was rewritten or is doubtful in the text, by line.
func (t *Template) Warnings() []Warning { return append([]Warning(nil), t.warnings...) }

// Eval fills the input into the template and performs its provider calls, in
// field order, until nothing is left to call.
//
// When an action returns one of the signals of package provider, or an error,
// Eval returns it (wrapped, use errors.As) together with the Result as far as
// it was evaluated. Any other error comes with a nil Result.
func (t *Template) Eval(ctx context.Context, in Input) (*Result, error) {
	t.used.Store(t.engine.now().UnixNano())
	if err := t.quarantined(""); err != nil {
		return nil, err
	}
	args, err := t.arguments(in)
	if err != nil {
		return nil, err
	}
	return t.eval(ctx, in, args)
}

func (t *Template) idleSince() time.Time { return time.Unix(0, t.used.Load()) }
