package cue

import "github.com/seed-c5f95f19/vela/pkg/cue/mistake"

// An Error is one mistake, said in the words of the person who made it.
type Error = mistake.Error

// Kind says what is wrong in one word that programs can branch on.
type Kind = mistake.Kind

// Kinds of errors.
const (
	Missing    = mistake.Missing    // a value that must be given is not
	WrongType  = mistake.WrongType  // a string where an int is wanted
	NotAllowed = mistake.NotAllowed // right type, wrong value
	Unknown    = mistake.Unknown    // a property that the schema does not have
	Conflict   = mistake.Conflict   // two values for one field
	TemplateK  = mistake.TemplateK  // the definition itself is wrong
	Limit      = mistake.Limit      // a cap or the evaluation budget is exceeded
	Provider   = mistake.Provider   // a provider call failed; Unwrap gives its error
	UserError  = mistake.UserError  // a message the definition itself reported
)

// Errors returns the single mistakes inside err, in the order in which they
// are shown. It returns nil when err holds none of this package.
func Errors(err error) []*Error { return mistake.Errors(err) }

// Join makes one error of several, in the order in which they are shown.
func Join(errs []*Error) error { return mistake.Join(errs) }
