package definition

import (
	"embed"
	"fmt"
	"io/fs"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

//go:generate go run ../../hack/gendefs -o ../../charts/vela-core/definitions

// builtin holds one folder per definition: builtin/<kind>/<name>/<name>.cue.
//
//go:embed builtin/*/*/*.cue
var builtin embed.FS

// Builtin returns the definitions that come with the program. Parsing them
// takes a while: make one and share it.
func Builtin() (*Static, error) {
	objs, err := builtinObjects()
	if err != nil {
		return nil, err
	}
	all := make([]runtime.Object, len(objs))
	for i, o := range objs {
		all[i] = o
	}
	return Of(all...)
}

// BuiltinObjects returns the wire objects of the built-in definitions, in the
// namespace for all, as an installation applies them. They belong to the
// caller.
func BuiltinObjects() []client.Object {
	objs, err := builtinObjects()
	if err != nil {
		panic(err) // the texts are in the binary, and the tests of this package parse them all
	}
	return objs
}

func builtinObjects() ([]client.Object, error) {
	files, err := fs.Glob(builtin, "builtin/*/*/*.cue") // sorted
	if err != nil {
		return nil, err
	}
	objs := make([]client.Object, 0, len(files))
	for _, file := range files {
		text, err := builtin.ReadFile(file)
		if err != nil {
			return nil, err
		}
		obj, err := ParseCUE(file, string(text))
		if err != nil {
			return nil, fmt.Errorf("built-in definition: %w", err)
		}
		obj.SetNamespace(SystemNamespace)
		objs = append(objs, obj)
	}
	return objs, nil
}
