package all_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
)

// Every definition of KubeVela's packages is there with its fields, their types
// and their defaults, but for the differences that the file gives a reason for.
func TestSignatures(t *testing.T) {
	compilers := map[string][]provider.Schema{
		"definition": all.DefinitionSchemas(), "workflow": all.WorkflowSchemas(), "older": all.WorkflowSchemas(),
	}
	seen := 0
	for _, s := range readSignatures(t) {
		i := slices.IndexFunc(compilers[s.dialect], func(p provider.Schema) bool { return p.Path == s.path })
		if i < 0 {
			t.Errorf("there is no package %s for %ss", s.path, s.dialect)
			continue
		}
		seen++
		t.Run(s.dialect+"/"+s.path+"/"+s.name, func(t *testing.T) { s.check(t, declared(t, compilers[s.dialect][i].Text)) })
	}
	if seen < 130 {
		t.Errorf("%d definitions were compared, want the whole contract", seen)
	}
}

// A signature is one line of the file.
type signature struct {
	dialect, path, name, do, text string
	ours, why                     string
}

func readSignatures(t *testing.T) []signature {
	t.Helper()
	data, err := os.ReadFile("testdata/contract.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []signature
	dialect, path := "", ""
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "\t\tours: "):
			out[len(out)-1].ours = strings.TrimPrefix(line, "\t\tours: ")
		case strings.HasPrefix(line, "\t\twhy: "):
			out[len(out)-1].why = strings.TrimPrefix(line, "\t\twhy: ")
		case strings.HasPrefix(line, "\t"):
			head, text, _ := strings.Cut(strings.TrimPrefix(line, "\t"), ": ")
			name, do, _ := strings.Cut(head, " ")
			out = append(out, signature{dialect: dialect, path: path, name: name, do: do, text: text})
		default:
			dialect, path, _ = strings.Cut(line, " ")
		}
	}
	return out
}

func (s signature) check(t *testing.T, defs map[string]ast.Expr) {
	x := defs[s.name]
	if x == nil {
		t.Fatal("it is missing")
	}
	do, body := verb(x)
	if do != s.do {
		t.Errorf("#do is %q, want %q", do, s.do)
	}
	if s.text == "…" {
		return
	}
	want, got := canonical(t, s.text), show(body)
	if s.ours == "" {
		if got != want {
			t.Errorf("differs:\n got %s\nwant %s", got, want)
		}
		return
	}
	if s.why == "" || got == want || got != canonical(t, s.ours) {
		t.Errorf("is neither as KubeVela's nor the difference that has a reason (%q):\n got %s\nours %s\nwant %s", s.why, got, canonical(t, s.ours), want)
	}
}

// declared are the fields at the top of a text.
func declared(t *testing.T, text string) map[string]ast.Expr {
	t.Helper()
	f, err := parser.ParseFile("package", text)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]ast.Expr{}
	for _, d := range f.Decls {
		if field, ok := d.(*ast.Field); ok {
			if name, _, err := ast.LabelName(field.Label); err == nil {
				out[name] = field.Value
			}
		}
	}
	return out
}

// verb takes #do and #provider out of a definition.
func verb(x ast.Expr) (do string, rest ast.Expr) {
	s, ok := x.(*ast.StructLit)
	if !ok {
		return "", x
	}
	out := &ast.StructLit{}
	for _, e := range s.Elts {
		if f, ok := e.(*ast.Field); ok {
			switch name, _, _ := ast.LabelName(f.Label); name {
			case "#do":
				if lit, ok := f.Value.(*ast.BasicLit); ok {
					do, _ = strconv.Unquote(lit.Value)
				}
				continue
			case "#provider":
				continue
			}
		}
		out.Elts = append(out.Elts, e)
	}
	return do, out
}

func canonical(t *testing.T, text string) string {
	t.Helper()
	x, err := parser.ParseExpr("signature", text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return show(x)
}

// show writes an expression in one way: no comments, no attributes, fields in
// the order of their names.
func show(x ast.Node) string {
	switch x := x.(type) {
	case *ast.StructLit:
		var parts []string
		for _, e := range x.Elts {
			if _, ok := e.(*ast.CommentGroup); !ok {
				parts = append(parts, show(e))
			}
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	case *ast.Field:
		mark := map[bool]string{true: "?"}[x.Constraint.String() == "?"]
		return show(x.Label) + mark + ": " + show(x.Value)
	case *ast.ListLit:
		var parts []string
		for _, e := range x.Elts {
			parts = append(parts, show(e))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *ast.Ellipsis:
		if x.Type == nil {
			return "..."
		}
		return "..." + show(x.Type)
	case *ast.BinaryExpr:
		return show(x.X) + " " + x.Op.String() + " " + show(x.Y)
	case *ast.UnaryExpr:
		return x.Op.String() + show(x.X)
	case *ast.CallExpr:
		var args []string
		for _, a := range x.Args {
			args = append(args, show(a))
		}
		return show(x.Fun) + "(" + strings.Join(args, ", ") + ")"
	case *ast.Ident:
		return x.Name
	case *ast.BasicLit:
		return x.Value
	case *ast.BottomLit:
		return "_|_"
	}
	return fmt.Sprintf("%T", x)
}
