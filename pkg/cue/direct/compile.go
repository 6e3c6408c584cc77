package direct

import (
	"regexp"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"

	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
)

type compiler struct {
	imports map[string]string
	scopes  []scope
	lets    int
	carried []string // comments for the last field of a chain
}

// A scope mirrors one frame of env.
type scope struct {
	names map[string]string // identifier → field name
	key   string            // of a for
	val   string            // of a for or let
}

func (c *compiler) file(f *ast.File) *structX {
	for spec := range f.ImportSpecs() {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		name := path[strings.LastIndex(path, "/")+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		c.imports[name] = path
	}
	return c.structLit(f.Decls)
}

// structLit compiles the declarations of a struct.
func (c *compiler) structLit(decls []ast.Decl) *structX {
	s := &structX{plain: true}
	names := map[string]string{}
	for _, d := range decls {
		switch d := d.(type) {
		case *ast.Field:
			if id, ok := d.Label.(*ast.Ident); ok {
				names[id.Name] = fieldName(id.Name)
			}
		case *ast.LetClause:
			c.lets++
			names[d.Ident.Name] = letPrefix + d.Ident.Name + strconv.Itoa(c.lets)
		}
	}
	c.scopes = append(c.scopes, scope{names: names})
	for _, d := range decls {
		c.decl(s, d, names)
	}
	c.scopes = c.scopes[:len(c.scopes)-1]
	return s
}

func fieldName(ident string) string {
	if strings.HasPrefix(ident, "_") || strings.HasPrefix(ident, "#") {
		return hiddenPrefix + ident
	}
	return ident
}

func (c *compiler) decl(s *structX, d ast.Decl, names map[string]string) {
	switch d := d.(type) {
	case *ast.Field:
		c.field(s, d)
	case *ast.LetClause:
		s.fields = append(s.fields, fieldX{name: names[d.Ident.Name], x: c.expr(d.Expr)})
	case *ast.EmbedDecl:
		s.plain = false
		s.comps = append(s.comps, &compX{embed: c.expr(d.Expr), any: true})
	case *ast.Comprehension:
		s.plain = false
		s.comps = append(s.comps, c.comprehension(d))
	case *ast.Ellipsis:
		s.open = true
		if d.Type != nil {
			s.comps = append(s.comps, &compX{embed: badX{}, any: true})
		}
	case *ast.CommentGroup, *ast.Attribute, *ast.ImportDecl, *ast.Package:
	default:
		s.plain = false
		s.comps = append(s.comps, &compX{embed: badX{}, any: true})
	}
}

func (c *compiler) field(s *structX, d *ast.Field) {
	bad := func() {
		s.plain = false
		s.comps = append(s.comps, &compX{embed: badX{}, any: true})
	}
	f := fieldX{marks: c.marks(d)}
	switch d.Constraint {
	case token.OPTION:
		f.mode = optional
	case token.NOT:
		f.mode = required
	}
	if d.Alias != nil {
		bad()
		return
	}
	switch l := d.Label.(type) {
	case *ast.Ident:
		f.name = fieldName(l.Name)
	case *ast.BasicLit:
		name, err := literal.Unquote(l.Value)
		if err != nil || l.Kind != token.STRING {
			bad()
			return
		}
		f.name = name
	case *ast.Interpolation:
		f.dyn = c.expr(l)
	case *ast.ParenExpr:
		f.dyn = c.expr(l.X)
	case *ast.ListLit:
		c.pattern(s, l, d.Value)
		return
	default:
		bad()
		return
	}
	if f.dyn != nil && f.mode != present {
		bad()
		return
	}
	f.x = c.expr(d.Value)
	s.fields = append(s.fields, f)
}

func (c *compiler) pattern(s *structX, l *ast.ListLit, value ast.Expr) {
	p := patternX{x: c.expr(value)}
	if len(l.Elts) == 1 {
		if id, ok := l.Elts[0].(*ast.Ident); ok && (id.Name == "string" || id.Name == "_") {
			if _, _, shadowed := c.resolve(id.Name); !shadowed {
				p.all = true
			}
		}
	}
	s.patterns = append(s.patterns, p)
}

// marks reads the comments that CUE counts as the documentation of a field. A
// comment before a chain `a: b: c` belongs to c.
func (c *compiler) marks(d *ast.Field) patch.Markers {
	lines := append(c.carried, docs(d)...)
	c.carried = nil
	if chained(d) != nil {
		c.carried = lines
		return patch.Markers{}
	}
	return patch.ParseMarkers(lines)
}

func chained(d *ast.Field) *ast.Field {
	s, ok := d.Value.(*ast.StructLit)
	if !ok || s.Lbrace.IsValid() || len(s.Elts) != 1 {
		return nil
	}
	f, _ := s.Elts[0].(*ast.Field)
	return f
}

func docs(d ast.Node) []string {
	var lines []string
	for _, g := range ast.Comments(d) {
		if !g.Doc {
			continue
		}
		for _, l := range g.List {
			lines = append(lines, l.Text)
		}
	}
	return lines
}

func (c *compiler) comprehension(d *ast.Comprehension) *compX {
	comp := &compX{}
	before := len(c.scopes)
	for _, cl := range d.Clauses {
		switch cl := cl.(type) {
		case *ast.ForClause:
			x := c.expr(cl.Source)
			sc := scope{val: cl.Value.Name}
			if cl.Key != nil {
				sc.key = cl.Key.Name
			}
			comp.clauses = append(comp.clauses, clauseX{forClause, x})
			c.scopes = append(c.scopes, sc)
		case *ast.IfClause:
			comp.clauses = append(comp.clauses, clauseX{ifClause, c.expr(cl.Condition)})
		case *ast.LetClause:
			x := c.expr(cl.Expr)
			comp.clauses = append(comp.clauses, clauseX{letClause, x})
			c.scopes = append(c.scopes, scope{val: cl.Ident.Name})
		default:
			comp.clauses = append(comp.clauses, clauseX{ifClause, badX{}})
		}
	}
	body, ok := d.Value.(*ast.StructLit)
	if ok {
		comp.body = c.structLit(body.Elts)
	} else {
		comp.body = &structX{comps: []*compX{{embed: badX{}, any: true}}}
	}
	c.scopes = c.scopes[:before]
	comp.labels = map[string]bool{}
	comp.any = provides(comp.body, comp.labels)
	return comp
}

// provides collects the names of the fields that a struct can have. It returns
// true when they are not all known.
func provides(s *structX, labels map[string]bool) (any bool) {
	if len(s.patterns) > 0 {
		return true
	}
	for _, f := range s.fields {
		if f.dyn != nil {
			return true
		}
		labels[f.name] = true
	}
	for _, comp := range s.comps {
		if comp.any {
			return true
		}
		for l := range comp.labels {
			labels[l] = true
		}
	}
	return false
}

// resolve finds an identifier in the enclosing scopes, innermost first.
func (c *compiler) resolve(name string) (x expr, up int, ok bool) {
	for i := len(c.scopes) - 1; i >= 0; i-- {
		s := c.scopes[i]
		up := len(c.scopes) - 1 - i
		if s.names != nil {
			if field, ok := s.names[name]; ok {
				return refX{up, field}, up, true
			}
			continue
		}
		if s.val == name {
			return varX{up, false}, up, true
		}
		if s.key == name {
			return varX{up, true}, up, true
		}
	}
	return nil, 0, false
}

func (c *compiler) expr(x ast.Expr) expr {
	switch x := x.(type) {
	case *ast.BasicLit:
		return basic(x)
	case *ast.Ident:
		return c.ident(x)
	case *ast.BottomLit:
		return bottomX{}
	case *ast.ParenExpr:
		return c.expr(x.X)
	case *ast.StructLit:
		return c.structLit(x.Elts)
	case *ast.ListLit:
		return c.list(x)
	case *ast.SelectorExpr:
		return c.selector(x)
	case *ast.IndexExpr:
		return idxX{c.expr(x.X), c.expr(x.Index)}
	case *ast.UnaryExpr:
		return c.unary(x)
	case *ast.BinaryExpr:
		return c.binary(x)
	case *ast.Interpolation:
		return c.interpolation(x)
	case *ast.CallExpr:
		return c.call(x)
	}
	return badX{}
}

func basic(x *ast.BasicLit) expr {
	switch x.Kind {
	case token.NULL:
		return litX{nil}
	case token.TRUE:
		return litX{true}
	case token.FALSE:
		return litX{false}
	case token.STRING:
		s, err := literal.Unquote(x.Value)
		if err != nil || strings.HasPrefix(strings.TrimLeft(x.Value, "#"), "'") {
			return badX{} // bytes
		}
		return litX{s}
	case token.INT, token.FLOAT:
		var info literal.NumInfo
		if literal.ParseNum(x.Value, &info) != nil {
			return badX{}
		}
		if info.IsInt() {
			i, err := strconv.ParseInt(info.String(), 10, 64)
			if err != nil {
				return badX{}
			}
			return litX{i}
		}
		f, err := strconv.ParseFloat(info.String(), 64)
		if err != nil {
			return badX{}
		}
		return litX{f}
	}
	return badX{}
}

func (c *compiler) ident(x *ast.Ident) expr {
	if r, _, ok := c.resolve(x.Name); ok {
		return r
	}
	switch x.Name {
	case "_":
		return topX{}
	case "string":
		return typeX{kString}
	case "int":
		return typeX{kInt}
	case "bool":
		return typeX{kBool}
	case "float":
		return typeX{kFloat}
	case "number":
		return typeX{kInt | kFloat}
	}
	return badX{}
}

func (c *compiler) selector(x *ast.SelectorExpr) expr {
	var name string
	switch l := x.Sel.(type) {
	case *ast.Ident:
		name = fieldName(l.Name)
	case *ast.BasicLit:
		s, err := literal.Unquote(l.Value)
		if err != nil {
			return badX{}
		}
		name = s
	default:
		return badX{}
	}
	return selX{c.expr(x.X), name}
}

func (c *compiler) unary(x *ast.UnaryExpr) expr {
	switch x.Op {
	case token.NOT:
		return notX{c.expr(x.X)}
	case token.SUB:
		return negX{c.expr(x.X)}
	case token.GTR, token.GEQ, token.LSS, token.LEQ, token.NEQ:
		return boundX{x.Op, c.expr(x.X)}
	case token.MAT, token.NMAT:
		return c.match(x)
	case token.MUL: // the mark of a default
		return orX{[]altX{{c.expr(x.X), true}}}
	}
	return badX{}
}

// match compiles `=~"pattern"`; computed patterns are left to CUE.
func (c *compiler) match(x *ast.UnaryExpr) expr {
	lit, ok := c.expr(x.X).(litX)
	if !ok {
		return badX{}
	}
	pattern, ok := lit.v.(string)
	if !ok || len(pattern) > maxPattern {
		return badX{}
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return badX{}
	}
	return matchX{re, x.Op == token.MAT}
}

func (c *compiler) binary(x *ast.BinaryExpr) expr {
	switch x.Op {
	case token.AND:
		return andX{c.expr(x.X), c.expr(x.Y)}
	case token.OR:
		return orX{append(c.alternatives(x.X), c.alternatives(x.Y)...)}
	}
	return binX{x.Op, c.expr(x.X), c.expr(x.Y)}
}

// alternatives flattens a | b | c. Parentheses keep their own defaults, which
// is rare enough not to be supported with marks inside.
func (c *compiler) alternatives(x ast.Expr) []altX {
	switch y := x.(type) {
	case *ast.BinaryExpr:
		if y.Op == token.OR {
			return append(c.alternatives(y.X), c.alternatives(y.Y)...)
		}
	case *ast.UnaryExpr:
		if y.Op == token.MUL {
			return []altX{{c.expr(y.X), true}}
		}
	}
	return []altX{{c.expr(x), false}}
}

func (c *compiler) interpolation(x *ast.Interpolation) expr {
	first, ok1 := x.Elts[0].(*ast.BasicLit)
	last, ok2 := x.Elts[len(x.Elts)-1].(*ast.BasicLit)
	if !ok1 || !ok2 {
		return badX{}
	}
	info, skip, _, err := literal.ParseQuotes(first.Value, last.Value)
	if err != nil || !info.IsDouble() {
		return badX{}
	}
	var out interpX
	for i, e := range x.Elts {
		if i%2 == 1 {
			out.parts = append(out.parts, c.expr(e))
			continue
		}
		lit, ok := e.(*ast.BasicLit)
		if !ok || len(lit.Value) < skip {
			return badX{}
		}
		s, err := info.Unquote(lit.Value[skip:])
		if err != nil {
			return badX{}
		}
		out.parts = append(out.parts, litX{s})
		skip = 1 // the closing parenthesis
	}
	return out
}

func (c *compiler) list(x *ast.ListLit) expr {
	out := &listX{}
	for _, e := range x.Elts {
		switch e := e.(type) {
		case *ast.Ellipsis:
			out.open = true
			if e.Type != nil {
				out.rest = c.expr(e.Type)
			}
		case *ast.Comprehension:
			out.elems = append(out.elems, elemX{comp: c.comprehension(e)})
		default:
			out.elems = append(out.elems, elemX{x: c.expr(e)})
		}
	}
	return out
}

func (c *compiler) call(x *ast.CallExpr) expr {
	name := ""
	switch f := x.Fun.(type) {
	case *ast.Ident:
		if _, _, shadowed := c.resolve(f.Name); shadowed {
			return badX{}
		}
		name = f.Name
		if name == "close" && len(x.Args) == 1 {
			if lit, ok := x.Args[0].(*ast.StructLit); ok {
				return closeX{c.structLit(lit.Elts)}
			}
		}
	case *ast.SelectorExpr:
		pkg, ok := f.X.(*ast.Ident)
		member, _, err := ast.LabelName(f.Sel)
		if !ok || err != nil {
			return badX{}
		}
		if _, _, shadowed := c.resolve(pkg.Name); shadowed {
			return badX{}
		}
		path, ok := c.imports[pkg.Name]
		if !ok {
			return badX{}
		}
		name = path + "." + member
	default:
		return badX{}
	}
	out := callX{fn: functions[name]}
	if out.fn == nil {
		return badX{}
	}
	for _, a := range x.Args {
		out.args = append(out.args, c.expr(a))
	}
	return out
}
