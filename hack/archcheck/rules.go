package main

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strings"
)

// Limits of docs/ARCHITECTURE.md, "Sizes": what is larger is to be split.
const (
	maxFunction  = 80
	maxFile      = 600
	maxPackage   = 3000
	maxInterface = 5
	maxExported  = 40
	maxCommand   = 150 // lines of a file below cmd
)

// names refuses package names that say nothing about what is inside.
func names(pkgs []*Package) []Breach {
	banned := []string{"util", "utils", "common", "helper", "helpers", "types", "base", "misc", "manager", "shared", "lib"}
	var out []Breach
	for _, p := range pkgs {
		last := path.Base(p.Path)
		if slices.Contains(banned, last) || slices.Contains(banned, p.Name) {
			out = append(out, Breach{
				Rule: "names", Subject: p.Path,
				Message: fmt.Sprintf("package name %q says nothing", last),
				Fix:     "name what it holds, or move its content to the one caller",
			})
		}
	}
	return out
}

// docs wants a comment on every package.
func docs(pkgs []*Package) []Breach {
	var out []Breach
	for _, p := range pkgs {
		if len(p.Files) > 0 && p.Doc == "" {
			out = append(out, Breach{
				Rule: "docs", Subject: p.Path,
				Message: "the package has no comment",
				Fix:     "say in the comment above `package` what it does, what it does not, and where it sits",
			})
		}
	}
	return out
}

// sizes measures what people wrote; generated files and tests are not counted.
func sizes(pkgs []*Package) []Breach {
	var out []Breach
	add := func(subject, what string, got, limit int, fix string) {
		if got > limit {
			out = append(out, Breach{Rule: "sizes", Subject: subject, Message: fmt.Sprintf("%s: %d, split at %d", what, got, limit), Fix: fix})
		}
	}
	for _, p := range pkgs {
		total, exported := 0, 0
		for _, f := range p.Files {
			total += f.Lines
			add(p.Path+"/"+f.Name, "lines of the file", f.Lines, maxFile, "split it by what a reader looks for")
			if inside(p.Path, "cmd") && !strings.Contains(p.Path, "/internal/") {
				add(p.Path+"/"+f.Name, "lines of a command's file", f.Lines, maxCommand, "commands only read flags: move the work into pkg")
			}
			for _, d := range f.AST.Decls {
				exported += exports(d)
				if fn, ok := d.(*ast.FuncDecl); ok {
					lines := f.Fset.Position(fn.End()).Line - f.Fset.Position(fn.Pos()).Line + 1
					add(p.Path+"."+funcName(fn), "lines of the function", lines, maxFunction, "extract what has a name")
				}
			}
			for name, n := range interfaces(f.AST) {
				add(p.Path+"."+name, "methods of the interface", n, maxInterface, "declare where it is used only what is used")
			}
		}
		add(p.Path, "lines of the package", total, maxPackage, "find the second noun in it and give it a folder")
		if p.Name != "main" {
			add(p.Path, "exported names", exported, maxExported, "unexport what only this package uses")
		}
	}
	return out
}

// exports counts the exported names of a declaration; methods do not count.
func exports(d ast.Decl) int {
	n := 0
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil && d.Name.IsExported() {
			n++
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() {
					n++
				}
			case *ast.ValueSpec:
				for _, name := range s.Names {
					if name.IsExported() {
						n++
					}
				}
			}
		}
	}
	return n
}

func funcName(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return fn.Name.Name
	}
	t := fn.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	switch generic := t.(type) {
	case *ast.IndexExpr:
		t = generic.X
	case *ast.IndexListExpr:
		t = generic.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name + "." + fn.Name.Name
	}
	return fn.Name.Name
}

// interfaces returns the number of methods of each named interface.
func interfaces(f *ast.File) map[string]int {
	out := map[string]int{}
	for _, d := range f.Decls {
		gen, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range gen.Specs {
			ts, ok := s.(*ast.TypeSpec)
			if !ok {
				continue
			}
			if i, ok := ts.Type.(*ast.InterfaceType); ok {
				out[ts.Name.Name] = i.Methods.NumFields()
			}
		}
	}
	return out
}

// shape finds constructs that the style guide rules out.
func shape(pkgs []*Package) []Breach {
	var out []Breach
	for _, p := range pkgs {
		for _, f := range p.Files {
			out = append(out, shapeOf(p, f)...)
		}
		for _, f := range p.Tests {
			for _, call := range calls(f.AST, "time", "Sleep") {
				out = append(out, Breach{
					Rule: "shape", Subject: p.Path + "/" + f.Name,
					Message: fmt.Sprintf("line %d: a test sleeps", f.Fset.Position(call.Pos()).Line),
					Fix:     "wait for the condition, or pass a clock in",
				})
			}
		}
	}
	return out
}

func shapeOf(p *Package, f File) []Breach {
	var out []Breach
	ast.Inspect(f.AST, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == "init" {
				out = append(out, Breach{
					Rule: "shape", Subject: p.Path + "/" + f.Name,
					Message: "there is an init function",
					Fix:     "list what is to be registered in one visible place and call it",
				})
			}
		case *ast.StructType:
			for _, field := range n.Fields.List {
				if selects(field.Type, "context", "Context") && !excused(field.Comment) {
					out = append(out, Breach{
						Rule: "shape", Subject: p.Path + "/" + f.Name,
						Message: fmt.Sprintf("line %d: a struct holds a context", f.Fset.Position(field.Pos()).Line),
						Fix:     "pass it as the first argument; a context that is a lifetime says so: //nolint:containedctx // why",
					})
				}
			}
		}
		return true
	})
	return out
}

// excused reports whether a comment at the end of a line gives a reason for a
// context in a struct.
func excused(c *ast.CommentGroup) bool {
	if c == nil {
		return false
	}
	_, reason, ok := strings.Cut(c.List[0].Text, "//nolint:containedctx // ")
	return ok && strings.TrimSpace(reason) != ""
}

func selects(e ast.Expr, pkg, name string) bool {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == pkg && sel.Sel.Name == name
}

func calls(f *ast.File, pkg, name string) []*ast.CallExpr {
	var out []*ast.CallExpr
	ast.Inspect(f, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && selects(call.Fun, pkg, name) {
			out = append(out, call)
		}
		return true
	})
	return out
}
