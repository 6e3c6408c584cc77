package text

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/ast/astutil"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/token"
)

// OfExpr writes an expression as a template with the field result: every free name becomes a field
// of context, every package of CUE's library that is used is imported.
func OfExpr(x ast.Expr) (string, error) {
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
		return "", err
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
