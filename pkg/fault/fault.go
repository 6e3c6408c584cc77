// Package fault carries the decision about an error together with the error.
//
// The layer that knows why something failed says so once: a reason that a
// condition can show, whether trying again can help, where in the user's input
// the mistake is, and what to do next. The CLI, conditions and events all print
// Message, so that a user reads the same words everywhere. Nothing here logs,
// retries or knows Kubernetes.
package fault

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// An Error says why something failed in a word a condition can show.
type Error struct {
	Reason   string // CamelCase, documented in apis
	Terminal bool   // retrying cannot help; the user must change something
	Err      error

	// Waits means that something else has to change first, a cluster that comes
	// back for example: there is no number of attempts after which to give up.
	Waits bool

	Where Where  // the place in the user's input, when it is known
	Hint  string // what to do next: one sentence without a period at its end
}

// Where is a place in the user's input. The zero value means unknown.
type Where struct {
	File string // as the user named it; empty inside the cluster
	Line int    // 1-based; 0 when unknown
	Path string // inside the object: spec.components[0].properties.image
}

// Error returns what went wrong, without the place and the hint.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Option adds what is known about an error.
type Option func(*Error)

// At says where in the object the mistake is.
func At(path string) Option { return func(e *Error) { e.Where.Path = path } }

// In says where in a file the mistake is.
func In(file string, line int) Option {
	return func(e *Error) { e.Where.File, e.Where.Line = file, line }
}

// Hint says what to do next. The sentence has no period at its end.
func Hint(format string, args ...any) Option {
	return func(e *Error) { e.Hint = fmt.Sprintf(format, args...) }
}

// Waits says that something else has to change before trying again helps.
func Waits() Option { return func(e *Error) { e.Waits = true } }

// Invalid is a mistake only an edit of this object can fix.
func Invalid(reason string, err error, opts ...Option) error {
	return build(&Error{Reason: reason, Terminal: true, Err: err}, opts)
}

// Because gives a retryable failure a reason.
func Because(reason string, err error, opts ...Option) error {
	return build(&Error{Reason: reason, Err: err}, opts)
}

func build(e *Error, opts []Option) error {
	for _, o := range opts {
		o(e)
	}
	return e
}

// With returns err with more known about it. What is known already stays: the
// layer nearest to the mistake knows best. Joined errors each get it; an error
// without an Error inside is returned as it is.
func With(err error, opts ...Option) error {
	if joined := List(err); len(joined) > 1 {
		for i := range joined {
			joined[i] = With(joined[i], opts...)
		}
		return errors.Join(joined...)
	}
	inner := first(err)
	if inner == nil {
		return err
	}
	e := &Error{Reason: inner.Reason, Terminal: inner.Terminal, Waits: inner.Waits, Err: err}
	for _, o := range opts {
		o(e)
	}
	e.Where = Where{
		File: cmp.Or(inner.Where.File, e.Where.File),
		Line: cmp.Or(inner.Where.Line, e.Where.Line),
		Path: cmp.Or(inner.Where.Path, e.Where.Path),
	}
	e.Hint = cmp.Or(inner.Hint, e.Hint)
	return e
}

// Reason returns the reason of the outermost Error in err, or "" without one.
func Reason(err error) string {
	if e := first(err); e != nil {
		return e.Reason
	}
	return ""
}

// Terminal reports whether only an edit can help. Of several joined errors all
// must be terminal: while one can still be retried, retrying makes sense.
func Terminal(err error) bool {
	all := List(err)
	return len(all) > 0 && !slices.ContainsFunc(all, func(e error) bool {
		f := first(e)
		return f == nil || !f.Terminal
	})
}

// Waiting reports whether err is about the world alone, which may change at any
// time. Of several joined errors all must be: the others are worth giving up for.
func Waiting(err error) bool {
	all := List(err)
	return len(all) > 0 && !slices.ContainsFunc(all, func(e error) bool {
		f := first(e)
		return f == nil || !f.Waits
	})
}

// Place returns where in the user's input the mistake is.
func Place(err error) Where {
	if e := first(err); e != nil {
		return e.Where
	}
	return Where{}
}

// List takes joined errors apart, however deep they are joined. An error that
// wraps exactly one other is one error.
func List(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var out []error
	for _, e := range joined.Unwrap() {
		out = append(out, List(e)...)
	}
	return out
}

// Message returns err as the user reads it: the place, what is wrong and what to
// do next, one line per error, in the order in which they were joined. The same
// error gives the same bytes.
func Message(err error) string {
	var lines []string
	for _, e := range List(err) {
		if line := message(e); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// message puts the place in front of the text, unless the text names it, and the
// hint behind it.
func message(err error) string {
	text := err.Error()
	e := first(err)
	if e == nil {
		return text
	}
	if place := e.Where.String(); place != "" && !strings.HasPrefix(text, place) {
		text = place + ": " + text
	}
	if e.Hint != "" {
		text += " (" + e.Hint + ")"
	}
	return text
}

// String returns "app.yaml:12: spec.components[0].type", as far as it is known.
func (w Where) String() string {
	var parts []string
	switch {
	case w.File != "" && w.Line > 0:
		parts = append(parts, fmt.Sprintf("%s:%d", w.File, w.Line))
	case w.File != "":
		parts = append(parts, w.File)
	case w.Line > 0:
		parts = append(parts, fmt.Sprintf("line %d", w.Line))
	}
	if w.Path != "" {
		parts = append(parts, w.Path)
	}
	return strings.Join(parts, ": ")
}

func first(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}
