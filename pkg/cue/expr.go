package cue

import (
	"context"
	"strconv"

	cuelang "cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"

	"github.com/seed-c5f95f19/vela/pkg/cue/mistake"
	"github.com/seed-c5f95f19/vela/pkg/cue/text"
)

// Expr evaluates a CUE expression over the fields of the result: a path
// ("output.status.podIP"), an interpolation, a call of a standard package, with
// or without import lines before it. It is how `outputs.valueFrom` reads a step.
func (r *Result) Expr(expr string) (any, error) {
	x, err := parseExpr(expr)
	if err != nil {
		return nil, err
	}
	if err := r.evaluate(context.Background()); r.reading != nil {
		return r.reading.Expr(expr)
	} else if err != nil {
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
		c.Message = strconv.Quote(expr) + ": " + c.Error()
		out = append(out, &c)
	}
	return mistake.Join(out)
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
				if !text.IsBuiltin(path) {
					return nil, &Error{Kind: TemplateK, Message: strconv.Quote(expr) + ": cannot import " + strconv.Quote(path)}
				}
				names[text.ImportName(s)] = path
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
		return false, &Error{Kind: WrongType, Message: strconv.Quote(expr) + ": expected a bool, got " + mistake.Describe(v)}
	}
	return b, nil
}

// Expr evaluates an expression over the names in scope. The compiled
// expression is kept. Names that scope does not have are errors only where they
// are used.
func (e *Engine) Expr(expr string, scope map[string]any) (any, error) {
	x, err := parseExpr(expr)
	if err != nil {
		return nil, err
	}
	template, err := text.OfExpr(x)
	if err != nil {
		return nil, exprError(expr, textError(err))
	}
	t, err := e.Compile(Source{Kind: "expression", Name: "expression", Text: template})
	if err != nil {
		return nil, exprError(expr, err)
	}
	args := make(map[string]any, len(t.facts.Context))
	for _, name := range t.facts.Context {
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
