package cue

import (
	"crypto/sha256"
	"encoding/hex"
	"sync/atomic"
	"time"

	"github.com/seed-c5f95f19/vela/pkg/cue/budget"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

// Options configure an Engine. The zero value works.
type Options struct {
	// Packages can be imported by templates. The rendering compiler and the
	// workflow compiler of KubeVela offer different texts under one path
	// ("vela/kube"): make one Engine for each. SetPackages adds further ones.
	Packages []provider.Schema
	Limits   Limits
	Now      func() time.Time // nil means time.Now
	// Sandbox evaluates every text with the CUE library that Trusted does not
	// know; nil means that this process does, which CUE can end.
	Sandbox Sandbox
	// Trusted says that the text of a source came with the program: it needs no
	// sandbox unless its input is large. nil trusts nothing.
	Trusted func(kind, name, text string) bool
	// OnTrouble is told when a text is quarantined; see Engine.Trouble. It must
	// not block.
	OnTrouble func(Source)
	// Plain evaluates everything with the CUE library, which is slower and gives
	// the same results. Tests compare both.
	Plain bool
}

// A Source is the text of one definition.
type Source struct {
	Kind string // component, trait, policy, workflow-step, health, status, config, …
	Name string // used in messages and logs only
	Text string
}

// An Engine compiles templates and keeps what it compiled. It is safe for
// concurrent use.
type Engine struct {
	imports *imports
	sandbox Sandbox
	trusted func(kind, name, text string) bool
	trouble func(Source)
	limits  Limits
	now     func() time.Time
	plain   bool
	cells   *cells
	pool    *budget.Pool
	quarry  *budget.Quarantine

	compiling budget.Locks

	direct, full, outside atomic.Int64
}

// NewEngine returns an engine for the given packages.
func NewEngine(o Options) *Engine {
	e := &Engine{
		imports: &imports{base: newPackageSet(o.Packages)},
		sandbox: o.Sandbox,
		trusted: o.Trusted,
		trouble: o.OnTrouble,
		limits:  o.Limits.withDefaults(),
		now:     o.Now,
		plain:   o.Plain,
	}
	if e.now == nil {
		e.now = time.Now
	}
	e.cells = newCells(e.limits, e.now)
	e.pool = budget.NewPool(e.limits.Workers)
	e.quarry = budget.NewQuarantine()
	return e
}

// Digest returns the content address of a source as this engine compiles it:
// equal digests mean equal behaviour.
func (e *Engine) Digest(src Source) string { return DigestOf(e.imports.of(src.Text).digest, src.Text) }

// DigestOf returns the content address of a text compiled with the packages
// whose digest is given.
func DigestOf(packages, text string) string {
	h := sha256.New()
	h.Write([]byte(packages))
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

// Compile returns the template of a source. It is cached by digest, so calling
// it for every render is cheap. The error is an *Error that names the line in
// the definition.
func (e *Engine) Compile(src Source) (*Template, error) {
	if t, ok := e.cells.template(src.Text); ok {
		if err := t.quarantined(""); err != nil {
			return nil, err
		}
		return t, nil
	}
	// One at a time for one text: a definition that runs away would otherwise do
	// so for each who asks meanwhile.
	defer e.compiling.Lock(src.Text)()
	if t, ok := e.cells.template(src.Text); ok {
		return t, nil
	}
	t, err := newTemplate(e, e.imports.of(src.Text), src)
	if err != nil {
		return nil, err
	}
	if e.imports.of(src.Text).digest != t.packages.digest {
		return t, nil // packages have changed meanwhile: the next one compiles again
	}
	return e.cells.add(t), nil
}

// Stats says how much an Engine holds at the moment.
type Stats struct {
	Templates   int   // known templates
	Cells       int   // of these, compiled at the moment
	CellBytes   int64 // estimate
	Quarantined int
	Stuck       int   // evaluations beyond their budget that still run
	Direct      int64 // evaluations that did not need the CUE library
	Full        int64 // evaluations that did
	Outside     int64 // … of these, in the sandbox
}

// Stats returns current figures, for metrics and tests.
func (e *Engine) Stats() Stats {
	s := Stats{Quarantined: e.quarry.Len(), Stuck: e.pool.Stuck(),
		Direct: e.direct.Load(), Full: e.full.Load(), Outside: e.outside.Load()}
	s.Templates, s.Cells, s.CellBytes = e.cells.size()
	return s
}
