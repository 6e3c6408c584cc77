package console_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

func TestExit(t *testing.T) {
	cases := map[string]struct {
		err      error
		wantCode int
		wantText string
	}{
		"nothing went wrong": {nil, 0, ""},
		"a plain error":      {errors.New("no"), 1, "Error: no\n"},
		"a wrong command line": {
			fmt.Errorf("outer: %w", console.Usagef("no flag %q", "x")), 2, "Error: outer: no flag \"x\"\n",
		},
		"a hint comes below": {console.Hint(errors.New("no"), "try this", "or that"), 1, "Error: no\n  → try this\n  → or that\n"},
		"each of several mistakes, with its place": {
			errors.Join(
				fault.Invalid("X", errors.New("bad"), fault.At("spec.a"), fault.In("app.yaml:3:1", 0)),
				console.Hint(errors.New("worse"), "sit down"),
			), 1, "Error: app.yaml:3:1: spec.a: bad\nError: worse\n  → sit down\n",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			code := console.Plain(nil, nil, &out, time.Time{}).Exit(tc.err)
			if code != tc.wantCode || out.String() != tc.wantText {
				t.Errorf("Exit() = %d, %q; want %d, %q", code, out.String(), tc.wantCode, tc.wantText)
			}
		})
	}
}

func TestAge(t *testing.T) {
	cases := map[time.Duration]string{
		-time.Second: "0s", 0: "0s", 340 * time.Millisecond: "340ms", 59 * time.Second: "59s", 100 * time.Second: "100s",
		200 * time.Second: "3m20s", 90 * time.Minute: "90m", 5 * time.Hour: "5h", 72 * time.Hour: "3d",
	}
	for d, want := range cases {
		if got := console.Age(d); got != want {
			t.Errorf("Age(%s) = %s, want %s", d, got, want)
		}
	}
}

// Without a terminal only news is written, one line each; on one the block is
// drawn over.
func TestLive(t *testing.T) {
	var out bytes.Buffer
	plain := console.Plain(nil, nil, &out, time.Time{})
	live := console.NewLive(plain)
	first := []console.Line{{Key: "a", Text: "  a runs", Detail: "1s"}}
	live.Update(first)
	live.Update([]console.Line{{Key: "a", Text: "  a runs", Detail: "2s"}, {Key: "b", Text: "b runs"}})
	if want := "   0s  a runs\n   0s  b runs\n"; out.String() != want {
		t.Errorf("without a terminal = %q, want %q", out.String(), want)
	}

	out.Reset()
	terminal := plain
	terminal.ErrTerminal, terminal.Width = true, func() int { return 10 }
	live = console.NewLive(terminal)
	live.Update(first)
	live.Update(first)
	live.Done(true)
	if got := strings.Count(out.String(), "a runs"); got != 2 || !strings.Contains(out.String(), "\x1b[1A") {
		t.Errorf("on a terminal = %q, want the line drawn twice in one place", out.String())
	}
}

func TestTableAlignsPaintedCells(t *testing.T) {
	var out bytes.Buffer
	io := console.Plain(nil, &out, nil, time.Time{})
	io.OutTerminal = true
	table := console.Table{Header: []string{"A", "B"}}
	table.Add(io.OutStyle().Good("yes"), "x")
	table.Add("no", "y")
	table.Print(io.Out)
	if want := "A     B\n\x1b[32myes\x1b[0m   x\nno    y\n"; out.String() != want {
		t.Errorf("Print() = %q, want %q", out.String(), want)
	}
	io.NoColor = true
	if got := io.OutStyle().Bad("x"); got != "x" {
		t.Errorf("with NO_COLOR = %q, want no paint", got)
	}
}
