package cue

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"github.com/seed-c5f95f19/vela/pkg/cue/direct"
)

// facts are what the text alone says about a template.
type facts struct {
	parameter    bool
	calls        bool     // may contain provider calls
	context      []string // fields of context that are read, sorted
	wholeContext bool
	names        map[string]bool // the fields that may stand at the top
	anyName      bool            // … and others, whose names are computed
}

// parse reads the text and learns the facts. Cells parse it again: CUE keeps
// and changes the tree that it builds from.
func (t *Template) parse() error {
	f, warnings, err := parseTemplate(t.src, t.engine.limits)
	if err != nil {
		return err
	}
	t.warnings = warnings
	t.facts = learn(f)
	if t.facts.calls {
		t.order = orderOf(f)
	} else if !t.engine.plain {
		t.program = direct.Compile(f)
	}
	return nil
}

func parseTemplate(src Source, limits Limits) (*ast.File, []Warning, error) {
	// The template may refer to both without declaring them.
	text := src.Text + "\nparameter: _\ncontext: _\n"
	f, err := parser.ParseFile(src.Name, text, parser.ParseComments)
	if err != nil {
		if g, retry := parser.ParseFile(src.Name, quoteWords(text), parser.ParseComments); retry == nil {
			f, err = g, nil
		}
	}
	if err != nil {
		return nil, nil, firstOf(textError(err)) // the rest only follows from it
	}
	warnings := modernize(f)
	if err := refuseEndless(f); err != nil {
		return nil, nil, err
	}
	b := bounder{limit: limits.Repeat}
	return f, warnings, b.apply(f)
}

func learn(f *ast.File) facts {
	var x facts
	x.names = map[string]bool{}
	x.declared(f.Decls[:len(f.Decls)-2]) // without the two of parseTemplate
	x.parameter = x.names["parameter"]
	x.names["parameter"], x.names["context"] = true, true
	for spec := range f.ImportSpecs() {
		if path, err := strconv.Unquote(spec.Path.Value); err == nil && !isBuiltin(path) {
			x.calls = true
		}
	}
	reads := map[string]bool{}
	var visit func(ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if id, ok := n.X.(*ast.Ident); ok && id.Name == "context" {
				if name, _, err := ast.LabelName(n.Sel); err == nil {
					reads[name] = true
					return false
				}
			}
		case *ast.IndexExpr:
			if id, ok := n.X.(*ast.Ident); ok && id.Name == "context" {
				if lit, ok := n.Index.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if name, err := strconv.Unquote(lit.Value); err == nil {
						reads[name] = true
						return false
					}
				}
			}
		case *ast.Field:
			if name, isIdent, _ := ast.LabelName(n.Label); isIdent && name == "#do" {
				x.calls = true
			}
			if _, ok := n.Label.(*ast.Ident); ok {
				ast.Walk(n.Value, visit, nil)
				return false // a label named context reads nothing
			}
		case *ast.Ident:
			if n.Name == "context" {
				x.wholeContext = true
			}
		}
		return true
	}
	ast.Walk(f, visit, nil)
	for name := range reads {
		x.context = append(x.context, name)
	}
	sort.Strings(x.context)
	return x
}

// declared collects the names of the fields that declarations may give.
func (x *facts) declared(decls []ast.Decl) {
	for _, d := range decls {
		switch d := d.(type) {
		case *ast.Field:
			name, _, err := ast.LabelName(d.Label)
			if err != nil {
				x.anyName = true
				continue
			}
			x.names[name] = true
		case *ast.Comprehension:
			if body, ok := d.Value.(*ast.StructLit); ok {
				x.declared(body.Elts)
				continue
			}
			x.anyName = true
		case *ast.EmbedDecl:
			x.anyName = true
		}
	}
}

// isBuiltin says that the import path belongs to CUE's own library, whose
// packages the engine offers except those that reach outside.
func isBuiltin(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	switch first {
	case "base64", "crypto", "encoding", "html", "list", "math", "net", "path", "regexp",
		"strconv", "strings", "struct", "text", "time", "uuid":
		return true
	}
	return false
}

// compiled returns the cell, building it when it was dropped or is worn out.
func (t *Template) compiled() (*cell, error) {
	if c := t.cell.Load(); c != nil {
		return c, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.cell.Load(); c != nil {
		return c, nil
	}
	c, err := t.build()
	if err != nil {
		return nil, err
	}
	t.cell.Store(c)
	return c, nil
}

func (t *Template) build() (*cell, error) {
	f, _, err := parseTemplate(t.src, t.engine.limits)
	if err != nil {
		return nil, err
	}
	ctx := cuecontext.New()
	inst, err := t.engine.instance(f)
	if err != nil {
		return nil, err
	}
	if err := t.engine.undefined(f); err != nil {
		return nil, err
	}
	v := ctx.BuildInstance(inst)
	if err := v.Validate(); err != nil {
		if e := buildError(err); e != nil {
			return nil, e
		}
	}
	return &cell{ctx: ctx, value: v, bytes: int64(len(t.src.Text)+16<<10) * cellFactor}, nil
}

// instance prepares a file for building: imports resolve to the packages of
// the engine and to CUE's library, nothing else; unused ones are dropped.
func (e *Engine) instance(f *ast.File) (*build.Instance, error) {
	var unknown []*Error
	var bctx *build.Context
	var load build.LoadFunc
	load = func(pos token.Pos, path string) *build.Instance {
		if isBuiltin(path) {
			return nil
		}
		text, ok := e.packages[path]
		if !ok {
			unknown = append(unknown, &Error{Kind: TemplateK, DefinitionLine: line(pos),
				Message: "imports " + strconv.Quote(path) + ", which does not exist here"})
			return nil
		}
		inst := bctx.NewInstance(path, load)
		inst.PkgName = path[strings.LastIndex(path, "/")+1:]
		if err := inst.AddFile(path, text); err != nil {
			return inst
		}
		_ = inst.Complete() // kept in inst.Err
		return inst
	}
	bctx = build.NewContext()
	inst := bctx.NewInstance("", load)
	dropUnusedImports(f)
	if err := inst.AddSyntax(f); err != nil {
		return nil, textError(err)
	}
	err := inst.Complete()
	if len(unknown) > 0 {
		return nil, join(unknown)
	}
	if err != nil {
		return nil, textError(err)
	}
	return inst, nil
}

func dropUnusedImports(f *ast.File) {
	used := map[string]bool{}
	ast.Walk(f, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			used[id.Name] = true
		}
		_, isImport := n.(*ast.ImportDecl)
		return !isImport
	}, nil)
	var decls []ast.Decl
	for _, d := range f.Decls {
		imp, ok := d.(*ast.ImportDecl)
		if !ok {
			decls = append(decls, d)
			continue
		}
		imp.Specs = slices.DeleteFunc(imp.Specs, func(s *ast.ImportSpec) bool { return !used[importName(s)] })
		if len(imp.Specs) > 0 {
			decls = append(decls, d)
		}
	}
	f.Decls = decls
}

// importName is the identifier under which the file uses an import.
func importName(s *ast.ImportSpec) string {
	if s.Name != nil {
		return s.Name.Name
	}
	path, _ := strconv.Unquote(s.Path.Value)
	if _, after, ok := strings.Cut(path, ":"); ok {
		return after
	}
	return path[strings.LastIndex(path, "/")+1:]
}

// textError turns a syntax or build error into ours.
func textError(err error) error {
	if e := buildError(err); e != nil {
		return e
	}
	return &Error{Kind: TemplateK, Message: "does not compile"}
}

func firstOf(err error) error {
	if all := Errors(err); len(all) > 0 {
		return all[0]
	}
	return err
}

func buildError(err error) error {
	var out []*Error
	for _, e := range errors.Errors(err) {
		text, args := e.Msg()
		if len(args) > 0 {
			text = fmt.Sprintf(text, args...)
		}
		out = append(out, &Error{
			Kind:           TemplateK,
			Path:           joinPath(e.Path()),
			DefinitionLine: errorLine(e),
			Message:        plainText(text),
		})
	}
	return join(out)
}

// errorLine is the first line of the definition that an error is about.
func errorLine(e errors.Error) int {
	if l := line(e.Position()); l > 0 {
		return l
	}
	first := 0
	for _, p := range e.InputPositions() {
		if l := line(p); l > 0 && (first == 0 || l < first) {
			first = l
		}
	}
	return first
}

func line(pos token.Pos) int {
	if !pos.IsValid() {
		return 0
	}
	return pos.Line()
}
