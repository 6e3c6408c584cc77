package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Package is what the rules look at.
type Package struct {
	Path    string   // import path inside the module, "." for its root
	Name    string   // package name
	Doc     string   // first sentence of the package comment
	Imports []string // imports of the non-test files; those of this repository without its prefix
	Files   []File
	Tests   []File
}

// A File is one parsed source file that a person wrote.
type File struct {
	Name  string
	Lines int
	AST   *ast.File
	Fset  *token.FileSet
}

// repository is the prefix of the import paths of both modules.
const repository = "github.com/seed-c5f95f19/vela/"

// listed is the part of `go list -json` that is used.
type listed struct {
	Dir          string
	ImportPath   string
	Name         string
	Doc          string
	Imports      []string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
}

// load lists and parses the packages of the module in dir.
func load(dir string) ([]*Package, error) {
	cmd := exec.Command("go", "list", "-e", "-json=Dir,ImportPath,Name,Doc,Imports,GoFiles,TestGoFiles,XTestGoFiles", "./...")
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	data, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list in %s: %w", dir, err)
	}
	var out []*Package
	for decoder := json.NewDecoder(bytes.NewReader(data)); ; {
		var l listed
		err := decoder.Decode(&l)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read go list: %w", err)
		}
		p, err := parse(l)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
}

func parse(l listed) (*Package, error) {
	p := &Package{Path: strings.TrimPrefix(l.ImportPath+"/", repository), Name: l.Name, Doc: l.Doc}
	p.Path = strings.TrimSuffix(p.Path, "/")
	if p.Path == "" {
		p.Path = "."
	}
	for _, i := range l.Imports {
		p.Imports = append(p.Imports, strings.TrimPrefix(i, repository))
	}
	var err error
	if p.Files, err = parseFiles(l.Dir, l.GoFiles); err != nil {
		return nil, err
	}
	p.Tests, err = parseFiles(l.Dir, append(l.TestGoFiles, l.XTestGoFiles...))
	return p, err
}

func parseFiles(dir string, names []string) ([]File, error) {
	var out []File
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, data, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", filepath.Join(dir, name), err)
		}
		if ast.IsGenerated(f) {
			continue
		}
		out = append(out, File{Name: name, Lines: bytes.Count(data, []byte("\n")), AST: f, Fset: fset})
	}
	return out, nil
}
