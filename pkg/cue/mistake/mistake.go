// Package mistake is what is wrong, said in the words of the person who made it:
// one value per mistake with its place, its kind and a sentence, and the way
// from the messages of the CUE library to them. Package cue hands them out under
// names of its own; nothing here evaluates anything.
package mistake

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Kind says what is wrong in one word that programs can branch on.
type Kind string

// Kinds of errors.
const (
	Missing    Kind = "missing"     // a value that must be given is not
	WrongType  Kind = "wrong type"  // a string where an int is wanted
	NotAllowed Kind = "not allowed" // right type, wrong value
	Unknown    Kind = "unknown"     // a property that the schema does not have
	Conflict   Kind = "conflict"    // two values for one field
	TemplateK  Kind = "template"    // the definition itself is wrong
	Limit      Kind = "limit"       // a cap or the evaluation budget is exceeded
	Provider   Kind = "provider"    // a provider call failed; Unwrap gives its error
	UserError  Kind = "errs"        // a message the definition itself reported
)

// An Error is one mistake, said in the words of the person who made it.
type Error struct {
	Kind Kind
	// Path is the property inside parameter ("ports[0].port") when InParameter,
	// otherwise the field of the template ("output.metadata.name").
	Path        string
	InParameter bool
	Want, Got   string
	// DefinitionLine is the line of the definition that asks for it, 0 if unknown.
	DefinitionLine int
	// DefinitionColumn is the column in that line, 0 if unknown. Error does not
	// show it: one line has few mistakes.
	DefinitionColumn int
	Message          string // a whole sentence without the path; made from the other fields when empty
	Err              error  // the cause when it is not the engine's
}

func (e *Error) Error() string {
	msg := e.Message
	if msg == "" {
		msg = e.sentence()
	}
	if e.Path != "" {
		msg = e.Path + ": " + msg
	}
	if e.DefinitionLine > 0 && !e.InParameter {
		msg += fmt.Sprintf(" (line %d of the definition)", e.DefinitionLine)
	}
	return msg
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func (e *Error) sentence() string {
	switch e.Kind {
	case Missing:
		if e.Want != "" {
			return "is required: expected " + e.Want
		}
		return "is required"
	case Unknown:
		if e.Want != "" {
			return "is not a known property; did you mean " + e.Want + "?"
		}
		return "is not a known property"
	}
	switch {
	case e.Want != "" && e.Got != "":
		return "expected " + e.Want + ", got " + e.Got
	case e.Want != "":
		return "expected " + e.Want
	case e.Err != nil:
		return e.Err.Error()
	}
	return string(e.Kind)
}

// Errors returns the single mistakes inside err, in the order in which they
// are shown. It returns nil when err holds none of this package.
func Errors(err error) []*Error {
	if err == nil {
		return nil
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		if m, ok := err.(interface{ Unwrap() []error }); ok {
			var out []*Error
			for _, e := range m.Unwrap() {
				out = append(out, Errors(e)...)
			}
			return out
		}
		if list := list(nil); errors.As(err, &list) {
			return list
		}
		return []*Error{e}
	}
	return nil
}

// list is several mistakes in stable order.
type list []*Error

func (l list) Error() string {
	lines := make([]string, len(l))
	for i, e := range l {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "; ")
}

func (l list) Unwrap() []error {
	out := make([]error, len(l))
	for i, e := range l {
		out[i] = e
	}
	return out
}

// Join makes one error of several: sorted and without doubles, nil for none.
// What the user gave comes before what the template says.
func Join(errs []*Error) error {
	sort.SliceStable(errs, func(i, j int) bool {
		a, b := errs[i], errs[j]
		if a.InParameter != b.InParameter {
			return a.InParameter
		}
		if a.Path != b.Path {
			return a.Path < b.Path
		}
		return a.Error() < b.Error()
	})
	var out list
	for _, e := range errs {
		if len(out) > 0 && out[len(out)-1].Error() == e.Error() {
			continue
		}
		out = append(out, e)
	}
	switch len(out) {
	case 0:
		return nil
	case 1:
		return out[0]
	}
	return out
}
