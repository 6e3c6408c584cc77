package console

import (
	"fmt"
	"strings"
	"time"
)

// A Line is one part of a progress display. Text that differs from the last
// Text of the same Key is news; Detail (a running time, for example) is not.
type Line struct {
	Key    string
	Text   string
	Detail string
}

// Live shows progress on standard error: on a terminal one block of lines
// that is drawn over and over, elsewhere a line for each piece of news. It is
// not safe for concurrent use.
type Live struct {
	io    IO
	start time.Time
	drawn int
	seen  map[string]string
}

// NewLive starts a display.
func NewLive(io IO) *Live {
	return &Live{io: io, start: io.Now(), seen: map[string]string{}}
}

// Redraws reports whether calling Update with nothing new is of use, because
// the display is on a terminal and shows running times.
func (l *Live) Redraws() bool { return l.io.ErrTerminal }

// Update shows lines.
func (l *Live) Update(lines []Line) {
	if l.io.ErrTerminal {
		l.redraw(lines)
		return
	}
	for _, line := range lines {
		if l.seen[line.Key] == line.Text {
			continue
		}
		l.seen[line.Key] = line.Text
		fmt.Fprintf(l.io.Err, "%5s  %s\n", Age(l.io.Now().Sub(l.start)), strings.TrimSpace(line.Text))
	}
}

// Done ends the display. On a terminal the block goes away when replaced says
// that something better follows on the same screen; elsewhere it stays.
func (l *Live) Done(replaced bool) {
	if replaced && l.drawn > 0 {
		fmt.Fprintf(l.io.Err, "\x1b[%dA\r\x1b[J", l.drawn)
	}
	l.drawn = 0
}

func (l *Live) redraw(lines []Line) {
	var out strings.Builder
	if l.drawn > 0 {
		fmt.Fprintf(&out, "\x1b[%dA", l.drawn)
	}
	columns := l.io.Width()
	for _, line := range lines {
		text := line.Text
		if line.Detail != "" {
			text += "  " + l.io.ErrStyle().Dim(line.Detail)
		}
		fmt.Fprintf(&out, "\r\x1b[K%s\n", clip(text, columns))
	}
	out.WriteString("\x1b[J")
	fmt.Fprint(l.io.Err, out.String())
	l.drawn = len(lines)
}
