// Package order knows in which order an author wrote the fields of a template.
// CUE lists the fields that come from an `if` before the others, but authors
// expect the calls of a step to happen in the order in which they stand there.
package order

import (
	"sort"

	cuelang "cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
)

// An Order is the order of the fields in a text. A nil Order keeps that of CUE.
type Order struct {
	rank  map[string]int // source offset of a field, by name
	sub   map[string]*Order
	other *Order // below fields whose names are computed
	at    int    // offset of the first of these, -1 for none
}

func newOrder() *Order {
	return &Order{rank: map[string]int{}, sub: map[string]*Order{}, at: -1}
}

// Of reads the order out of a file.
func Of(f *ast.File) *Order {
	o := newOrder()
	o.decls(f.Decls)
	return o
}

func (o *Order) decls(list []ast.Decl) {
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

func (o *Order) field(f *ast.Field) {
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

func (o *Order) expr(x ast.Expr) {
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

// An Entry is one field of an evaluated struct.
type Entry struct {
	Sel   cuelang.Selector
	Value cuelang.Value
}

// Fields lists the fields of v, hidden ones included, in the order of the text.
// Fields that the text does not name keep the order of CUE, after the others.
func (o *Order) Fields(v cuelang.Value) []Entry {
	it, err := v.Fields(cuelang.Hidden(true))
	if err != nil {
		return nil
	}
	var out []Entry
	for it.Next() {
		if !it.Selector().IsDefinition() {
			out = append(out, Entry{it.Selector(), it.Value()})
		}
	}
	if o != nil && len(o.rank) > 0 {
		sort.SliceStable(out, func(i, j int) bool { return o.of(out[i].Sel) < o.of(out[j].Sel) })
	}
	return out
}

func (o *Order) of(s cuelang.Selector) int {
	if r, ok := o.rank[Name(s)]; ok {
		return r
	}
	if o.at >= 0 {
		return o.at
	}
	return 1 << 40
}

// Below is the order inside of the field.
func (o *Order) Below(s cuelang.Selector) *Order {
	if o == nil {
		return nil
	}
	if sub, ok := o.sub[Name(s)]; ok {
		return sub
	}
	return o.other
}

// Name is the name of a field without quotes.
func Name(s cuelang.Selector) string {
	if s.Type() == cuelang.StringLabel {
		return s.Unquoted()
	}
	return s.String()
}
