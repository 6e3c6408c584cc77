package definition

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// A Static is a fixed set of definitions, the same for every namespace. It is
// safe for concurrent use.
type Static struct {
	byRef map[Ref]func() (Definition, error)
}

// Of returns the set of the given wire objects. Of several with one name the
// first counts, as in a Chain.
func Of(objs ...runtime.Object) (*Static, error) {
	s := &Static{byRef: map[Ref]func() (Definition, error){}}
	for _, o := range objs {
		d, err := FromObject(o)
		if err != nil {
			return nil, err
		}
		d.Namespace = ""
		if _, taken := s.byRef[Ref{d.Kind, d.Name}]; !taken {
			s.byRef[Ref{d.Kind, d.Name}] = func() (Definition, error) { return d, nil }
		}
	}
	return s, nil
}

// FromFiles returns the definitions in a file, or in all YAML, JSON and CUE
// files of a folder and the folders in it. Objects of other kinds are
// skipped.
func FromFiles(path string) (*Static, error) {
	var objs []runtime.Object
	err := filepath.WalkDir(path, func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		found, err := readFile(file)
		if err != nil {
			return err
		}
		for _, o := range found {
			objs = append(objs, o)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return Of(objs...)
}

func readFile(file string) ([]client.Object, error) {
	switch ext := filepath.Ext(file); ext {
	case ".yaml", ".yml", ".json", ".cue":
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if ext != ".cue" {
			objs, err := ParseYAML(data)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			return objs, nil
		}
		obj, err := ParseCUE(file, string(data))
		if err != nil {
			return nil, err
		}
		return []client.Object{obj}, nil
	}
	return nil, nil
}

// Get returns the definition. A version fits when it is that of the definition
// or the beginning of it, or the v1 that the first revision of every definition
// has.
func (s *Static) Get(ctx context.Context, namespace string, ref Ref) (Definition, error) {
	load, ok := s.byRef[Ref{ref.Kind, ref.Base()}]
	if !ok {
		return Definition{}, s.missing(ctx, namespace, ref)
	}
	d, err := load()
	if err != nil {
		return Definition{}, err
	}
	v := strings.TrimPrefix(ref.Version(), "v")
	if v == "" {
		return d, nil
	}
	own := versionOf(d.Object)
	switch {
	case v == own, newest(ref.Base(), v, []string{revisionName(ref.Base(), own)}) != "":
		d.Revision = revisionName(ref.Base(), own)
	case v == "1":
		d.Revision = revisionName(ref.Base(), v)
	default:
		return Definition{}, s.missing(ctx, namespace, ref)
	}
	return d, nil
}

func (s *Static) missing(ctx context.Context, namespace string, ref Ref) error {
	names, err := s.Names(ctx, namespace, ref.Kind)
	if err != nil {
		return err
	}
	return missing(namespace, ref, names)
}

// Names lists the names of one kind, sorted.
func (s *Static) Names(_ context.Context, _ string, kind Kind) ([]string, error) {
	var names []string
	for ref := range s.byRef {
		if ref.Kind == kind {
			names = append(names, ref.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// All returns every definition, sorted by kind and name.
func (s *Static) All() ([]Definition, error) {
	out := make([]Definition, 0, len(s.byRef))
	for _, load := range s.byRef {
		d, err := load()
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Definition) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}
