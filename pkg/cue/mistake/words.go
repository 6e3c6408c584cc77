package mistake

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	cuelang "cuelang.org/go/cue"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"

	"github.com/seed-c5f95f19/vela/pkg/cue/text"
)

// Describe names a Go value for a message, without showing long contents.
func Describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return fmt.Sprintf("bool %v", v)
	case string:
		if len(v) > 40 {
			return "a string of " + fmt.Sprint(len(v)) + " characters"
		}
		return fmt.Sprintf("string %q", v)
	case int64:
		return fmt.Sprintf("int %d", v)
	case float64:
		return fmt.Sprintf("number %v", v)
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	}
	return fmt.Sprintf("%T", v)
}

// JoinPath writes CUE's path segments the way people write them:
// ports[0].port, labels["a.b/c"].
func JoinPath(segments []string) string {
	path := ""
	for i := len(segments) - 1; i >= 0; i-- {
		if s := segments[i]; s != "" {
			path = Prefixed(Segment(strings.Trim(s, `"`)), path)
		}
	}
	return path
}

// Segment writes one step of a path.
func Segment(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	if _, err := strconv.Atoi(name); err == nil {
		return "[" + name + "]"
	}
	return "[" + strconv.Quote(name) + "]"
}

// Prefixed puts a step or a path before a path.
func Prefixed(step, path string) string {
	if path == "" || step == "" || path[0] == '[' {
		return step + path
	}
	return step + "." + path
}

var plainName = regexp.MustCompile(`^[A-Za-z_$#][A-Za-z0-9_$#-]*$`)

// Located puts errors that were found below path there, and says which of them
// are about the user's properties.
func Located(errs []*Error, path string) error {
	for _, e := range errs {
		e.Path = Prefixed(path, e.Path)
		if rest, ok := strings.CutPrefix(e.Path, "parameter"); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			e.Path, e.InParameter = strings.TrimPrefix(rest, "."), true
		}
	}
	return Join(errs)
}

// OfValue lists what is wrong with v; paths are relative to v.
func OfValue(v cuelang.Value) []*Error {
	err := v.Validate(cuelang.Concrete(true))
	if err == nil {
		err = v.Err()
	}
	if err == nil {
		return []*Error{{Kind: Missing, DefinitionLine: text.Line(v.Pos()), Message: "is not known"}}
	}
	var out []*Error
	own := v.Path().Selectors()
	for _, e := range errors.Errors(err) {
		out = append(out, valueError(e, relative(e.Path(), own), v))
	}
	return out
}

// relative is what the path of an error says beyond the value that it was
// found at. CUE gives either the full path or a part of it.
func relative(path []string, own []cuelang.Selector) string {
	if len(own) == 0 {
		return JoinPath(path)
	}
	last := own[len(own)-1].String()
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == last {
			return JoinPath(path[i+1:])
		}
	}
	return ""
}

func valueError(e errors.Error, path string, v cuelang.Value) *Error {
	format, args := e.Msg()
	message := format
	if len(args) > 0 {
		message = fmt.Sprintf(format, args...)
	}
	out := &Error{Path: path, DefinitionLine: errorLine(e), Kind: kindOf(message), Message: Plain(message)}
	if out.DefinitionLine == 0 {
		out.DefinitionLine = text.Line(v.Pos())
	}
	return out
}

// kindOf classifies a message of CUE, which has no codes for this.
func kindOf(text string) Kind {
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(text, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("incomplete value", "non-concrete", "undefined field", "required but not present"):
		return Missing
	case has("mismatched types"):
		return WrongType
	case has("conflicting values"):
		return Conflict
	case has("not allowed"):
		return Unknown
	case has("out of bound", "does not satisfy", "invalid value", "empty disjunction"):
		return NotAllowed
	}
	return TemplateK
}

// Plain says a message of CUE in plain words.
func Plain(s string) string {
	if m := twoValues.FindStringSubmatch(s); m != nil && !strings.Contains(s, "mismatched types") {
		a, b := min(m[1], m[2]), max(m[1], m[2]) // CUE gives them in any order
		return "is " + a + " in one place and " + b + " in another"
	}
	for _, r := range rephrase {
		s = r.from.ReplaceAllString(s, r.to)
	}
	return s
}

var twoValues = regexp.MustCompile(`^conflicting values (.*) and (.*)$`)

// rephrase lists CUE's wordings and ours.
var rephrase = []struct {
	from *regexp.Regexp
	to   string
}{
	{regexp.MustCompile(`^conflicting values (.*) and (.*) \(mismatched types (.*) and (.*)\)$`), `expected $3, got $4 $2`},
	{regexp.MustCompile(`^undefined field: (.*)$`), `refers to "$1", which does not exist`},
	{regexp.MustCompile(`^.*: undefined field: (.*)$`), `refers to "$1", which does not exist`},
	{regexp.MustCompile(`^reference "(.*)" not found$`), `refers to "$1", which does not exist`},
	{regexp.MustCompile(`^incomplete value (.*)$`), `has no value: expected $1`},
	{regexp.MustCompile(`^non-concrete value (.*) in operand.*$`), `is computed from a value that is not known ($1)`},
	{regexp.MustCompile(`^field is required but not present$`), `is required`},
	{regexp.MustCompile(`^field not allowed$`), `is not a known property`},
	{regexp.MustCompile(`^\d+ errors in empty disjunction:.*$`), `fits none of the allowed forms`},
	{regexp.MustCompile(`^invalid value (.*) \(out of bound (.*)\)$`), `expected $2, got $1`},
	{regexp.MustCompile(`^cycle with field: (.*)$`), `refers to itself by way of "$1"`},
	{regexp.MustCompile(`^structural cycle$`), `contains itself`},
	{regexp.MustCompile(`^invalid interpolation: (.*)$`), `cannot be written as text: $1`},
	{regexp.MustCompile(`^invalid operands (.*) and (.*) to '(.*)' \(type (.*) and (.*)\)$`), `cannot compute $1 $3 $2: $4 and $5 do not go together`},
	{regexp.MustCompile(`^invalid operand (.*) \('(.*)' requires concrete value\)$`), `is computed from a value that is not known ($1)`},
	{regexp.MustCompile(`^index out of range \[(.*)\] with length (.*)$`), `reads element $1 of a list of $2`},
	{regexp.MustCompile(`^cannot reference optional field: (.*)$`), `reads "$1", which was not given`},
	{regexp.MustCompile(`^explicit error \(_\|_ literal\) in source$`), `is refused by the definition`},
	{regexp.MustCompile(`^cannot call non-function (.*) \(type .*\)$`), `calls $1, which is no function`},
	{regexp.MustCompile(`#def: `), ``},
	{regexp.MustCompile(`_\|_`), `(error)`},
}

// OfCUE makes ours of an error of the CUE library.
func OfCUE(err error) error {
	var out []*Error
	for _, e := range errors.Errors(err) {
		message, args := e.Msg()
		if len(args) > 0 {
			message = fmt.Sprintf(message, args...)
		}
		at := errorPos(e)
		out = append(out, &Error{
			Kind:             TemplateK,
			Path:             JoinPath(e.Path()),
			DefinitionLine:   text.Line(at),
			DefinitionColumn: at.Column(),
			Message:          Plain(message),
		})
	}
	return Join(out)
}

// errorLine is the first line of the definition that an error is about.
func errorLine(e errors.Error) int { return text.Line(errorPos(e)) }

// errorPos is the first place of the definition that an error is about.
func errorPos(e errors.Error) token.Pos {
	if p := e.Position(); text.Line(p) > 0 {
		return p
	}
	first := token.NoPos
	for _, p := range e.InputPositions() {
		if l := text.Line(p); l > 0 && (text.Line(first) == 0 || l < text.Line(first)) {
			first = p
		}
	}
	return first
}
