package cue

import (
	"context"
	"errors"
	"fmt"
	"sort"

	cuelang "cuelang.org/go/cue"

	"github.com/seed-c5f95f19/vela/pkg/cue/mistake"
	"github.com/seed-c5f95f19/vela/pkg/cue/order"
	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/text"
	"github.com/seed-c5f95f19/vela/pkg/cue/value"
)

// A package marks fields that need not be known when the call is made with
// this attribute: answers of the flat dialect (`response: {...} @absent()`), and
// parameters for which "not known yet" has a meaning (`continue: bool @absent()`).
const absentAttribute = "absent"

// calls performs the provider calls of one evaluation.
//
// It walks the fields in order and executes the first call that was not made
// yet and whose parameters are known; the answer is filled in and the walk
// starts again, because an answer can make new fields appear before it.
type calls struct {
	template *Template
	in       Input
	root     cuelang.Value
	done     map[string]bool
}

// A found call is a struct with #do and #provider.
type found struct {
	path  cuelang.Path
	key   string
	value cuelang.Value
	call  provider.Call
	loose bool  // a field marked @absent() is not known
	errs  error // why the parameters are not known
}

func (c *calls) all(ctx context.Context) error {
	for n := 0; ; n++ {
		if n >= c.template.engine.limits.Calls {
			return limitError("", "makes more than %d provider calls", c.template.engine.limits.Calls)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		var next *found
		var pending []*found
		if err := c.template.guard(ctx, func() { next, pending = c.next() }); err != nil {
			return err
		}
		if next == nil {
			return c.unfinished(pending)
		}
		if err := c.execute(ctx, next); err != nil {
			return err
		}
	}
}

// next finds the call to make now. A call that waits for others is passed
// over; one that is only loose about its parameters is made in its place,
// unless something before it still waits, and at the latest when nothing else
// is left.
func (c *calls) next() (next *found, pending []*found) {
	var loose *found
	c.walk(c.root, nil, c.template.order, func(f *found) bool {
		switch {
		case f.errs != nil:
			pending = append(pending, f)
		case f.loose && len(pending) > 0:
			if loose == nil {
				loose = f
			}
		default:
			next = f
			return false
		}
		return true
	})
	if next == nil {
		next = loose
	}
	return next, pending
}

// walk visits the calls below v that were not made yet, in field order. It
// returns false when visit stopped it.
func (c *calls) walk(v cuelang.Value, path []cuelang.Selector, o *order.Order, visit func(*found) bool) bool {
	v, _ = v.Default()
	switch v.IncompleteKind() {
	case cuelang.StructKind, cuelang.BottomKind: // bottom: some of its fields are not known yet
		if f := c.found(v, path); f != nil {
			if c.done[f.key] {
				return true
			}
			return visit(f)
		}
		for _, f := range o.Fields(v) {
			if len(path) == 0 && skipTop(f.Sel.String()) {
				continue
			}
			sub := append(path[:len(path):len(path)], f.Sel)
			if !c.walk(f.Value, sub, o.Below(f.Sel), visit) {
				return false
			}
		}
	case cuelang.ListKind:
		it, err := v.List()
		if err != nil {
			return true
		}
		for i := 0; it.Next(); i++ {
			sub := append(path[:len(path):len(path)], cuelang.Index(i))
			if !c.walk(it.Value(), sub, o, visit) {
				return false
			}
		}
	}
	return true
}

// skipTop names what comes from outside and cannot hold calls.
func skipTop(name string) bool { return name == "parameter" || name == "context" }

var (
	pathDo       = cuelang.MakePath(cuelang.Def("#do"))
	pathProvider = cuelang.MakePath(cuelang.Def("#provider"))
	pathParams   = cuelang.ParsePath("$params")
)

// hasReturns says that the struct declares `$returns`, given or not.
func hasReturns(v cuelang.Value) bool {
	it, err := v.Fields(cuelang.Optional(true))
	if err != nil {
		return false
	}
	for it.Next() {
		if it.Selector().Unquoted() == "$returns" {
			return true
		}
	}
	return false
}

func (c *calls) found(v cuelang.Value, path []cuelang.Selector) *found {
	do, err := v.LookupPath(pathDo).String()
	if err != nil {
		return nil
	}
	name, err := v.LookupPath(pathProvider).String()
	if err != nil {
		return nil
	}
	p := cuelang.MakePath(path...)
	f := &found{path: p, key: p.String(), value: v}
	f.call = provider.Call{Provider: name, Do: do, Path: f.key}
	if c.done[f.key] {
		return f
	}
	params := v.LookupPath(pathParams)
	f.call.Flat = !params.Exists() && !hasReturns(v)
	switch {
	case f.call.Flat:
		f.read(v, f.key)
		f.call.Patch = patchReader(v, f.key)
	case params.Exists():
		f.read(params, f.key+".$params")
		f.call.Patch = patchReader(params, f.key+".$params")
	}
	return f
}

// patchReader offers the parameters at v as patches: comments of a template are
// lost in JSON.
func patchReader(v cuelang.Value, prefix string) func(string) (any, error) {
	return func(field string) (any, error) {
		p := v.LookupPath(cuelang.MakePath(cuelang.Str(field)))
		if !p.Exists() {
			return nil, nil
		}
		return patch.FromValue(p, prefix+"."+field, func(v cuelang.Value, path string) (any, error) {
			return decode(v, path, 0)
		})
	}
}

// read decodes the parameters: fields marked @absent() are left out while they
// are not known.
func (f *found) read(v cuelang.Value, prefix string) {
	d := decoder{}
	if v.IncompleteKind() != cuelang.StructKind || v.Err() != nil {
		f.call.Params = d.value(v)
		f.errs = mistake.Located(d.errs, prefix)
		return
	}
	v, _ = v.Default()
	it, err := v.Fields()
	if err != nil {
		f.errs = mistake.Located(mistake.OfValue(v), prefix)
		return
	}
	out := map[string]any{}
	for it.Next() {
		field := it.Value()
		attr := field.Attribute(absentAttribute)
		if attr.Err() == nil && !concrete(field) {
			f.loose = true
			continue
		}
		name := it.Selector().Unquoted()
		out[name] = d.child(field, name)
	}
	f.call.Params = out
	f.errs = mistake.Located(d.errs, prefix)
}

// execute makes one call and fills the answer in.
func (c *calls) execute(ctx context.Context, f *found) error {
	c.done[f.key] = true
	action, write, ok := c.in.Actions.Lookup(f.call.Provider, f.call.Do)
	switch {
	case !ok:
		return CallError(f.key, fmt.Errorf("there is no action %q of provider %q here", f.call.Do, f.call.Provider))
	case write && c.in.ReadOnly:
		return CallError(f.key, fmt.Errorf("the action %q of provider %q changes the world, which a rendering must not", f.call.Do, f.call.Provider))
	}
	answer, err := action(ctx, f.call)
	if fillErr := c.fill(ctx, f, answer); fillErr != nil && err == nil {
		err = fillErr
	}
	if err == nil {
		return nil
	}
	err = CallError(f.key, err)
	if e := (*Error)(nil); errors.As(err, &e) && e.DefinitionLine == 0 && f.value.Pos().Filename() == c.template.src.Name {
		e.DefinitionLine = text.Line(f.value.Pos())
	}
	return err
}

// CallError says that the call at path ended with err, which stays inside.
func CallError(path string, err error) error {
	if isSignal(err) {
		return fmt.Errorf("%s: %w", path, err)
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		return err
	}
	return &Error{Kind: Provider, Path: path, Message: err.Error(), Err: err}
}

func isSignal(err error) bool {
	var w provider.Wait
	var s provider.Suspend
	var f provider.Fail
	var b provider.Break
	return errors.As(err, &w) || errors.As(err, &s) || errors.As(err, &f) || errors.As(err, &b)
}

func (c *calls) fill(ctx context.Context, f *found, answer any) error {
	if answer == nil {
		return nil
	}
	answer, err := value.NewNormalizer(c.template.engine.limits.caps()).Value(answer, f.key)
	if err != nil {
		return valueProblem(err)
	}
	path := f.path
	if f.call.Flat {
		answer = withoutClashes(answer, f.call.Params)
		if err := c.template.guard(ctx, func() { answer = allowed(answer, c.root.LookupPath(path)) }); err != nil {
			return err
		}
	} else {
		path = cuelang.MakePath(append(f.path.Selectors(), cuelang.Str("$returns"))...)
	}
	var v cuelang.Value
	if err := c.template.guard(ctx, func() {
		v = c.root.FillPath(path, value.Encode(c.root.Context(), answer))
		_ = v.Err()
	}); err != nil {
		return err
	}
	c.root = v
	if err := v.LookupPath(path).Validate(); err != nil {
		return &Error{Kind: Provider, Path: f.key,
			Message: "the answer does not fit the definition of the call", Err: mistake.Located(mistake.OfValue(v.LookupPath(path)), f.key)}
	}
	return nil
}

// withoutClashes drops from an answer what the template has written already.
// In the flat dialect parameters and answer share one struct: the API server
// may have written "1" where the template said "1000m", and both cannot stand
// in one field.
func withoutClashes(answer, params any) any {
	a, ok := answer.(map[string]any)
	p, ok2 := params.(map[string]any)
	if !ok || !ok2 {
		return answer
	}
	out := make(map[string]any, len(a))
	for k, v := range a {
		given, ok := p[k]
		if !ok {
			out[k] = v
			continue
		}
		_, m1 := v.(map[string]any)
		_, m2 := given.(map[string]any)
		if m1 && m2 {
			out[k] = withoutClashes(v, given)
		}
	}
	return out
}

// allowed drops from an answer what cannot stand in v. A call inside a definition
// is closed to fields that its author did not foresee, and an object has more of
// them once it is in a cluster.
func allowed(answer any, v cuelang.Value) any {
	a, ok := answer.(map[string]any)
	if !ok || v.IncompleteKind() != cuelang.StructKind {
		return answer
	}
	out := make(map[string]any, len(a))
	for name, field := range a {
		sel := cuelang.Str(name)
		switch inner := v.LookupPath(cuelang.MakePath(sel)); {
		case inner.Exists():
			out[name] = allowed(field, inner)
		case v.Allows(sel):
			out[name] = field
		}
	}
	return out
}

// unfinished reports the calls that could never be made: a step that did
// nothing must not look like one that succeeded.
func (c *calls) unfinished(pending []*found) error {
	if len(pending) == 0 {
		return nil
	}
	sort.SliceStable(pending, func(i, j int) bool { return pending[i].key < pending[j].key })
	var errs []*Error
	for _, f := range pending {
		for _, e := range Errors(f.errs) {
			errs = append(errs, &Error{Kind: e.Kind, Path: f.key, DefinitionLine: e.DefinitionLine,
				Message: "the call cannot be made: " + (&Error{Path: e.Path, Message: e.Message}).Error()})
		}
	}
	return mistake.Join(errs)
}
