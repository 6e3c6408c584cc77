package cue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/seed-c5f95f19/vela/pkg/cue/budget"
	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/schema"
	"github.com/seed-c5f95f19/vela/pkg/cue/value"
)

// A Sandbox evaluates templates where they can harm nobody: the CUE library
// cannot be stopped, and some texts overflow its stack, which ends a process.
// Package worker is one. Its errors are those of an Engine, and *Runaway.
type Sandbox interface {
	// Open compiles a text that a definition in place p brought.
	Open(ctx context.Context, p Place, src Source) (Remote, error)
}

// A Place is what a text is compiled with.
type Place struct {
	Digest   string // of the packages
	Packages []provider.Schema
	Limits   Limits
	// Proven says whether the text with a digest has behaved so far. A sandbox
	// keeps room for those that have.
	Proven func(digest string) bool
}

// A Remote is a template inside a sandbox. It must be safe for concurrent use.
type Remote interface {
	Plain() bool
	Check(parameter any) error
	Unknown(parameter any) ([]UnknownField, error)
	Schema() (*schema.Schema, error)
	Eval(ctx context.Context, in Input) (Reading, error)
}

// A Reading is one evaluated template, as Result offers it.
type Reading interface {
	Lookup(path string) (v any, ok bool, err error)
	Patch() (p patch.Patch, ok bool, err error)
	PatchOutputs() (map[string]patch.Patch, error)
	Expr(expr string) (any, error)
	Err() error
}

// A Runaway says that a sandbox had to stop an evaluation.
type Runaway struct{ Why string }

func (r *Runaway) Error() string { return r.Why }

// A Trouble says that a definition is not evaluated any more, or not with some
// input, until its text changes.
type Trouble struct {
	Why    string // "the evaluation needs more than 512 MiB of memory"
	Inputs int    // with how many inputs; 0 means with any
}

// Trouble reports the quarantine of a source, so that it can be shown on the
// definition.
func (e *Engine) Trouble(src Source) (Trouble, bool) {
	why, inputs, ok := e.quarry.Trouble(e.Digest(src))
	return Trouble{Why: why, Inputs: inputs}, ok
}

// open compiles t in the sandbox, and reads it here once it is known that its
// text can be read: what reads a text depends on nothing else, so it does here
// what it did there.
func (t *Template) open(ctx context.Context) error {
	e := t.engine
	place := Place{Digest: t.packages.digest, Packages: t.packages.schemas, Limits: e.limits, Proven: e.quarry.Proven}
	err := t.judge("", func() (err error) {
		t.remote, err = e.sandbox.Open(ctx, place, t.src)
		return err
	})
	if err != nil {
		return err
	}
	return t.parse()
}

// large is the input beyond which a trusted text is not evaluated here either.
const largeBytes, largeKeys = 256 << 10, 5_000

// outside returns where to evaluate t, nil for here.
func (t *Template) outside(args arguments) (Remote, error) {
	large := args.bytes > largeBytes || args.keys > largeKeys || t.driven.Load()
	if t.remote != nil || t.engine.sandbox == nil || !large {
		return t.remote, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.second == nil {
		second := &Template{engine: t.engine, src: t.src, packages: t.packages, digest: t.digest, trusted: true}
		if err := second.open(context.Background()); err != nil {
			return nil, err
		}
		t.second = second.remote
	}
	return t.second, nil
}

// judge calls f, which works in the sandbox, and remembers how it went.
func (t *Template) judge(input string, f func() error) error {
	if err := t.quarantined(input); err != nil {
		return err
	}
	err := f()
	var runaway *Runaway
	if !errors.As(err, &runaway) {
		return err
	}
	t.strike(input, runaway.Why)
	if err := t.quarantined(input); err != nil {
		return err
	}
	return limitError("", "%s", runaway.Why) // one of ours, whatever its input is
}

func (t *Template) strike(input, why string) {
	if t.trusted {
		t.engine.quarry.Trust(t.digest) // it may have been forgotten
	}
	t.engine.quarry.Strike(t.digest, input, why)
	if t.engine.trouble != nil {
		t.engine.trouble(t.src)
	}
}

// quarantined is the error of a text that is not evaluated any more.
func (t *Template) quarantined(input string) error {
	why, whole := t.engine.quarry.Why(t.digest, input)
	switch {
	case why == "":
		return nil
	case whole:
		return &Error{Kind: Limit, Message: fmt.Sprintf(
			"the %s definition %q is not evaluated any more until its text changes: %s", t.src.Kind, t.src.Name, why)}
	}
	return &Error{Kind: Limit, Message: fmt.Sprintf(
		"the %s definition %q is not evaluated any more with these properties, until they or its text change: %s", t.src.Kind, t.src.Name, why)}
}

// behaves lets the quarantine know that the text works with some input.
func (t *Template) behaves() {
	if t.remote != nil && t.passed.CompareAndSwap(false, true) {
		t.engine.quarry.Pass(t.digest)
	}
}

// identity names an input for the quarantine: the properties and whose they are.
func (a arguments) identity() string {
	b, err := value.Append(nil, []any{a.parameter, a.context["namespace"], a.context["appName"], a.context["name"]})
	if err != nil {
		return "unknown"
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// away evaluates in the sandbox.
func (t *Template) away(ctx context.Context, remote Remote, in Input, args arguments) (Reading, error) {
	t.engine.full.Add(1)
	t.engine.outside.Add(1)
	in.Parameter, in.Context = args.parameter, args.context
	var out Reading
	id := args.identity()
	err := t.judge(id, func() (err error) {
		out, err = remote.Eval(ctx, in)
		return err
	})
	if err != nil && out == nil {
		return nil, err
	}
	t.behaves()
	return judged{out, t, id}, err
}

// judged is a Reading whose mishaps are remembered.
type judged struct {
	Reading
	template *Template
	input    string
}

func (j judged) Lookup(path string) (v any, ok bool, err error) {
	err = j.template.judge(j.input, func() (err error) { v, ok, err = j.Reading.Lookup(path); return err })
	return v, ok, err
}

func (j judged) Patch() (p patch.Patch, ok bool, err error) {
	err = j.template.judge(j.input, func() (err error) { p, ok, err = j.Reading.Patch(); return err })
	return p, ok, err
}

func (j judged) PatchOutputs() (out map[string]patch.Patch, err error) {
	err = j.template.judge(j.input, func() (err error) { out, err = j.Reading.PatchOutputs(); return err })
	return out, err
}

func (j judged) Expr(expr string) (v any, err error) {
	err = j.template.judge(j.input, func() (err error) { v, err = j.Reading.Expr(expr); return err })
	return v, err
}

func (j judged) Err() error { return j.template.judge(j.input, j.Reading.Err) }

// guard runs f, which works here, and quarantines the template when f does not
// end in time or crashes.
func (t *Template) guard(ctx context.Context, f func()) error {
	err := t.engine.pool.Run(ctx, t.engine.limits.Budget, f)
	var late budget.Exceeded
	var crash budget.Crashed
	if failed := errors.As(err, &late) || errors.As(err, &crash); failed && t.trusted {
		t.driven.Store(true) // from now on elsewhere
		return &Error{Kind: Limit, Message: err.Error()}
	} else if failed {
		t.strike("", err.Error())
		t.cell.Store(nil)
		return t.quarantined("")
	}
	return err
}
