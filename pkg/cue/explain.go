package cue

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	cuelang "cuelang.org/go/cue"

	"github.com/seed-c5f95f19/vela/pkg/cue/mistake"
	"github.com/seed-c5f95f19/vela/pkg/cue/text"
	"github.com/seed-c5f95f19/vela/pkg/cue/value"
)

// Check compares properties with what the template declares under `parameter`,
// without evaluating anything else of it: what is missing, of the wrong type,
// not allowed. It reports every mistake as an *Error, in the order of their
// paths. Properties that are not declared are no mistake here unless the schema
// is closed; see Unknown.
func (t *Template) Check(parameter any) error {
	if !t.facts.Parameter {
		return nil
	}
	args, err := t.arguments(Input{Parameter: parameter})
	if err != nil {
		return err
	}
	if remote, err := t.outside(args); err != nil {
		return err
	} else if remote != nil {
		return t.judge(args.identity(), func() error { return remote.Check(args.parameter) })
	}
	errs, err := t.check(args.parameter, true)
	if err != nil {
		return err
	}
	return mistake.Join(errs)
}

// check finds the mistakes in a parameter. required says that missing
// properties count.
func (t *Template) check(parameter any, required bool) ([]*Error, error) {
	c, err := t.compiled()
	if err != nil {
		return nil, err
	}
	k := checker{required: required}
	err = t.guard(context.Background(), func() {
		k.value(c.value.LookupPath(pathParameter), parameter, "")
		if len(k.errs) > 0 && required && fits(c, parameter) {
			k.errs = nil
		}
	})
	return k.errs, err
}

// fits asks CUE itself whether a parameter is complete and allowed. The checker
// looks at one value at a time and so cannot see conditions and defaults that
// refer to others, or to the context; it explains, CUE decides.
func fits(c *cell, parameter any) bool {
	some := map[string]any{}
	for _, name := range []string{"name", "namespace", "appName", "appRevision", "revision", "cluster", "publishVersion", "workflowName"} {
		some[name] = "any"
	}
	v := c.value.FillPath(cuelang.Path{}, value.Encode(c.ctx, map[string]any{"parameter": parameter, "context": some}))
	return v.LookupPath(pathParameter).Validate(cuelang.Concrete(true)) == nil
}

// explain improves an error of this result: when a mistake in the properties
// is behind it, that is what is reported, in terms of the schema.
func (r *Result) explain(err error) error {
	if err == nil {
		return nil
	}
	if errs, checkErr := r.template.check(r.args.parameter, true); checkErr == nil && len(errs) > 0 {
		return mistake.Join(errs)
	}
	return err
}

// checker compares a JSON-like value with a CUE schema and says what does not
// fit in words that need no CUE.
type checker struct {
	required bool
	errs     []*Error
}

const maxMistakes = 30

func (k *checker) add(e *Error) {
	if len(k.errs) < maxMistakes {
		e.InParameter = true
		k.errs = append(k.errs, e)
	}
}

func (k *checker) value(schema cuelang.Value, val any, path string) {
	if len(k.errs) >= maxMistakes || schema.IncompleteKind() == cuelang.TopKind {
		return
	}
	target := form(schema)
	if op, branches := target.Expr(); op == cuelang.OrOp {
		k.branches(target, branches, val, path)
		return
	}
	switch v := val.(type) {
	case map[string]any:
		if isStruct(target) {
			k.object(target, v, path)
			return
		}
	case []any:
		if target.IncompleteKind() == cuelang.ListKind {
			k.array(target, v, path)
			return
		}
	}
	k.leaf(target, val, path)
}

// form follows references and leaves the default of `*1 | int` out: what
// remains is everything that is accepted.
func form(v cuelang.Value) cuelang.Value {
	v = cuelang.Dereference(v)
	if op, parts := v.Expr(); op == cuelang.NoOp && len(parts) == 1 && !v.IsConcrete() {
		if _, ok := v.Default(); ok {
			return form(parts[0])
		}
	}
	return v
}

// isStruct also recognises a struct some of whose fields depend on values that
// are not given yet.
func isStruct(v cuelang.Value) bool {
	switch v.IncompleteKind() {
	case cuelang.StructKind:
		return true
	case cuelang.BottomKind:
		it, err := v.Fields(cuelang.Optional(true))
		return err == nil && it.Next()
	}
	return false
}

func (k *checker) object(schema cuelang.Value, val map[string]any, path string) {
	filled := schema.FillPath(cuelang.Path{}, val)
	declared := map[string]bool{}
	it, err := filled.Fields(cuelang.Optional(true))
	if err == nil {
		for it.Next() {
			name := it.Selector().Unquoted()
			declared[name] = true
			given, ok := val[name]
			sub := mistake.Prefixed(path, mistake.Segment(name))
			if !ok {
				k.absent(it.Value(), it.Selector(), sub)
				continue
			}
			k.value(fieldSchema(schema, filled, name), given, sub)
		}
	}
	for _, name := range sortedKeys(val) {
		if declared[name] && schema.Allows(cuelang.Str(name)) {
			continue
		}
		if !schema.Allows(cuelang.Str(name)) {
			k.add(&Error{Kind: Unknown, Path: mistake.Prefixed(path, mistake.Segment(name)), Want: quoteIf(nearest(name, fieldNames(schema)))})
		}
	}
}

// fieldSchema is the schema of one field, without the value that was given. A
// field that an `if` of the schema adds is found only once values are filled.
func fieldSchema(schema, filled cuelang.Value, name string) cuelang.Value {
	sel := cuelang.Str(name)
	for _, s := range []cuelang.Selector{sel, sel.Optional(), sel.Required(), cuelang.AnyString} {
		if f := schema.LookupPath(cuelang.MakePath(s)); f.Exists() {
			return f
		}
	}
	if filled == (cuelang.Value{}) {
		return filled
	}
	return filled.LookupPath(cuelang.MakePath(sel))
}

// absent reports a property that must be given and is not.
func (k *checker) absent(field cuelang.Value, sel cuelang.Selector, path string) {
	if !k.required || sel.ConstraintType() == cuelang.OptionalConstraint {
		return
	}
	target := form(field)
	if sel.ConstraintType() != cuelang.RequiredConstraint {
		if def, ok := field.Default(); ok || def.IsConcrete() {
			if isStruct(def) {
				k.value(def, map[string]any{}, path)
			}
			return
		}
	}
	k.add(&Error{Kind: Missing, Path: path, Want: want(target), DefinitionLine: text.Line(field.Pos())})
}

func (k *checker) array(schema cuelang.Value, val []any, path string) {
	rest := schema.LookupPath(cuelang.MakePath(cuelang.AnyIndex))
	for i, e := range val {
		sub := mistake.Prefixed(path, "["+strconv.Itoa(i)+"]")
		elem := schema.LookupPath(cuelang.MakePath(cuelang.Index(i)))
		if !elem.Exists() {
			elem = rest
		}
		if !elem.Exists() {
			k.add(&Error{Kind: NotAllowed, Path: path, Message: fmt.Sprintf("has %d elements, at most %d are allowed", len(val), i)})
			return
		}
		k.value(elem, e, sub)
	}
}

// branches handles a disjunction. Plain values are listed; of several forms of
// an object the one that was most likely meant is explained.
func (k *checker) branches(schema cuelang.Value, branches []cuelang.Value, val any, path string) {
	var best []*Error
	bestScore := -1
	composite := false
	for _, b := range branches {
		sub := checker{required: k.required}
		sub.value(b, val, path)
		if len(sub.errs) == 0 {
			return
		}
		if !sameShape(b, val) {
			continue
		}
		composite = true
		if s := score(sub.errs, path); bestScore < 0 || s < bestScore {
			best, bestScore = sub.errs, s
		}
	}
	if composite {
		for _, e := range best {
			k.add(e)
		}
		return
	}
	wants := make([]string, 0, len(branches))
	kind := WrongType
	for _, b := range branches {
		if w := want(b); !slices.Contains(wants, w) {
			wants = append(wants, w)
		}
		if b.IncompleteKind()&kindOfGo(val) != 0 {
			kind = NotAllowed
		}
	}
	k.add(&Error{Kind: kind, Path: path, Want: oneOf(wants), Got: shown(path, val), DefinitionLine: text.Line(schema.Pos())})
}

// sameShape says that a branch is an object or list as the value is one.
func sameShape(b cuelang.Value, val any) bool {
	switch val.(type) {
	case map[string]any:
		return isStruct(b)
	case []any:
		return b.IncompleteKind() == cuelang.ListKind
	}
	return false
}

// score weighs how far a value is from one form: a wrong value of a field such
// as `type`, right below path, says that another form was meant.
func score(errs []*Error, path string) int {
	total := 0
	for _, e := range errs {
		switch {
		case e.Kind == NotAllowed && parentPath(e.Path) == path:
			total += 100
		case e.Kind == Unknown:
			total += 3
		case e.Kind == Missing:
			total += 2
		default:
			total++
		}
	}
	return total
}

func parentPath(p string) string {
	if i := strings.LastIndexAny(p, ".["); i > 0 {
		return p[:i]
	}
	return ""
}

func (k *checker) leaf(schema cuelang.Value, val any, path string) {
	if val == nil && schema.IncompleteKind()&cuelang.NullKind == 0 {
		k.add(&Error{Kind: WrongType, Path: path, Want: want(schema), Got: "null", DefinitionLine: text.Line(schema.Pos())})
		return
	}
	u := schema.FillPath(cuelang.Path{}, val)
	if u.Validate(cuelang.Concrete(true)) == nil {
		return
	}
	e := &Error{Path: path, Want: want(schema), Got: shown(path, val), DefinitionLine: text.Line(schema.Pos())}
	if schema.IncompleteKind()&kindOfGo(val) != 0 {
		e.Kind = NotAllowed
	} else {
		e.Kind = WrongType
	}
	k.add(e)
}

func kindOfGo(v any) cuelang.Kind {
	switch v.(type) {
	case nil:
		return cuelang.NullKind
	case bool:
		return cuelang.BoolKind
	case string:
		return cuelang.StringKind
	case int64:
		return cuelang.IntKind
	case float64:
		return cuelang.FloatKind
	case []any:
		return cuelang.ListKind
	}
	return cuelang.StructKind
}

// want describes what a schema accepts.
func want(v cuelang.Value) string {
	if op, args := v.Expr(); op == cuelang.OrOp {
		var parts []string
		for _, a := range args {
			if w := want(a); !slices.Contains(parts, w) {
				parts = append(parts, w)
			}
		}
		return oneOf(parts)
	}
	switch kind := v.IncompleteKind(); {
	case kind == cuelang.StructKind || kind == cuelang.BottomKind:
		return "an object"
	case kind == cuelang.ListKind:
		if e := v.LookupPath(cuelang.MakePath(cuelang.AnyIndex)); e.Exists() {
			return "a list of " + plural(want(e))
		}
		return "a list"
	case v.IsConcrete():
		if val, err := decode(v, "", 0); err == nil {
			if s, ok := val.(string); ok {
				return strconv.Quote(s)
			}
			if val == nil {
				return "null"
			}
			return fmt.Sprint(val)
		}
	}
	return typeText(v)
}

// typeText writes a type with its bounds in words: `int & >=1 & <=100` is "int
// from 1 to 100".
func typeText(v cuelang.Value) string {
	text := strings.Join(strings.Fields(fmt.Sprint(v)), " ")
	if len(text) > 120 {
		return v.IncompleteKind().String()
	}
	return bounded(strings.Split(text, " & "), v.IncompleteKind().String())
}

// bounded says conjuncts of CUE in words; kind is what they are together.
func bounded(conjuncts []string, kind string) string {
	var from, to string
	var more []string
	for _, c := range conjuncts {
		c = strings.Trim(c, "()")
		if c == "uint" { // how CUE writes an int with a lower bound of 0
			c = ">=0"
		}
		if m := bound.FindStringSubmatch(c); m != nil {
			switch m[1] {
			case ">=":
				from = m[2]
			case "<=":
				to = m[2]
			default:
				more = append(more, boundWords(m[1])+" "+m[2])
			}
			continue
		}
		if m := pattern.FindStringSubmatch(c); m != nil {
			expr, err := strconv.Unquote(m[2])
			if err != nil {
				expr = m[2]
			}
			more = append(more, map[string]string{"=~": "that matches ", "!~": "that does not match "}[m[1]]+expr)
			continue
		}
		if c != kind && !typeName.MatchString(c) {
			more = append(more, "and "+c)
		}
	}
	switch {
	case from != "" && to != "":
		kind += " from " + from + " to " + to
	case from != "":
		kind += " of at least " + from
	case to != "":
		kind += " of at most " + to
	}
	return strings.Join(append([]string{kind}, more...), " ")
}

func boundWords(op string) string {
	switch op {
	case ">":
		return "above"
	case "<":
		return "below"
	}
	return "other than"
}

var (
	bound    = regexp.MustCompile(`^(>=|<=|>|<|!=)(-?[0-9][^ ]*|"[^"]*")$`)
	pattern  = regexp.MustCompile(`^(=~|!~)(.*)$`)
	typeName = regexp.MustCompile(`^(int|uint|number|float|string|bool|bytes)(8|16|32|64|128)?$`)
)

func plural(w string) string {
	switch w {
	case "string", "bool", "int", "number", "float":
		return w + "s"
	case "an object":
		return "objects"
	}
	return w
}

func oneOf(parts []string) string {
	switch len(parts) {
	case 0:
		return ""
	case 1:
		return parts[0]
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " or " + parts[len(parts)-1]
}

// shown describes what was given; values of properties that look secret stay
// out of messages.
func shown(path string, v any) string {
	if s, ok := v.(string); ok && secretName.MatchString(path) {
		return "string of " + strconv.Itoa(len(s)) + " characters"
	}
	return mistake.Describe(v)
}

var secretName = regexp.MustCompile(`(?i)(password|passwd|secret|token|credential|private|apikey|accesskey)[^.\[]*$`)

func quoteIf(s string) string {
	if s == "" {
		return ""
	}
	return strconv.Quote(s)
}
