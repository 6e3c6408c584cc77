package provider

import "time"

// Wait is returned by an Action to say that the step has to be tried again
// later: nothing is wrong. Find it with errors.As.
type Wait struct{ Message string }

func (w Wait) Error() string { return text("waiting", w.Message) }

// Suspend is returned by an Action to pause the workflow. A zero Until means
// until somebody resumes it.
type Suspend struct {
	Message string
	Until   time.Time
	// For is the pause that was asked for; the workflow engine owns the clock
	// and turns it into a time when Until is zero. Zero means no limit.
	For time.Duration
}

func (s Suspend) Error() string { return text("suspended", s.Message) }

// Fail is returned by an Action to fail the step on purpose.
type Fail struct{ Message string }

func (f Fail) Error() string { return text("failed", f.Message) }

// Break is returned by an Action to end the workflow here, successfully.
type Break struct{ Message string }

func (b Break) Error() string { return text("stopped", b.Message) }

func text(word, message string) string {
	if message == "" {
		return word
	}
	return word + ": " + message
}
