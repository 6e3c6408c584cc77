// Package properties reads the properties of steps that are written in Go, and
// says what is wrong with them in the words of the person who wrote them.
package properties

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// Decode reads properties into a struct with JSON tags. An error is terminal:
// only an edit helps.
func Decode(properties map[string]any, into any) error {
	err := provider.Decode(properties, into)
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong) && wrong.Field != "":
		return Invalid("%s: expected %s, got %s", wrong.Field, word(wrong.Type), wrong.Value)
	}
	return Invalid("properties: %w", err)
}

// Invalid says that a property is wrong.
func Invalid(format string, args ...any) error {
	return fault.Invalid("InvalidProperties", fmt.Errorf(format, args...))
}

// word is the name of a type that does not need Go to be understood.
func word(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "bool"
	case reflect.Int, reflect.Int64:
		return "int"
	case reflect.Slice:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "an object"
	}
	return t.Kind().String()
}
