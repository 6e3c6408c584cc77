package cue

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	cuelang "cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/ast/astutil"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
)

// Expr evaluates a CUE expression over the fields of the result: a path
// ("output.status.podIP"), an interpolation, a call of a standard package, with
// or without import lines before it. It is how `outputs.valueFrom` reads a step.
func (r *Result) Expr(expr string) (any, error) {
	x, err := parseExpr(expr)
	if err != nil {
		return nil, err
	}
	if err := r.evaluate(context.Background()); err != nil {
		return nil, err
	}
	var out any
	t := r.template
	gerr := t.guard(context.Background(), func() {
		v := r.cell.ctx.BuildExpr(x, cuelang.Scope(r.value), cuelang.InferBuiltins(true))
		out, err = decode(v, "", t.engine.limits.OutputBytes)
	})
	if gerr != nil {
		return nil, gerr
	}
	if err != nil {
		return nil, exprError(expr, err)
	}
	return out, nil
}

// exprError speaks of the expression instead of a path inside it.
func exprError(expr string, err error) error {
	out := make([]*Error, 0, 1)
	for _, e := range Errors(err) {
		c := *e
		c.Path, c.InParameter, c.DefinitionLine = "", false, 0
		c.Message = strconv.Quote(expr) + ": " + e.Error()
		out = append(out, &c)
	}
	return join(out)
}

// parseExpr reads an expression that may follow import declarations. Imports
// are dropped: packages of CUE's library are found by name.
func parseExpr(expr string) (ast.Expr, error) {
	if x, err := parser.ParseExpr("expression", expr); err == nil {
		return x, nil
	}
	f, err := parser.ParseFile("expression", expr)
	if err != nil {
		return nil, exprError(expr, textError(err))
	}
	names := map[string]string{}
	var x ast.Expr
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.ImportDecl:
			for _, s := range d.Specs {
				path, _ := strconv.Unquote(s.Path.Value)
				if !isBuiltin(path) {
					return nil, &Error{Kind: TemplateK, Message: strconv.Quote(expr) + ": cannot import " + strconv.Quote(path)}
				}
				names[importName(s)] = path
			}
		case *ast.EmbedDecl:
			x = d.Expr
		case *ast.CommentGroup:
		default:
			return nil, &Error{Kind: TemplateK, Message: strconv.Quote(expr) + ": is not an expression"}
		}
	}
	if x == nil {
		return nil, &Error{Kind: TemplateK, Message: strconv.Quote(expr) + ": is not an expression"}
	}
	return x, nil
}

// Bool evaluates an expression that must give a bool, such as the `if` of a
// workflow step, over the names in scope. The compiled expression is kept.
func (e *Engine) Bool(expr string, scope map[string]any) (bool, error) {
	v, err := e.Expr(expr, scope)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, &Error{Kind: WrongType, Message: strconv.Quote(expr) + ": expected a bool, got " + describe(v)}
	}
	return b, nil
}

// Expr evaluates an expression over the names in scope. The compiled
// expression is kept. Names that scope does not have are errors only where they
// are used.
func (e *Engine) Expr(expr string, scope map[string]any) (any, error) {
	text, err := exprText(expr)
	if err != nil {
		return nil, err
	}
	t, err := e.Compile(Source{Kind: "expression", Name: "expression", Text: text})
	if err != nil {
		return nil, exprError(expr, err)
	}
	args := make(map[string]any, len(t.facts.context))
	for _, name := range t.facts.context {
		if v, ok := scope[name]; ok {
			args[name] = v
		}
	}
	res, err := t.Eval(context.Background(), Input{Context: args})
	if err != nil {
		return nil, exprError(expr, err)
	}
	v, _, err := res.Lookup("result")
	if err != nil {
		return nil, exprError(expr, err)
	}
	return v, nil
}

// exprText writes an expression as a template: every free name becomes a field
// of context, every package of CUE's library that is used is imported.
func exprText(expr string) (string, error) {
	x, err := parseExpr(expr)
	if err != nil {
		return "", err
	}
	f := &ast.File{Decls: []ast.Decl{&ast.Field{Label: ast.NewIdent("result"), Value: x}}}
	var unresolved []*ast.Ident
	astutil.Resolve(f, func(token.Pos, string, ...any) {})
	unresolved = f.Unresolved
	free := map[*ast.Ident]bool{}
	for _, id := range unresolved {
		free[id] = !predeclared(id.Name)
	}
	imports := map[string]bool{}
	out := astutil.Apply(f, func(c astutil.Cursor) bool {
		if sel, ok := c.Node().(*ast.SelectorExpr); ok {
			id, ok := sel.X.(*ast.Ident)
			if !ok || !free[id] {
				return true
			}
			if path := builtinPath(id.Name); path != "" && isExported(sel.Sel) {
				free[id] = false
				imports[path] = true
			}
		}
		if id, ok := c.Node().(*ast.Ident); ok && free[id] {
			c.Replace(&ast.SelectorExpr{X: ast.NewIdent("context"), Sel: ast.NewIdent(id.Name)})
			return false
		}
		return true
	}, nil)
	b, err := format.Node(out)
	if err != nil {
		return "", exprError(expr, textError(err))
	}
	var head strings.Builder
	for _, path := range slices.Sorted(maps.Keys(imports)) {
		head.WriteString("import " + strconv.Quote(path) + "\n")
	}
	return head.String() + string(b), nil
}

func isExported(l ast.Label) bool {
	name, _, _ := ast.LabelName(l)
	return name != "" && name[0] >= 'A' && name[0] <= 'Z'
}

// builtinPath is the import path of a package of CUE's library by its name.
func builtinPath(name string) string {
	switch name {
	case "list", "math", "net", "path", "regexp", "strconv", "strings", "struct", "time", "html":
		return name
	case "json", "yaml", "base64", "hex", "csv":
		return "encoding/" + name
	case "md5", "sha1", "sha256", "sha512":
		return "crypto/" + name
	case "template":
		return "text/template"
	}
	return ""
}

func predeclared(name string) bool {
	switch strings.TrimPrefix(name, "__") {
	case "_", "string", "bytes", "bool", "int", "float", "number", "null", "true", "false", "len", "close", "and", "or", "div",
		"mod", "quo", "rem", "uint", "uint8", "uint16", "uint32", "uint64", "uint128", "int8", "int16", "int32",
		"int64", "int128", "float32", "float64", "rune", "error", "matchN", "matchIf", "self":
		return true
	}
	return false
}
