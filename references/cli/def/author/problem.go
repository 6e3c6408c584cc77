package author

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-c5f95f19/vela/pkg/cue"
)

// A Problem is one thing that is wrong in a file.
type Problem struct {
	File      string
	Line, Col int // from 1; 0 when unknown
	Message   string
	Warning   bool // it works, but is probably not meant
	Tried     bool // it shows with made-up properties; with those of users it may not
}

// Error returns FILE:LINE:COL and what is wrong there.
func (p Problem) Error() string {
	at := p.File
	if p.Line > 0 {
		at += fmt.Sprintf(":%d", p.Line)
		if p.Col > 0 {
			at += fmt.Sprintf(":%d", p.Col)
		}
	}
	if p.Warning {
		return at + ": warning: " + p.Message
	}
	return at + ": " + p.Message
}

// Join returns the problems that are no warnings as one error, nil when there
// are none.
func Join(problems []Problem) error {
	var errs []error
	for _, p := range problems {
		if !p.Warning {
			errs = append(errs, p)
		}
	}
	return errors.Join(errs...)
}

// ordered sorts problems by place and drops what was said before.
func ordered(problems []Problem) []Problem {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col), cmp.Compare(a.Message, b.Message))
	})
	var out []Problem
	for _, p := range problems {
		same := func(q Problem) bool { return q.File == p.File && q.Line == p.Line && q.Message == p.Message }
		if i := slices.IndexFunc(out, same); i >= 0 {
			out[i].Warning = out[i].Warning && p.Warning
			continue
		}
		out = append(out, p)
	}
	return out
}

// placed matches a message that begins with its place: a.cue:3:5: what.
var placed = regexp.MustCompile(`^(.*):(\d+):(\d+): (.*)$`)

// syntax takes the report of a file that cannot be read apart, a line for each
// mistake.
func syntax(file, text string, err error) []Problem {
	var out []Problem
	for line := range strings.Lines(err.Error()) {
		line = strings.TrimSpace(line)
		if m := placed.FindStringSubmatch(line); m != nil {
			out = append(out, Problem{File: file, Line: atoi(m[2]), Col: atoi(m[3]), Message: m[4]})
		} else if line = strings.TrimPrefix(line, file+": "); line != "" {
			out = append(out, Problem{File: file, Message: line})
		}
	}
	for i, p := range out {
		if p.Line == 0 {
			out[i].Line, out[i].Col = mentioned(text, p.Message)
		}
	}
	return ordered(out)
}

// quoted matches what a message takes from the file.
var quoted = regexp.MustCompile(`"([^"]+)"`)

// mentioned finds what a message quotes in the text that it is about.
func mentioned(text, message string) (line, col int) {
	m := quoted.FindStringSubmatch(message)
	if m == nil {
		return 0, 0
	}
	for i, l := range strings.Split(text, "\n") {
		if at := strings.Index(l, m[1]); at >= 0 && !strings.HasPrefix(strings.TrimSpace(l), "//") {
			return i + 1, at + 1
		}
	}
	return 0, 0
}

// problems are the mistakes in err, which a text of the definition has.
func (d Definition) problems(text string, err error, warning bool) []Problem {
	var out []Problem
	for _, e := range distinct(cue.Errors(err)) {
		said := *e
		said.DefinitionLine = 0 // the place says it
		path := strings.TrimSuffix(e.Path, "]")
		p := d.place(text, e.DefinitionLine, e.DefinitionColumn, path[strings.LastIndexAny(path, ".[")+1:])
		p.Message, p.Warning = said.Error(), warning
		if e.InParameter {
			p.Message = "parameter " + p.Message
		}
		out = append(out, p)
	}
	if len(out) == 0 && err != nil {
		p := d.place(text, 0, 0, "")
		p.Message, p.Warning = err.Error(), warning
		out = append(out, p)
	}
	return out
}

// distinct keeps one mistake for each field: CUE says the same of every branch
// that it has tried. Those that have a place come first.
func distinct(errs []*cue.Error) []*cue.Error {
	var out []*cue.Error
	for _, placed := range []bool{true, false} {
		for _, e := range errs {
			same := func(o *cue.Error) bool {
				return o.Path == e.Path && (o.DefinitionLine == e.DefinitionLine || !placed)
			}
			if e.DefinitionLine > 0 == placed && (e.Path == "" || !slices.ContainsFunc(out, same)) {
				out = append(out, e)
			}
		}
	}
	return out
}

// column finds a field in a line, or else where the line begins.
func column(line, name string) int {
	if name != "" {
		field := regexp.MustCompile(`(^|[^\w"])("?` + regexp.QuoteMeta(name) + `"?)[?!]?\s*:`)
		if at := field.FindStringSubmatchIndex(line); at != nil {
			return at[4] + 1
		}
	}
	return len(line) - len(strings.TrimLeft(line, " \t")) + 1
}

// atoi reads a number that a pattern has matched.
func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0 // too large to be a line
	}
	return n
}
