package definition_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
	"github.com/google/go-cmp/cmp"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
)

// Files of users name parameters and rely on their types and defaults. What
// KubeVela 1.11 takes is in testdata/signatures.txt, one block per definition:
// its attributes behind its name, then one line per parameter. A … stands for
// everything below. Where ours differs on purpose a comment says so.
func TestSignatures(t *testing.T) {
	data, err := os.ReadFile("testdata/signatures.txt")
	if err != nil {
		t.Fatal(err)
	}
	ours := map[string][]string{}
	add := func(prefix string, s *definition.Static) {
		for _, d := range must(s.All())(t) {
			name := prefix + string(d.Kind) + " " + d.Name
			head := strings.Join(append([]string{name}, attributes(d)...), " ")
			ours[name] = append([]string{head}, signature(t, d.Template)...)
		}
	}
	add("", must(definition.Builtin())(t))
	add("registry-", must(definition.Registry())(t))
	for _, block := range strings.Split(strings.TrimSpace(string(data)), "\n\n") {
		want := strings.Split(block, "\n")
		for i, line := range want {
			line, _, _ = strings.Cut(line, " # ")
			want[i] = strings.TrimSpace(line)
		}
		name := strings.Join(strings.Fields(want[0])[:2], " ")
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, shortened(ours[name], want)); diff != "" {
				t.Errorf("signature (-want +got):\n%s", diff)
			}
		})
	}
}

// shortened replaces lines of got by the … that want has for them.
func shortened(got, want []string) []string {
	out := slices.Clone(got)
	for _, line := range want {
		path, ok := strings.CutSuffix(line, ": …")
		if !ok {
			continue
		}
		for i := range out {
			if strings.HasPrefix(out[i], path) {
				out[i] = line
			}
		}
	}
	return slices.Compact(out)
}

// attributes are what a definition says about itself beside its template.
func attributes(d definition.Definition) []string {
	var out []string
	switch o := d.Object.(type) {
	case *v1beta1.TraitDefinition:
		if len(o.Spec.AppliesToWorkloads) > 0 {
			out = append(out, "appliesTo="+strings.Join(o.Spec.AppliesToWorkloads, ","))
		}
		if o.Spec.PodDisruptive {
			out = append(out, "podDisruptive")
		}
		if o.Spec.Stage != "" {
			out = append(out, "stage="+string(o.Spec.Stage))
		}
	case *v1beta1.ComponentDefinition:
		out = append(out, "workload="+o.Spec.Workload.Type)
	}
	for _, label := range []string{"ui-hidden", "deprecated", "catalog"} {
		if v := d.Object.(client.Object).GetLabels()["custom.definition.oam.dev/"+label]; v != "" {
			out = append(out, label+"="+v)
		}
	}
	if d.HealthPolicy != "" {
		out = append(out, "healthPolicy")
	}
	if d.CustomStatus != "" {
		out = append(out, "customStatus")
	}
	return out
}

// signature lists the parameters of a template, one per line, sorted.
func signature(t *testing.T, template string) []string {
	t.Helper()
	f, err := parser.ParseFile("template.cue", template)
	if err != nil {
		t.Fatal(err)
	}
	p := printer{named: map[string]ast.Expr{}}
	for _, d := range f.Decls {
		if field, ok := d.(*ast.Field); ok {
			if name, _, err := ast.LabelName(field.Label); err == nil {
				p.named[name] = field.Value
			}
		}
	}
	if parameter := p.named["parameter"]; parameter != nil {
		p.expr("", parameter)
	}
	slices.Sort(p.lines)
	return slices.Compact(p.lines)
}

// A printer writes an expression as lines of path and type. Named parts of the
// template are put in where they are referred to.
type printer struct {
	named map[string]ast.Expr
	lines []string
}

func (p *printer) expr(path string, e ast.Expr) {
	switch e := e.(type) {
	case *ast.StructLit:
		if len(e.Elts) == 0 {
			p.leaf(path, "{}")
		}
		for _, d := range e.Elts {
			p.decl(path, d)
		}
		return
	case *ast.ListLit:
		if len(e.Elts) == 1 {
			if more, ok := e.Elts[0].(*ast.Ellipsis); ok && more.Type != nil {
				p.expr(path+"[]", more.Type)
				return
			}
		}
	case *ast.Ident:
		if named := p.named[e.Name]; named != nil && e.Name != "parameter" {
			p.expr(path, named)
			return
		}
	case *ast.CallExpr:
		if fun, ok := e.Fun.(*ast.Ident); ok && fun.Name == "close" {
			p.expr(path, e.Args[0])
			return
		}
	case *ast.ParenExpr:
		p.expr(path, e.X)
		return
	case *ast.BinaryExpr:
		if e.Op == token.OR {
			p.either(path, e)
			return
		}
	}
	p.leaf(path, source(e))
}

// either writes a choice: between plain values in one line, sorted behind the
// default, between structs with the number of the branch.
func (p *printer) either(path string, e *ast.BinaryExpr) {
	branches := p.branches(e)
	var plain []string
	for _, b := range branches {
		if value, ok := p.plain(b); ok {
			plain = append(plain, value)
		}
	}
	if len(plain) == len(branches) {
		plain = slices.DeleteFunc(plain, func(v string) bool { return slices.Contains(plain, "*"+v) })
		slices.Sort(plain)
		p.leaf(path, strings.Join(plain, " | "))
		return
	}
	for i, b := range branches {
		if u, ok := b.(*ast.UnaryExpr); ok && u.Op == token.MUL {
			p.expr(fmt.Sprintf("%s<*%d>", path, i+1), u.X)
			continue
		}
		p.expr(fmt.Sprintf("%s<%d>", path, i+1), b)
	}
}

// plain returns what a branch is when it fits in one line.
func (p *printer) plain(b ast.Expr) (string, bool) {
	star := ""
	if u, ok := b.(*ast.UnaryExpr); ok && u.Op == token.MUL {
		b, star = u.X, "*"
	}
	if list, ok := b.(*ast.ListLit); ok {
		value := source(list)
		return star + value, !strings.Contains(value, "{")
	}
	inner := printer{named: p.named}
	inner.expr("", b)
	if len(inner.lines) != 1 {
		return "", false
	}
	value, ok := strings.CutPrefix(inner.lines[0], ": ")
	return star + value, ok
}

func (p *printer) branches(e ast.Expr) []ast.Expr {
	if b, ok := e.(*ast.BinaryExpr); ok && b.Op == token.OR {
		return append(p.branches(b.X), p.branches(b.Y)...)
	}
	return []ast.Expr{e}
}

func (p *printer) decl(path string, d ast.Decl) {
	switch d := d.(type) {
	case *ast.Field:
		if pattern, ok := d.Label.(*ast.ListLit); ok {
			p.expr(path+"["+source(pattern.Elts[0])+"]", d.Value)
			return
		}
		name, _, err := ast.LabelName(d.Label)
		if err != nil {
			name = source(d.Label)
		}
		if strings.HasPrefix(name, "#") { // part of the template that stands inside the parameters
			p.named[name] = d.Value
			return
		}
		if d.Constraint == token.OPTION {
			name += "?"
		}
		p.expr(strings.TrimPrefix(path+"."+name, "."), d.Value)
	case *ast.EmbedDecl:
		p.expr(path, d.Expr)
	case *ast.Ellipsis:
		p.leaf(path, "{...}")
	case *ast.Comprehension:
		if c, ok := d.Clauses[0].(*ast.IfClause); ok {
			path += "(if " + source(c.Condition) + ")"
		}
		p.expr(path, d.Value)
	}
}

func (p *printer) leaf(path, value string) { p.lines = append(p.lines, path+": "+value) }

// source writes a part of a template in one line.
func source(n ast.Node) string {
	b, err := format.Node(n)
	if err != nil {
		return err.Error()
	}
	return strings.Join(strings.Fields(string(b)), " ")
}
