package source

import (
	"errors"
	"regexp"

	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// Locate adds FILE:LINE:COLUMN to each error in err that says which field of
// the document it is about.
func (d Document) Locate(err error) error {
	list := fault.List(err)
	for i, e := range list {
		if path := fault.Place(e).Path; path != "" {
			list[i] = fault.With(e, fault.In(d.At(path), 0))
		}
	}
	if len(list) == 1 {
		return list[0]
	}
	return errors.Join(list...)
}

// leadingPath matches a message that begins with the field it is about, as
// fault.Message writes it.
var leadingPath = regexp.MustCompile(`^((?:spec|metadata)[\w.\[\]"/-]*): `)

// LocateText puts FILE:LINE:COLUMN in front of a message of the control plane
// that begins with a field of the document.
func (d Document) LocateText(message string) string {
	if m := leadingPath.FindStringSubmatch(message); m != nil {
		return d.At(m[1]) + ": " + message
	}
	return message
}
