package worker

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/schema"
	"github.com/seed-c5f95f19/vela/pkg/cue/value"
)

var _ cue.Sandbox = (*Pool)(nil)

// Open implements cue.Sandbox.
func (p *Pool) Open(ctx context.Context, place cue.Place, src cue.Source) (cue.Remote, error) {
	t := &template{pool: p, place: place, src: src, digest: cue.DigestOf(place.Digest, src.Text)}
	reply, _, err := t.ask(ctx, nil, message{"op": "open"})
	if err != nil {
		return nil, err
	}
	t.plain = reply.flag("plain")
	return t, nil
}

// A template is one source as workers know it.
type template struct {
	pool   *Pool
	place  cue.Place
	src    cue.Source
	digest string
	plain  bool
}

var _ cue.Remote = (*template)(nil)

// ask sends a request about t. When the worker does not know what it refers to
// it is sent again with everything.
func (t *template) ask(ctx context.Context, prefer *process, m message, more ...func(message)) (message, *process, error) {
	m["engine"], m["digest"] = t.place.Digest, t.digest
	reply, by, err := t.pool.do(ctx, task{prefer: prefer, suspect: !t.place.Proven(t.digest), message: func(everything bool) (message, error) {
		if !everything {
			return m, nil
		}
		all := maps.Clone(m)
		t.explain(all)
		for _, f := range more {
			f(all)
		}
		return all, nil
	}})
	if err != nil {
		return nil, nil, err
	}
	if why := reply.text("runaway"); why != "" {
		return nil, by, &cue.Runaway{Why: why}
	}
	return reply, by, theErrors(reply["errors"])
}

// explain adds what a worker has to know about a template.
func (t *template) explain(m message) {
	packages := make([]any, len(t.place.Packages))
	for i, p := range t.place.Packages {
		packages[i] = map[string]any{"path": p.Path, "text": p.Text}
	}
	l := t.place.Limits
	m["everything"], m["packages"] = true, packages
	m["kind"], m["name"], m["text"] = t.src.Kind, t.src.Name, t.src.Text
	m["limits"] = []any{int64(l.TemplateBytes), int64(l.InputBytes), int64(l.InputDepth), int64(l.InputKeys),
		int64(l.KeyBytes), int64(l.OutputBytes), int64(l.Repeat), int64(l.Calls)}
}

// Plain implements cue.Remote.
func (t *template) Plain() bool { return t.plain }

// Check implements cue.Remote.
func (t *template) Check(parameter any) error {
	_, _, err := t.ask(context.Background(), nil, message{"op": "check", "parameter": parameter})
	return err
}

// Unknown implements cue.Remote.
func (t *template) Unknown(parameter any) ([]cue.UnknownField, error) {
	reply, _, err := t.ask(context.Background(), nil, message{"op": "unknown", "parameter": parameter})
	if err != nil {
		return nil, err
	}
	var out []cue.UnknownField
	for _, e := range reply.list("fields") {
		o, _ := e.(map[string]any)
		f := message(o)
		out = append(out, cue.UnknownField{Path: f.text("path"), Suggestion: f.text("suggestion")})
	}
	return out, nil
}

// Schema implements cue.Remote.
func (t *template) Schema() (*schema.Schema, error) {
	reply, _, err := t.ask(context.Background(), nil, message{"op": "schema"})
	if err != nil {
		return nil, err
	}
	s := &schema.Schema{}
	if err := json.Unmarshal([]byte(reply.text("schema")), s); err != nil {
		return nil, err
	}
	whole(s)
	return s, nil
}

// whole gives the values of a schema back the types that JSON took.
func whole(s *schema.Schema) {
	if s == nil {
		return
	}
	fix := func(v any) any {
		if b, err := json.Marshal(v); err == nil && v != nil {
			if v, err := provider.Unmarshal(b); err == nil {
				return v
			}
		}
		return v
	}
	s.Default = fix(s.Default)
	for i := range s.Enum {
		s.Enum[i] = fix(s.Enum[i])
	}
	for _, p := range s.Properties {
		whole(p)
	}
	for _, p := range s.OneOf {
		whole(p)
	}
	whole(s.AdditionalProperties)
	whole(s.Items)
}

// Eval implements cue.Remote.
func (t *template) Eval(ctx context.Context, in cue.Input) (cue.Reading, error) {
	r := &reading{template: t, in: in, id: strconv.FormatInt(t.pool.sessions.Add(1), 36)}
	reply, err := r.ask(ctx, message{"op": "eval"}, true)
	for {
		if err != nil {
			return nil, err
		}
		call := reply.object("call")
		if call == nil {
			break
		}
		answer, failed := r.perform(ctx, call)
		if answer, err = r.normal(answer, call.text("path")); err != nil && failed == nil {
			failed = err
		}
		step := message{"op": "resume", "at": int64(len(r.answers)), "answer": answer, "failed": failed != nil}
		reply, err = r.ask(ctx, step, false)
		r.answers = append(r.answers, map[string]any{"answer": answer, "failed": failed != nil})
		if failed != nil {
			if err != nil { // how the call ended says more than what it left
				return nil, cue.CallError(call.text("path"), failed)
			}
			r.keep(reply)
			return r, located(cue.CallError(call.text("path"), failed), theErrors(reply["ended"]))
		}
	}
	r.keep(reply)
	if err := theErrors(reply["ended"]); err != nil {
		if !reply.flag("result") {
			return nil, err
		}
		return r, err
	}
	return r, nil
}

// located gives an error of a call the line that the worker knows.
func located(err, ended error) error {
	e, there := (*cue.Error)(nil), (*cue.Error)(nil)
	if errors.As(err, &e) && e.DefinitionLine == 0 && errors.As(ended, &there) {
		e.DefinitionLine, e.DefinitionColumn = there.DefinitionLine, there.DefinitionColumn
	}
	return err
}

// A reading is one evaluation; a worker may have forgotten it and is told again.
type reading struct {
	template *template
	in       cue.Input
	id       string
	answers  []any // of the provider calls so far, in order

	mu    sync.Mutex
	where *process
	got   map[string]message // what was read ahead
}

var _ cue.Reading = (*reading)(nil)

// ask sends a request about the evaluation. first says that no worker knows it.
func (r *reading) ask(ctx context.Context, m message, first bool) (message, error) {
	m["session"] = r.id
	if first {
		r.explain(m)
	}
	r.mu.Lock()
	where := r.where
	r.mu.Unlock()
	reply, by, err := r.template.ask(ctx, where, m, r.explain)
	if by != nil {
		r.mu.Lock()
		r.where = by
		r.mu.Unlock()
	}
	return reply, err
}

// explain adds what a worker needs to evaluate again what it has forgotten.
func (r *reading) explain(m message) {
	actions := map[string]any{}
	for name, b := range r.in.Actions {
		actions[name] = []any{names(b.Read), names(b.Write)}
	}
	m["parameter"], m["context"] = r.in.Parameter, r.in.Context
	m["actions"], m["readOnly"], m["answers"] = actions, r.in.ReadOnly, slices.Clone(r.answers)
}

func names(a provider.Actions) []any {
	out := make([]any, 0, len(a))
	for _, name := range slices.Sorted(maps.Keys(a)) {
		out = append(out, name)
	}
	return out
}

// perform makes a provider call here, where the world is.
func (r *reading) perform(ctx context.Context, m message) (any, error) {
	call := provider.Call{Provider: m.text("provider"), Do: m.text("do"), Path: m.text("path"), Params: m["params"], Flat: m.flag("flat")}
	call.Patch = func(field string) (any, error) {
		reply, err := r.ask(ctx, message{"op": "call patch", "field": field}, false)
		if err != nil || reply["patch"] == nil {
			return nil, err
		}
		return r.restore(reply["patch"], "call:"+field)
	}
	action, _, ok := r.in.Actions.Lookup(call.Provider, call.Do)
	if !ok {
		return nil, errors.New("there is no such action here")
	}
	return action(ctx, call)
}

// normal brings an answer into the form that a worker understands.
func (r *reading) normal(answer any, path string) (any, error) {
	l := r.template.place.Limits
	v, err := value.NewNormalizer(value.Caps{Bytes: l.InputBytes, Depth: l.InputDepth, Keys: l.InputKeys, KeyBytes: l.KeyBytes}).Value(answer, path)
	if p := (*value.Problem)(nil); errors.As(err, &p) {
		kind := cue.WrongType
		if p.Limit {
			kind = cue.Limit
		}
		return nil, &cue.Error{Kind: kind, Path: p.Path, Message: p.Message}
	}
	return v, err
}

// keep remembers what the worker read ahead.
func (r *reading) keep(reply message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = map[string]message{}
	for what, v := range reply.object("ahead") {
		o, _ := v.(map[string]any)
		r.got[what] = o
	}
}

// read asks for one thing, unless it was read ahead.
func (r *reading) read(what string, m message) (message, error) {
	r.mu.Lock()
	known, ok := r.got[what]
	r.mu.Unlock()
	if ok {
		return known, theErrors(known["errors"])
	}
	m["op"] = "read"
	reply, err := r.ask(context.Background(), m, false)
	if err != nil {
		return nil, err
	}
	known = reply.object("read")
	return known, theErrors(known["errors"])
}

// Lookup implements cue.Reading.
func (r *reading) Lookup(path string) (any, bool, error) {
	m, err := r.read("value:"+path, message{"what": "value", "path": path})
	if err != nil || !m.flag("ok") {
		return nil, m.flag("ok"), err
	}
	v, err := value.Parse([]byte(m.text("value"))) // a copy for each caller
	return v, true, err
}

// Patch implements cue.Reading.
func (r *reading) Patch() (patch.Patch, bool, error) {
	m, err := r.read("patch:", message{"what": "patch"})
	if err != nil || !m.flag("ok") {
		return patch.Patch{}, m.flag("ok"), err
	}
	p, err := r.restore(m["patch"], "patch")
	return p, true, err
}

// PatchOutputs implements cue.Reading.
func (r *reading) PatchOutputs() (map[string]patch.Patch, error) {
	m, err := r.read("patchOutputs:", message{"what": "patchOutputs"})
	if err != nil || !m.flag("ok") {
		return nil, err
	}
	out := map[string]patch.Patch{}
	for name, v := range m.object("patches") {
		p, err := r.restore(v, "patchOutputs:"+name)
		if err != nil {
			return nil, err
		}
		out[name] = p
	}
	return out, nil
}

// Expr implements cue.Reading.
func (r *reading) Expr(expr string) (any, error) {
	m, err := r.read("expr:"+expr, message{"what": "expr", "path": expr})
	if err != nil {
		return nil, err
	}
	return value.Parse([]byte(m.text("value")))
}

// Err implements cue.Reading.
func (r *reading) Err() error {
	_, err := r.read("err:", message{"what": "err"})
	return err
}

func (r *reading) restore(v any, source string) (patch.Patch, error) {
	return patch.Restore(v, func(id int64) patch.Constraint { return constraint{r, source, id} })
}

// constraint is a part of a patch that the worker has to unify.
type constraint struct {
	reading *reading
	source  string
	id      int64
}

// With implements patch.Constraint.
func (c constraint) With(base any) (any, error) { return c.ask("with", base) }

// Default implements patch.Constraint.
func (c constraint) Default() (any, error) { return c.ask("default", nil) }

func (c constraint) ask(what string, base any) (any, error) {
	base, err := c.reading.normal(base, "patch")
	if err != nil {
		return nil, err
	}
	m, err := c.reading.read("", message{"what": what, "path": c.source, "id": c.id, "base": base})
	if err != nil {
		return nil, err
	}
	return value.Parse([]byte(m.text("value")))
}
