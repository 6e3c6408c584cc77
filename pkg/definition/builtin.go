package definition

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"sync"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

//go:generate go run ../../hack/gendefs -o ../../charts/vela-core/definitions

// builtin holds one folder per definition: builtin/<kind>/<name>/<name>.cue.
// Those under builtin/registry are offered, but not installed.
//
//go:embed builtin/*/*/*.cue builtin/registry/*/*/*.cue
var builtin embed.FS

// Where the texts are.
const (
	installed = "builtin/*/*/*.cue"
	registry  = "builtin/registry/*/*/*.cue"
)

// kindOf names what a folder of built-in definitions holds.
func kindOf(folder string) Kind {
	if folder == "workflowstep" {
		return WorkflowStep
	}
	return Kind(folder)
}

// Builtin returns the definitions that come with the program. Each is parsed
// when it is asked for first, so make one set and share it.
func Builtin() (*Static, error) { return embedded(installed) }

// Registry returns the definitions that come with the program without being
// installed: `vela trait get` and `vela comp get` bring them into a cluster.
// Some are called like a built-in one and replace it.
func Registry() (*Static, error) { return embedded(registry) }

func embedded(pattern string) (*Static, error) {
	files, err := fs.Glob(builtin, pattern) // sorted
	if err != nil {
		return nil, err
	}
	s := &Static{byRef: map[Ref]func() (Definition, error){}}
	for _, file := range files {
		dir := path.Dir(file)
		ref := Ref{Kind: kindOf(path.Base(path.Dir(dir))), Name: path.Base(dir)}
		s.byRef[ref] = sync.OnceValues(func() (Definition, error) {
			obj, err := builtinObject(file)
			if err != nil {
				return Definition{}, err
			}
			d, err := FromObject(obj)
			d.Namespace = ""
			return d, err
		})
	}
	return s, nil
}

// BuiltinObjects returns the wire objects of the built-in definitions, in the
// namespace for all, as an installation applies them. They belong to the
// caller.
func BuiltinObjects() []client.Object {
	var objs []client.Object
	files, err := fs.Glob(builtin, installed)
	for _, file := range files {
		var obj client.Object
		if obj, err = builtinObject(file); err != nil {
			break
		}
		objs = append(objs, obj)
	}
	if err != nil {
		panic(err) // the texts are in the binary, and the tests of this package parse them all
	}
	return objs
}

func builtinObject(file string) (client.Object, error) {
	text, err := builtin.ReadFile(file)
	if err != nil {
		return nil, err
	}
	obj, err := ParseCUE(file, string(text))
	if err != nil {
		return nil, fmt.Errorf("built-in definition: %w", err)
	}
	obj.SetNamespace(SystemNamespace)
	return obj, nil
}
