package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	kjson "sigs.k8s.io/json"
)

// unknownField matches how the decoder reports a field that the type has not.
var unknownField = regexp.MustCompile(`^unknown field "(.+)"$`)

// Decode fills into, a pointer to a wire type, with the document. Fields that
// the type does not have are left out and returned as warnings with position
// and, where one is near, the name that was probably meant.
func (d Document) Decode(into any) (warnings []string, err error) {
	data, err := d.Object.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.At(""), err)
	}
	strict, err := kjson.UnmarshalStrict(data, into, kjson.DisallowUnknownFields)
	if err != nil {
		return nil, d.typeError(err)
	}
	for _, s := range strict {
		m := unknownField.FindStringSubmatch(s.Error())
		if m == nil {
			continue
		}
		warning := fmt.Sprintf("%s: %s has no field %s", d.At(m[1]), d.Object.GetKind(), m[1])
		if near := nearest(m[1], reflect.TypeOf(into)); near != "" {
			warning += fmt.Sprintf("; did you mean %q?", near)
		}
		warnings = append(warnings, warning)
	}
	slices.Sort(warnings)
	return warnings, nil
}

// typeError says what was expected at which line.
func (d Document) typeError(err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		// The decoder of sigs.k8s.io/json has its own copy of the type.
		m := typeMismatch.FindStringSubmatch(err.Error())
		if m == nil {
			return fmt.Errorf("%s: %w", d.At(""), err)
		}
		path := written(m[2])
		return fmt.Errorf("%s: %s must be %s, not %s", d.At(path), path, wanted(m[3]), given(m[1]))
	}
	path := written(wrong.Field)
	return fmt.Errorf("%s: %s must be %s, not %s", d.At(path), path, wanted(wrong.Type.String()), given(wrong.Value))
}

// written leaves the names of embedded Go structs out of a path: no file has
// them, and unlike them every field begins with a small letter.
func written(path string) string {
	return embedded.ReplaceAllString(path, "")
}

var embedded = regexp.MustCompile(`\b[A-Z]\w*\.`)

var typeMismatch = regexp.MustCompile(`cannot unmarshal (\S+) into Go struct field [^.]+\.(\S+) of type (\S+)`)

func wanted(goType string) string {
	goType = strings.TrimPrefix(goType, "*")
	switch {
	case goType == "string", strings.HasSuffix(goType, "Mode"), strings.HasSuffix(goType, "Type"), strings.HasSuffix(goType, "Phase"):
		return "text"
	case goType == "bool":
		return "true or false"
	case strings.HasPrefix(goType, "int"):
		return "a whole number"
	case strings.HasPrefix(goType, "[]"):
		return "a list"
	default:
		return "a map"
	}
}

func given(jsonKind string) string {
	switch jsonKind {
	case "object":
		return "a map"
	case "array":
		return "a list"
	case "string":
		return "text"
	case "bool":
		return "true or false"
	default:
		return "a " + jsonKind
	}
}

// nearest returns the field of the type around path whose name is closest to
// the last part of path, "" when none is close.
func nearest(path string, t reflect.Type) string {
	parts := steps(path)
	if len(parts) == 0 {
		return ""
	}
	for _, s := range parts[:len(parts)-1] {
		if t = inside(t, s); t == nil {
			return ""
		}
	}
	name, best, distance := parts[len(parts)-1].key, "", 3
	for _, candidate := range fieldsOf(deref(t)) {
		if d := edits(strings.ToLower(name), strings.ToLower(candidate.name)); d < distance && d < len(name) {
			best, distance = candidate.name, d
		}
	}
	return best
}

func inside(t reflect.Type, s step) reflect.Type {
	t = deref(t)
	if s.index >= 0 {
		if t.Kind() == reflect.Slice {
			return t.Elem()
		}
		return nil
	}
	for _, f := range fieldsOf(t) {
		if f.name == s.key {
			return f.typ
		}
	}
	return nil
}

func deref(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

type field struct {
	name string
	typ  reflect.Type
}

// fieldsOf lists the JSON fields of a struct, embedded ones included.
func fieldsOf(t reflect.Type) []field {
	if t.Kind() != reflect.Struct {
		return nil
	}
	var out []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case strings.Contains(options, "inline"):
			out = append(out, fieldsOf(deref(f.Type))...)
		case name != "" && name != "-":
			out = append(out, field{name, f.Type})
		}
	}
	return out
}

// edits is the number of single-letter changes between a and b.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		previous := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := previous
			if a[i] != b[j] {
				cost++
			}
			previous = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
