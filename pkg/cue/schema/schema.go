// Package schema describes the parameters of a definition as an OpenAPI v3
// schema, for documentation, forms and completion.
//
// It reads an evaluated CUE value with its comments: `// +usage=` becomes the
// description, a disjunction of plain values an enum, the marked default the
// default. What OpenAPI cannot say is left out instead of failing, so every
// definition has a schema. Package cue offers it as Template.Schema; nothing
// here evaluates a template or validates input.
package schema

import (
	"slices"
	"strings"

	cuelang "cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
)

// A Schema is one node of an OpenAPI v3 schema. The x-vela fields carry what
// the comment tags of a parameter say.
type Schema struct {
	Type        string             `json:"type,omitempty"`
	Format      string             `json:"format,omitempty"`
	Description string             `json:"description,omitempty"`
	Default     any                `json:"default,omitempty"`
	Enum        []any              `json:"enum,omitempty"`
	Nullable    bool               `json:"nullable,omitempty"`
	Properties  map[string]*Schema `json:"properties,omitempty"`
	Required    []string           `json:"required,omitempty"` // sorted
	// AdditionalProperties describes the values of a map.
	AdditionalProperties *Schema   `json:"additionalProperties,omitempty"`
	Items                *Schema   `json:"items,omitempty"`
	OneOf                []*Schema `json:"oneOf,omitempty"`
	Minimum              *float64  `json:"minimum,omitempty"`
	Maximum              *float64  `json:"maximum,omitempty"`
	ExclusiveMinimum     bool      `json:"exclusiveMinimum,omitempty"`
	ExclusiveMaximum     bool      `json:"exclusiveMaximum,omitempty"`
	Pattern              string    `json:"pattern,omitempty"`

	Order     []string `json:"x-vela-order,omitempty"`     // properties as the author wrote them
	Open      bool     `json:"x-vela-open,omitempty"`      // any further property is welcome
	Short     string   `json:"x-vela-short,omitempty"`     // one-letter flag
	Alias     string   `json:"x-vela-alias,omitempty"`     // another name to show
	Ignore    bool     `json:"x-vela-ignore,omitempty"`    // keep out of documentation
	Immutable bool     `json:"x-vela-immutable,omitempty"` // may not change after creation
}

// Decode turns a concrete CUE value into a JSON-like one.
type Decode func(cuelang.Value) (any, error)

// maxDepth ends the description of definitions that contain themselves.
const maxDepth = 16

// Of describes a value, usually `parameter`.
func Of(v cuelang.Value, decode Decode) *Schema {
	r := reader{decode}
	return r.schema(v, 0)
}

type reader struct{ decode Decode }

func (r reader) schema(v cuelang.Value, depth int) *Schema {
	s := &Schema{}
	s.comment(v.Doc())
	if depth > maxDepth {
		return s
	}
	v = cuelang.Dereference(v)
	if s.Description == "" {
		s.comment(v.Doc())
	}
	op, parts := v.Expr()
	if def, ok := v.Default(); ok && !v.IsConcrete() && op == cuelang.NoOp && len(parts) == 1 {
		// `*1 | int`: CUE keeps only the type, which includes the default.
		if val, err := r.decode(def); err == nil {
			s.Default = val
		}
		v = parts[0]
		op, parts = v.Expr()
	}
	if op == cuelang.OrOp {
		r.disjunction(s, v, parts, depth)
		return s
	}
	r.bound(s, v)
	r.plain(s, v, depth)
	return s
}

func (r reader) plain(s *Schema, v cuelang.Value, depth int) {
	switch kind := v.IncompleteKind(); kind {
	case cuelang.StructKind, cuelang.BottomKind:
		r.object(s, v, depth)
		return
	case cuelang.ListKind:
		s.Type = "array"
		if e := v.LookupPath(cuelang.MakePath(cuelang.AnyIndex)); e.Exists() {
			s.Items = r.schema(e, depth+1)
		} else if e := v.LookupPath(cuelang.MakePath(cuelang.Index(0))); e.Exists() {
			s.Items = r.schema(e, depth+1)
		}
		return
	default:
		s.kind(kind)
	}
	if v.IsConcrete() {
		if val, err := r.decode(v); err == nil {
			s.Enum = []any{val}
		}
	}
}

func (s *Schema) kind(k cuelang.Kind) {
	if k != cuelang.TopKind && k&cuelang.NullKind != 0 && k != cuelang.NullKind {
		s.Nullable = true
		k &^= cuelang.NullKind
	}
	switch k {
	case cuelang.StringKind:
		s.Type = "string"
	case cuelang.BytesKind:
		s.Type, s.Format = "string", "byte"
	case cuelang.BoolKind:
		s.Type = "boolean"
	case cuelang.IntKind:
		s.Type = "integer"
	case cuelang.FloatKind, cuelang.NumberKind:
		s.Type = "number"
	case cuelang.StructKind:
		s.Type = "object"
	case cuelang.ListKind:
		s.Type = "array"
	}
}

func (r reader) object(s *Schema, v cuelang.Value, depth int) {
	it, err := v.Fields(cuelang.Optional(true))
	if err != nil {
		return
	}
	s.Type = "object"
	for it.Next() {
		sel := it.Selector()
		name := sel.Unquoted()
		field := r.schema(it.Value(), depth+1)
		if s.Properties == nil {
			s.Properties = map[string]*Schema{}
		}
		s.Properties[name] = field
		s.Order = append(s.Order, name)
		if required(sel, it.Value(), field) {
			s.Required = append(s.Required, name)
		}
	}
	slices.Sort(s.Required)
	rest := v.LookupPath(cuelang.MakePath(cuelang.AnyString))
	switch {
	case !rest.Exists():
	case rest.IncompleteKind() == cuelang.TopKind:
		s.Open = true
	default:
		s.AdditionalProperties = r.schema(rest, depth+1)
	}
}

// required says that a property must be given: it is not optional and has no
// value without it.
func required(sel cuelang.Selector, v cuelang.Value, s *Schema) bool {
	switch sel.ConstraintType() {
	case cuelang.OptionalConstraint:
		return false
	case cuelang.RequiredConstraint:
		return true
	}
	if marked(v.Source()) {
		return false // the default refers to the context, so it has no value yet
	}
	if d, ok := v.Default(); ok || (d.IsConcrete() && s.Type != "object" && d.Validate(cuelang.Concrete(true)) == nil) {
		return false // a list is known as a list before its elements are
	}
	return s.Type != "object" || len(s.Required) > 0
}

// marked reports whether the syntax of a value marks a default.
func marked(n ast.Node) bool {
	switch x := n.(type) {
	case *ast.Field:
		return marked(x.Value)
	case *ast.ParenExpr:
		return marked(x.X)
	case *ast.BinaryExpr:
		return x.Op == token.OR && (marked(x.X) || marked(x.Y))
	case *ast.UnaryExpr:
		return x.Op == token.MUL
	}
	return false
}

// disjunction describes `*"a" | "b"` as an enum, `*1 | int` as an int with a
// default, and several forms of an object as oneOf.
func (r reader) disjunction(s *Schema, v cuelang.Value, parts []cuelang.Value, depth int) {
	if def, ok := v.Default(); ok && s.Default == nil {
		if val, err := r.decode(def); err == nil {
			s.Default = val
		}
	}
	scalar := true
	for _, p := range parts {
		k := cuelang.Dereference(p).IncompleteKind()
		scalar = scalar && k&(cuelang.StructKind|cuelang.ListKind) == 0 && k != cuelang.BottomKind
	}
	if scalar && r.scalars(s, v, parts) {
		return
	}
	var forms []*Schema
	for _, p := range parts {
		f := r.schema(p, depth+1)
		if f.Type == "" && len(f.OneOf) == 0 || isEmptyList(p) && len(parts) == 2 {
			continue // the default of a list says nothing about its form
		}
		forms = append(forms, f)
	}
	if len(forms) == 1 {
		def, doc := s.Default, *s
		*s = *forms[0]
		s.Default = def
		if doc.Description != "" {
			s.Description = doc.Description
		}
		s.Short, s.Alias, s.Ignore, s.Immutable = doc.Short, doc.Alias, doc.Ignore, doc.Immutable
		return
	}
	s.OneOf = forms
}

func isEmptyList(v cuelang.Value) bool {
	n, err := v.Len().Int64()
	return v.IncompleteKind() == cuelang.ListKind && err == nil && n == 0 &&
		!v.LookupPath(cuelang.MakePath(cuelang.AnyIndex)).Exists()
}

// scalars describes a disjunction of plain values and types. ok is false when
// the types differ in a way that one schema cannot say.
func (r reader) scalars(s *Schema, v cuelang.Value, parts []cuelang.Value) bool {
	var enum []any
	open := false
	for _, p := range parts {
		if !p.IsConcrete() {
			open = true
			r.bound(s, p)
			continue
		}
		if val, err := r.decode(p); err == nil {
			enum = append(enum, val)
		}
	}
	s.kind(v.IncompleteKind())
	if s.Type == "" {
		return false
	}
	if !open {
		s.Enum = enum
		if s.Default != nil && !slices.Contains(enum, s.Default) {
			s.Enum = append([]any{s.Default}, enum...)
		}
	}
	return true
}

// bound reads `>=1`, `=~"^a"` and the like.
func (r reader) bound(s *Schema, v cuelang.Value) {
	op, args := v.Expr()
	if op == cuelang.AndOp {
		for _, a := range args {
			r.bound(s, a)
		}
	}
	if len(args) != 1 {
		return
	}
	switch op {
	case cuelang.RegexMatchOp:
		if p, err := args[0].String(); err == nil {
			s.Pattern = p
		}
		return
	case cuelang.GreaterThanOp, cuelang.GreaterThanEqualOp, cuelang.LessThanOp, cuelang.LessThanEqualOp:
	default:
		return
	}
	f, err := args[0].Float64()
	if err != nil {
		return
	}
	switch op {
	case cuelang.GreaterThanOp, cuelang.GreaterThanEqualOp:
		s.Minimum, s.ExclusiveMinimum = &f, op == cuelang.GreaterThanOp
	default:
		s.Maximum, s.ExclusiveMaximum = &f, op == cuelang.LessThanOp
	}
}

// comment reads the tags of the comments before a field. A comment without a
// tag describes the field when no +usage does.
func (s *Schema) comment(groups []*ast.CommentGroup) {
	plain := ""
	for _, g := range groups {
		for _, c := range g.List {
			text := strings.TrimSpace(strings.TrimPrefix(c.Text, "//"))
			tag, ok := strings.CutPrefix(text, "+")
			if !ok {
				plain = strings.TrimSpace(plain + " " + text)
				continue
			}
			name, value, _ := strings.Cut(tag, "=")
			value = strings.TrimSpace(value)
			switch strings.TrimSpace(name) {
			case "usage":
				s.Description = value
			case "short":
				s.Short = value
			case "alias":
				s.Alias = value
			case "ignore":
				s.Ignore = true
			case "immutable":
				s.Immutable = true
			}
		}
	}
	if s.Description == "" {
		s.Description = plain
	}
}
