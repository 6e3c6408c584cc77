package worker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

// A server is what a worker remembers between requests. All of it can be
// forgotten: the other side explains again.
type server struct {
	engines   map[string]*cue.Engine   // by the digest of their packages
	templates map[string]*cue.Template // by digest
	sessions  []*session               // used last at the end
}

const (
	maxEngines   = 4
	maxTemplates = 500
	maxSessions  = 16
)

func newServer() *server {
	return &server{engines: map[string]*cue.Engine{}, templates: map[string]*cue.Template{}}
}

// forget drops everything.
func (s *server) forget() {
	for _, e := range s.sessions {
		e.cancel()
	}
	*s = *newServer()
}

// answer does one request.
func (s *server) answer(b []byte) []byte {
	var reply message
	m, err := decode(b)
	if err == nil {
		reply, err = s.do(m)
	}
	if e := s.engines[m.text("engine")]; e != nil && err == nil {
		if t := s.templates[m.text("digest")]; t != nil {
			err = crashed(e, t.Source())
		}
	}
	if err != nil {
		reply = message{"errors": flatErrors(err)}
		if r := (*cue.Runaway)(nil); errors.As(err, &r) {
			reply = message{"runaway": r.Why}
		}
	}
	out, err := encode(reply)
	if err != nil { // a value that is not normalised is a mistake of ours
		out, _ = encode(message{"errors": []any{map[string]any{"plain": err.Error()}}})
	}
	return out
}

// crashed says that the library panicked, which the engine here has caught.
func crashed(e *cue.Engine, src cue.Source) error {
	if trouble, ok := e.Trouble(src); ok {
		return &cue.Runaway{Why: trouble.Why}
	}
	return nil
}

var unknown = message{"unknown": true}

func (s *server) do(m message) (message, error) {
	if m.text("op") == "hello" {
		return message{}, nil
	}
	t, err := s.template(m)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return unknown, nil
	}
	switch m.text("op") {
	case "open":
		return message{"plain": t.Plain()}, nil
	case "check":
		return message{}, t.Check(m["parameter"])
	case "unknown":
		return message{"fields": flatFields(t.Unknown(m["parameter"]))}, nil
	case "schema":
		sc, err := t.Schema()
		if err != nil {
			return nil, err
		}
		b, err := json.Marshal(sc)
		return message{"schema": string(b)}, err
	case "eval", "resume", "call patch", "read":
		return s.session(t, m)
	}
	return nil, fmt.Errorf("a worker cannot do %q", m.text("op"))
}

func flatFields(fields []cue.UnknownField) []any {
	out := make([]any, len(fields))
	for i, f := range fields {
		out[i] = map[string]any{"path": f.Path, "suggestion": f.Suggestion}
	}
	return out
}

// template returns the template of a request, nil when it is not known.
func (s *server) template(m message) (*cue.Template, error) {
	if t, ok := s.templates[m.text("digest")]; ok {
		return t, nil
	}
	if !m.flag("everything") {
		return nil, nil
	}
	e, ok := s.engines[m.text("engine")]
	if !ok {
		if len(s.engines) >= maxEngines {
			s.forget()
		}
		e = newEngine(m)
		s.engines[m.text("engine")] = e
	}
	src := cue.Source{Kind: m.text("kind"), Name: m.text("name"), Text: m.text("text")}
	t, err := e.Compile(src)
	if err != nil {
		return nil, cmp.Or(crashed(e, src), err)
	}
	if len(s.templates) >= maxTemplates {
		clear(s.templates)
	}
	s.templates[m.text("digest")] = t
	return t, nil
}

// newEngine makes the engine that the other side has. The watch bounds time and
// memory here, so the engine has no budget of its own.
func newEngine(m message) *cue.Engine {
	var pkgs []provider.Schema
	for _, e := range m.list("packages") {
		o, _ := e.(map[string]any)
		pkgs = append(pkgs, provider.Schema{Path: message(o).text("path"), Text: message(o).text("text")})
	}
	l := cue.Limits{Budget: time.Hour, Cells: maxTemplates, CellBytes: 64 << 20, CellEvals: 20_000}
	n := m.list("limits")
	for i, p := range []*int{&l.TemplateBytes, &l.InputBytes, &l.InputDepth, &l.InputKeys, &l.KeyBytes, &l.OutputBytes, &l.Repeat, &l.Calls} {
		if i < len(n) {
			v, _ := n[i].(int64)
			*p = int(v)
		}
	}
	return cue.NewEngine(cue.Options{Packages: pkgs, Limits: l})
}

// A session is one evaluation. While it waits for the answer of a provider call
// its goroutine is parked.
type session struct {
	id      string
	cancel  context.CancelFunc
	calls   chan provider.Call
	answers chan answer
	done    chan struct{}
	pending *provider.Call
	given   int // answers so far

	res  *cue.Result
	err  error
	held map[string][]patch.Constraint // by the patch that they are part of
}

type answer struct {
	value  any
	failed error
}

// session does a request about an evaluation, and evaluates again what is not
// known any more.
func (s *server) session(t *cue.Template, m message) (message, error) {
	e := s.find(m.text("session"))
	if e == nil {
		if _, ok := m["actions"]; !ok {
			return unknown, nil
		}
		e = s.begin(t, m)
		e.advance()
		for _, a := range m.list("answers") {
			o, _ := a.(map[string]any)
			e.resume(o)
		}
	}
	switch m.text("op") {
	case "resume":
		if e.given == int(m.number("at")) {
			e.resume(m)
		}
		return e.state(), nil
	case "call patch":
		return e.callPatch(m.text("field"))
	case "read":
		return message{"read": map[string]any(e.read(m))}, nil
	}
	return e.state(), nil
}

func (s *server) find(id string) *session {
	for i, e := range s.sessions {
		if e.id == id {
			s.sessions = append(slices.Delete(s.sessions, i, i+1), e)
			return e
		}
	}
	return nil
}

// begin starts an evaluation.
func (s *server) begin(t *cue.Template, m message) *session {
	if len(s.sessions) >= maxSessions {
		s.sessions[0].cancel()
		s.sessions = slices.Delete(s.sessions, 0, 1)
	}
	ctx, cancel := context.WithCancel(context.Background())
	e := &session{id: m.text("session"), cancel: cancel, calls: make(chan provider.Call), answers: make(chan answer),
		done: make(chan struct{}), held: map[string][]patch.Constraint{}}
	s.sessions = append(s.sessions, e)
	in := cue.Input{Parameter: m["parameter"], Context: m.object("context"), ReadOnly: m.flag("readOnly"), Actions: e.table(m.object("actions"))}
	go func() {
		defer close(e.done)
		e.res, e.err = t.Eval(ctx, in)
	}()
	return e
}

// table offers the actions that the other side has.
func (e *session) table(actions message) provider.Table {
	out := provider.Table{}
	for name := range actions {
		lists := actions.list(name)
		if len(lists) == 2 {
			out[name] = provider.Bound{Read: e.actions(lists[0]), Write: e.actions(lists[1])}
		}
	}
	return out
}

func (e *session) actions(v any) provider.Actions {
	list, _ := v.([]any)
	out := provider.Actions{}
	for _, n := range list {
		if name, ok := n.(string); ok {
			out[name] = e.call
		}
	}
	return out
}

// call hands a provider call to the other side and waits for the answer.
func (e *session) call(ctx context.Context, c provider.Call) (any, error) {
	select {
	case e.calls <- c:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case a := <-e.answers:
		return a.value, a.failed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// advance waits until the evaluation needs an answer or has come to its end.
func (e *session) advance() {
	select {
	case c := <-e.calls:
		e.pending = &c
	case <-e.done:
		e.pending = nil
	}
}

// errFailed stands for the error that the other side knows.
type errFailed struct{}

func (errFailed) Error() string { return "the call failed" }

func (e *session) resume(m message) {
	if e.pending == nil {
		return
	}
	a := answer{value: m["answer"]}
	if m.flag("failed") {
		a.failed = errFailed{}
	}
	e.given++
	e.answers <- a
	e.advance()
}

// state says what an evaluation waits for, or how it ended.
func (e *session) state() message {
	if c := e.pending; c != nil {
		return message{"call": map[string]any{"provider": c.Provider, "do": c.Do, "path": c.Path, "params": c.Params, "flat": c.Flat}}
	}
	reply := message{"ended": flatErrors(e.err), "result": e.res != nil}
	if e.res != nil {
		reply["ahead"] = e.ahead()
	}
	return reply
}

// ahead reads what almost everybody reads, which saves asking for it.
func (e *session) ahead() map[string]any {
	out := map[string]any{}
	for _, path := range []string{"output", "outputs", "errs", "isHealth", "message", "result"} {
		out["value:"+path] = map[string]any(e.read(message{"what": "value", "path": path}))
	}
	for _, what := range []string{"patch", "patchOutputs"} {
		out[what+":"] = map[string]any(e.read(message{"what": what}))
	}
	return out
}

func (e *session) callPatch(field string) (message, error) {
	if e.pending == nil || e.pending.Patch == nil {
		return message{}, nil
	}
	v, err := e.pending.Patch(field)
	p, ok := v.(patch.Patch)
	if err != nil || !ok {
		return message{}, err
	}
	return message{"patch": e.flatten(p, "call:"+field)}, nil
}

// flatten keeps the constraints of a patch, so that they can be asked about.
func (e *session) flatten(p patch.Patch, source string) any {
	e.held[source] = nil
	return p.Flatten(func(c patch.Constraint) int64 {
		e.held[source] = append(e.held[source], c)
		return int64(len(e.held[source]) - 1)
	})
}
