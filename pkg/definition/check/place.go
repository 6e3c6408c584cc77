package check

import (
	"strings"

	"cuelang.org/go/cue/ast"

	"github.com/seed-c5f95f19/vela/pkg/cue/text"
)

// place finds the field that a path such as output.spec.replicas names in a text:
// what contains itself has a path, but no place of its own. It returns that of the
// deepest field that is written down, or zeros.
func place(source, path string) (line, column int) {
	f, _, err := text.Parse("", source)
	if err != nil || path == "" {
		return 0, 0
	}
	decls := f.Decls
	for _, name := range strings.Split(path, ".") {
		found := field(decls, name)
		if found == nil {
			break
		}
		line, column = found.Pos().Line(), found.Pos().Column()
		s, ok := found.Value.(*ast.StructLit)
		if !ok {
			break
		}
		decls = s.Elts
	}
	return line, column
}

func field(decls []ast.Decl, name string) *ast.Field {
	for _, d := range decls {
		f, ok := d.(*ast.Field)
		if !ok {
			continue
		}
		if label, _, err := ast.LabelName(f.Label); err == nil && label == name {
			return f
		}
	}
	return nil
}
