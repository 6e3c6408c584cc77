package source

import (
	"errors"
	"regexp"

	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// elsewhere matches a place in another object: "Policy default/size: spec.x".
var elsewhere = regexp.MustCompile(`^(\w+) ([^/\s]+)/([^:\s]+)(?:: (.*))?$`)

// leadingPath matches a message that begins with the field it is about, as
// fault.Message writes it, or says so of a step that failed.
var leadingPath = regexp.MustCompile(`^(?:step \S+ failed: )?((?:\w+ [^/\s]+/[^:\s]+: )?(?:spec|metadata|properties|steps)[\w.\[\]"/-]*): `)

// Locate adds FILE:LINE:COLUMN to each error in err that says which field it is
// about: of own, or of another object among all.
func Locate(own Document, all []Document, err error) error {
	list := fault.List(err)
	for i, e := range list {
		place := fault.Place(e)
		if place.Path == "" || place.File != "" {
			continue
		}
		if at := find(own, all, place.Path); at != "" {
			list[i] = fault.With(e, fault.In(at, 0))
		}
	}
	if len(list) == 1 {
		return list[0]
	}
	return errors.Join(list...)
}

// LocateText puts FILE:LINE:COLUMN in front of a message of the control plane
// that begins with a field of own or of another object among all.
func LocateText(own Document, all []Document, message string) string {
	if m := leadingPath.FindStringSubmatch(message); m != nil {
		if at := find(own, all, m[1]); at != "" {
			return at + ": " + message
		}
	}
	return message
}

// find returns the position of a path, "" when its object is in no document.
func find(own Document, all []Document, path string) string {
	m := elsewhere.FindStringSubmatch(path)
	if m == nil {
		return own.At(path)
	}
	for _, doc := range all {
		if doc.Object.GetKind() == m[1] && doc.Object.GetName() == m[3] {
			return doc.At(m[4])
		}
	}
	return ""
}
