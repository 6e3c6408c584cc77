package text

import (
	"slices"
	"strconv"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
)

// listArithmetic writes `a + b` as list.Concat([a, b]) and `a * n` as
// list.Repeat(a, n).
func (m *modernizer) listArithmetic(n *ast.BinaryExpr) ast.Expr {
	m.usesList = true
	call := func(fn string, args ...ast.Expr) *ast.CallExpr {
		return ast.NewCall(&ast.SelectorExpr{X: ast.NewIdent(m.listName), Sel: ast.NewIdent(fn)}, args...)
	}
	var out *ast.CallExpr
	var why string
	if n.Op == token.ADD {
		why = "lists are joined with list.Concat"
		out = call("Concat", ast.NewList(append(m.operands(n.X), m.operands(n.Y)...)...))
		// The inner sums of a chain were rewritten first; one warning is enough.
		m.warnings = slices.DeleteFunc(m.warnings, func(w Warning) bool { return w.Line == Line(n.OpPos) && w.Message == why })
	} else {
		why = "lists are repeated with list.Repeat"
		x, y := n.X, n.Y
		if !m.isList(x, 0) {
			x, y = y, x
		}
		ast.SetRelPos(x, token.NoSpace)
		out = call("Repeat", x, y)
	}
	m.warn(n.OpPos, why, oneLine(out))
	return out
}

// operands flattens what is a Concat of an inner sum already.
func (m *modernizer) operands(x ast.Expr) []ast.Expr {
	call, ok := x.(*ast.CallExpr)
	if ok && len(call.Args) == 1 {
		sel, isSel := call.Fun.(*ast.SelectorExpr)
		lit, isLit := call.Args[0].(*ast.ListLit)
		if isSel && isLit && isIdent(sel.X, m.listName) && isIdent(sel.Sel, "Concat") {
			return lit.Elts
		}
	}
	return []ast.Expr{x}
}

func isIdent(n ast.Node, name string) bool {
	id, ok := n.(*ast.Ident)
	return ok && id.Name == name
}

// nameForList is the name under which the file can use the package list: a
// template may have a field of that name.
func (m *modernizer) nameForList(f *ast.File) string {
	for spec := range f.ImportSpecs() {
		if path, _ := strconv.Unquote(spec.Path.Value); path == "list" {
			m.imported = true
			return ImportName(spec)
		}
	}
	taken := map[string]bool{}
	ast.Walk(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			if name, _, err := ast.LabelName(n.Label); err == nil {
				taken[name] = true
			}
		case *ast.Ident:
			taken[n.Name] = true
		}
		return true
	}, nil)
	name := "list"
	for taken[name] {
		name += "_"
	}
	return name
}

func (m *modernizer) importList(f *ast.File) {
	if m.imported {
		return
	}
	spec := ast.NewImport(nil, "list")
	if m.listName != "list" {
		spec.Name = ast.NewIdent(m.listName)
	}
	decl := &ast.ImportDecl{Specs: []*ast.ImportSpec{spec}}
	at := 0
	for i, d := range f.Decls {
		switch d.(type) {
		case *ast.Package, *ast.ImportDecl:
			at = i + 1
		}
	}
	f.Decls = slices.Insert(f.Decls, at, ast.Decl(decl))
}

// isList says that an expression of the text gives a list, as far as the text
// alone tells.
func (m *modernizer) isList(x ast.Node, depth int) bool {
	if depth > 20 || x == nil {
		return false
	}
	switch x := x.(type) {
	case *ast.ListLit:
		return true
	case *ast.ParenExpr:
		return m.isList(x.X, depth+1)
	case *ast.UnaryExpr: // the mark of a default
		return x.Op == token.MUL && m.isList(x.X, depth+1)
	case *ast.BinaryExpr:
		switch x.Op {
		case token.ADD, token.MUL, token.OR, token.AND:
			return m.isList(x.X, depth+1) || m.isList(x.Y, depth+1)
		}
	case *ast.CallExpr:
		return givesList(x)
	case *ast.Ident, *ast.SelectorExpr:
		for _, def := range m.definitionsOf(x, depth+1) {
			if m.isList(def, depth+1) {
				return true
			}
		}
	}
	return false
}

// givesList knows the functions of CUE's library that return lists.
func givesList(c *ast.CallExpr) bool {
	sel, ok := c.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, _ := sel.X.(*ast.Ident)
	name, _, _ := ast.LabelName(sel.Sel)
	if pkg == nil {
		return false
	}
	switch pkg.Name {
	case "list", "list_":
		switch name {
		case "Concat", "Repeat", "FlattenN", "Slice", "Drop", "Take", "Range", "Sort", "SortStable", "SortStrings", "Reverse":
			return true
		}
	case "strings":
		return name == "Split" || name == "SplitN" || name == "Fields" || name == "SplitAfter"
	}
	return false
}

// definitionsOf finds the values that the text gives to the field a name or
// selector refers to.
func (m *modernizer) definitionsOf(x ast.Node, depth int) []ast.Node {
	if depth > 20 {
		return nil
	}
	switch x := x.(type) {
	case *ast.Ident:
		if top := m.top[x.Name]; len(top) > 0 && (x.Node == nil || slices.Contains(top, x.Node)) {
			return top // every declaration counts, CUE resolves to one of them
		}
		switch n := x.Node.(type) {
		case *ast.Field:
			return []ast.Node{n.Value}
		case *ast.LetClause:
			return []ast.Node{n.Expr}
		case ast.Expr:
			return []ast.Node{n}
		}
	case *ast.SelectorExpr:
		name, _, err := ast.LabelName(x.Sel)
		if err != nil {
			return nil
		}
		var out []ast.Node
		for _, def := range m.definitionsOf(x.X, depth+1) {
			out = append(out, m.fieldsNamed(def, name, depth+1)...)
		}
		return out
	}
	return nil
}

// fieldsNamed finds the values of a field in a struct of the text.
func (m *modernizer) fieldsNamed(x ast.Node, name string, depth int) []ast.Node {
	if depth > 20 {
		return nil
	}
	switch x := x.(type) {
	case *ast.StructLit:
		var out []ast.Node
		for _, d := range x.Elts {
			switch d := d.(type) {
			case *ast.Field:
				if n, _, err := ast.LabelName(d.Label); err == nil && n == name {
					out = append(out, d.Value)
				}
			case *ast.EmbedDecl:
				out = append(out, m.fieldsNamed(d.Expr, name, depth+1)...)
			case *ast.Comprehension:
				out = append(out, m.fieldsNamed(d.Value, name, depth+1)...)
			}
		}
		return out
	case *ast.BinaryExpr:
		return append(m.fieldsNamed(x.X, name, depth+1), m.fieldsNamed(x.Y, name, depth+1)...)
	case *ast.ParenExpr:
		return m.fieldsNamed(x.X, name, depth+1)
	case *ast.Ident, *ast.SelectorExpr:
		var out []ast.Node
		for _, def := range m.definitionsOf(x, depth+1) {
			out = append(out, m.fieldsNamed(def, name, depth+1)...)
		}
		return out
	}
	return nil
}
