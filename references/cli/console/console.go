// Package console is what a person sees of vela: streams, colours, tables,
// live progress, questions, and the exit code that an error means. It knows
// nothing about Applications or clusters.
package console

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// IO is where a command reads and writes. Out carries only the answer; Err
// carries progress, warnings and errors.
type IO struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer

	// InTerminal, OutTerminal and ErrTerminal say which streams a person uses.
	InTerminal  bool
	OutTerminal bool
	ErrTerminal bool

	// NoColor switches colours off on a terminal too (NO_COLOR).
	NoColor bool

	// Width returns the columns of the terminal behind Err, 0 if unknown.
	Width func() int

	// Now is the clock of ages and durations.
	Now func() time.Time
}

// System returns the streams of this process.
func System(in, out, errOut *os.File, getenv func(string) string) IO {
	dumb := getenv("TERM") == "dumb"
	return IO{
		In: in, Out: out, Err: errOut,
		InTerminal:  term.IsTerminal(int(in.Fd())),
		OutTerminal: term.IsTerminal(int(out.Fd())),
		ErrTerminal: term.IsTerminal(int(errOut.Fd())) && !dumb,
		NoColor:     getenv("NO_COLOR") != "" || dumb,
		Width: func() int {
			width, _, err := term.GetSize(int(errOut.Fd()))
			if err != nil {
				return 0
			}
			return width
		},
		Now: time.Now,
	}
}

// Plain returns streams without a terminal and with a clock that stands
// still, for tests and for callers that capture the output.
func Plain(in io.Reader, out, errOut io.Writer, now time.Time) IO {
	return IO{In: in, Out: out, Err: errOut, Width: func() int { return 0 }, Now: func() time.Time { return now }}
}

// OutStyle is the style of standard output.
func (s IO) OutStyle() Style { return Style{on: s.OutTerminal && !s.NoColor} }

// ErrStyle is the style of standard error.
func (s IO) ErrStyle() Style { return Style{on: s.ErrTerminal && !s.NoColor} }

// Notef writes one line of progress.
func (s IO) Notef(format string, args ...any) {
	fmt.Fprintf(s.Err, format+"\n", args...)
}

// Warnf writes one warning.
func (s IO) Warnf(format string, args ...any) {
	fmt.Fprintln(s.Err, s.ErrStyle().Wait("Warning:"), fmt.Sprintf(format, args...))
}

// Confirm asks a yes/no question; everything but yes is no. The caller checks
// InTerminal first: elsewhere nobody can answer.
func (s IO) Confirm(question string) (bool, error) {
	fmt.Fprintf(s.Err, "%s [y/N] ", question)
	line, err := bufio.NewReader(s.In).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("read the answer: %w", err)
	}
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes", nil
}
