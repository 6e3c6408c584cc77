package console

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// Exit codes. Scripts may rely on them.
const (
	ExitOK     = 0
	ExitFailed = 1 // the command, or the Application that it is about
	ExitUsage  = 2 // the command line is wrong; nothing was done

	exitInterrupted = 130 // as a shell says it
)

// A UsageError is a command line that cannot be understood.
type UsageError struct{ err error }

// Error says what is wrong.
func (e *UsageError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *UsageError) Unwrap() error { return e.err }

// Usagef returns a UsageError.
func Usagef(format string, args ...any) error { return &UsageError{fmt.Errorf(format, args...)} }

// A HintError is an error with what to do next.
type HintError struct {
	Err  error
	Next []string // one line each
}

// Error says what went wrong.
func (e *HintError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *HintError) Unwrap() error { return e.Err }

// Hint adds to err what the user can do about it.
func Hint(err error, next ...string) error {
	if err == nil {
		return nil
	}
	return &HintError{Err: err, Next: next}
}

// Exit prints err for a person and returns the exit code that it means.
func (s IO) Exit(err error) int {
	if err == nil {
		return ExitOK
	}
	style := s.ErrStyle()
	for _, e := range fault.List(err) {
		var hint *HintError
		if errors.As(e, &hint) && fault.Reason(e) == "" {
			e = strip(e, hint)
		}
		fmt.Fprintln(s.Err, style.Bad("Error:"), strings.TrimSpace(fault.Message(e)))
		if hint == nil {
			continue
		}
		for _, line := range hint.Next {
			fmt.Fprintln(s.Err, style.Dim("  → ")+line)
		}
	}
	var usage *UsageError
	switch {
	case errors.As(err, &usage):
		return ExitUsage
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	default:
		return ExitFailed
	}
}

// strip takes the hint off, so that several mistakes below it are told one by
// one.
func strip(err error, hint *HintError) error {
	if err == error(hint) {
		return hint.Err
	}
	return err
}
