package cue

import (
	"sort"

	cuelang "cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
)

// order is the order of the fields in the text. CUE lists the fields that come
// from an `if` before the others, but authors expect the calls of a step to
// happen in the order in which they wrote them.
type order struct {
	rank  map[string]int // source offset of a field, by name
	sub   map[string]*order
	other *order // below fields whose names are computed
	at    int    // offset of the first of these, -1 for none
}

func newOrder() *order {
	return &order{rank: map[string]int{}, sub: map[string]*order{}, at: -1}
}

// orderOf reads the order out of a file.
func orderOf(f *ast.File) *order {
	o := newOrder()
	o.decls(f.Decls)
	return o
}

func (o *order) decls(list []ast.Decl) {
	for _, d := range list {
		switch d := d.(type) {
		case *ast.Field:
			o.field(d)
		case *ast.EmbedDecl:
			o.expr(d.Expr)
		case *ast.Comprehension:
			o.expr(d.Value)
		}
	}
}

func (o *order) field(f *ast.Field) {
	name, _, err := ast.LabelName(f.Label)
	if err != nil { // "\(name)": or (name):
		if o.other == nil {
			o.other, o.at = newOrder(), offset(f.Pos())
		}
		o.other.expr(f.Value)
		return
	}
	if o.sub[name] == nil {
		o.sub[name], o.rank[name] = newOrder(), offset(f.Pos())
	}
	o.sub[name].expr(f.Value)
}

func (o *order) expr(x ast.Expr) {
	switch x := x.(type) {
	case *ast.StructLit:
		o.decls(x.Elts)
	case *ast.BinaryExpr:
		if x.Op == token.AND {
			o.expr(x.X)
			o.expr(x.Y)
		}
	case *ast.ParenExpr:
		o.expr(x.X)
	case *ast.ListLit:
		for _, e := range x.Elts {
			if c, ok := e.(*ast.Comprehension); ok {
				o.expr(c.Value)
				continue
			}
			o.expr(e)
		}
	}
}

func offset(p token.Pos) int {
	if !p.IsValid() {
		return -1
	}
	return p.Offset()
}

// A entry is one field of an evaluated struct.
type entry struct {
	sel   cuelang.Selector
	value cuelang.Value
}

// fields lists the fields of v, hidden ones included, in the order of the text.
// Fields that the text does not name keep the order of CUE, after the others.
func (o *order) fields(v cuelang.Value) []entry {
	it, err := v.Fields(cuelang.Hidden(true))
	if err != nil {
		return nil
	}
	var out []entry
	for it.Next() {
		if !it.Selector().IsDefinition() {
			out = append(out, entry{it.Selector(), it.Value()})
		}
	}
	if o != nil && len(o.rank) > 0 {
		sort.SliceStable(out, func(i, j int) bool { return o.of(out[i].sel) < o.of(out[j].sel) })
	}
	return out
}

func (o *order) of(s cuelang.Selector) int {
	if r, ok := o.rank[selectorName(s)]; ok {
		return r
	}
	if o.at >= 0 {
		return o.at
	}
	return 1 << 40
}

func (o *order) below(s cuelang.Selector) *order {
	if o == nil {
		return nil
	}
	if sub, ok := o.sub[selectorName(s)]; ok {
		return sub
	}
	return o.other
}

func selectorName(s cuelang.Selector) string {
	if s.Type() == cuelang.StringLabel {
		return s.Unquoted()
	}
	return s.String()
}
