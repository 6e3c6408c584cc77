package cue

// An UnknownField is a property that the schema of a definition does not
// declare. KubeVela accepts such properties and ignores them; we warn.
type UnknownField struct {
	Path       string // inside parameter, such as "ports[0].prot"
	Suggestion string // the property that was probably meant, may be empty
}

// Unknown lists the given properties that the template does not declare.
func (t *Template) Unknown(parameter any) []UnknownField { return nil }
