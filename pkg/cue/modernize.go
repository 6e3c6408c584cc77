package cue

import "cuelang.org/go/cue/ast"

func modernize(f *ast.File) []Warning { return nil }
