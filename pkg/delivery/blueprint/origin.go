package blueprint

import (
	"strconv"
	"strings"
)

// An Origin remembers where something was written, so that a mistake that is
// found later can be shown in the text of the user. The zero value is unknown.
type Origin struct {
	Object  string  // of another object: "Policy default/size"; "" is the Application
	Path    string  // such as spec.components[0].traits[1]
	Patches []Patch // what changed it since, in order
}

// A Patch is an override that changed properties.
type Patch struct {
	Object     string
	Path       string
	Properties map[string]any
}

// Property returns the place where the property was written: the last patch
// that sets it, or the original. property is a path such as "ports[0].port";
// "" means the properties as a whole.
func (o Origin) Property(property string) string {
	for i := len(o.Patches) - 1; i >= 0; i-- {
		if p := o.Patches[i]; property != "" && has(p.Properties, property) {
			return place(p.Object, p.Path, property)
		}
	}
	return place(o.Object, o.Path, property)
}

// String returns the place itself.
func (o Origin) String() string {
	if o.Object == "" || o.Path == "" {
		return o.Object + o.Path
	}
	return o.Object + ": " + o.Path
}

// Sub returns the origin of a field below o, such as "steps[1]", without the
// patches.
func (o Origin) Sub(field string) Origin {
	if o.Path != "" {
		field = o.Path + "." + field
	}
	return Origin{Object: o.Object, Path: field}
}

func place(object, path, property string) string {
	field := "properties"
	switch {
	case strings.HasPrefix(property, "["):
		field += property
	case property != "":
		field += "." + property
	}
	return Origin{Object: object, Path: path}.Sub(field).String()
}

// has reports whether v has a value at the path.
func has(v any, path string) bool {
	for path != "" {
		var key string
		key, path = next(path)
		switch t := v.(type) {
		case map[string]any:
			e, ok := t[key]
			if !ok {
				return false
			}
			v = e
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(t) {
				return false
			}
			v = t[i]
		default:
			return false
		}
	}
	return true
}

// next takes the first key off a path such as `a.b[0]["c.d"]`.
func next(path string) (key, rest string) {
	switch {
	case strings.HasPrefix(path, `["`):
		if end := strings.Index(path, `"]`); end > 0 {
			return path[2:end], strings.TrimPrefix(path[end+2:], ".")
		}
	case strings.HasPrefix(path, "["):
		if end := strings.IndexByte(path, ']'); end > 0 {
			return path[1:end], strings.TrimPrefix(path[end+1:], ".")
		}
	case strings.HasPrefix(path, `"`):
		if end := strings.IndexByte(path[1:], '"'); end > 0 {
			return path[1 : end+1], strings.TrimPrefix(path[end+2:], ".")
		}
	}
	if i := strings.IndexAny(path, ".["); i > 0 {
		return path[:i], strings.TrimPrefix(path[i:], ".")
	}
	return path, ""
}
