// Package provider is the mechanism by which templates reach the world.
//
// A package that templates import ("vela/kube") is CUE text whose definitions
// carry `#do` and `#provider`. When the engine meets such a struct with
// concrete parameters it calls the Action bound to that pair and fills the
// answer back in. This package declares what an Action is, how typed Go
// functions become one, and how an Action stops a workflow step. Concrete
// packages live in sub folders (pkg/cue/provider/<name>), state the interfaces
// that they need, and are listed in provider/all. Nothing here evaluates CUE.
package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
)

// A Schema is the CUE text of one importable package.
type Schema struct {
	Path string // import path, such as "vela/kube"
	Text string
}

// A Call is one request of a template to a provider.
type Call struct {
	Provider string // value of #provider
	Do       string // value of #do
	Path     string // where in the template the call stands, such as "apply.web"

	// Params is the JSON-like value of `$params`, or the struct itself when the
	// template uses the flat dialect. It is usually a map[string]any; a few
	// packages (base64) take a plain string.
	Params any
	// Flat says that the struct has no `$params`: the answer is filled into the
	// struct itself instead of into `$returns`.
	Flat bool
	// Patch reads a parameter as a patch.Patch of pkg/cue/patch, with the markers
	// that its author wrote as comments; nil when there is no such parameter. The
	// func itself is nil in calls that no template made.
	Patch func(field string) (any, error)
}

// An Action does what a Call asks. The answer is a JSON-like value, nil for no
// answer. An error ends the evaluation, unless it is one of the signals of this
// package, which end it as an outcome. An Action must be safe for concurrent use
// and must not keep or modify Params.
type Action func(ctx context.Context, call Call) (any, error)

// Actions are the actions of one provider, by the value of `#do`.
type Actions map[string]Action

// A Package is one provider folder: a CUE text and the Go behind it. Reads are
// offered to every template, writes only to workflow steps.
type Package struct {
	Name   string // value of #provider
	Path   string // import path; empty means "vela/" + Name
	Schema string // CUE text with `#Name: {#do: "...", #provider: "...", ...}`
	Read   Actions
	Write  Actions
}

// Source returns the importable text of the package.
func (p Package) Source() Schema {
	path := p.Path
	if path == "" {
		path = "vela/" + p.Name
	}
	return Schema{Path: path, Text: p.Schema}
}

// Sources returns the importable texts of several packages.
func Sources(pkgs ...Package) []Schema {
	out := make([]Schema, 0, len(pkgs))
	for _, p := range pkgs {
		if p.Schema != "" {
			out = append(out, p.Source())
		}
	}
	return out
}

// Bound holds the actions of one provider that a run may use.
type Bound struct {
	Read  Actions
	Write Actions
}

// A Table binds provider names to actions for one run.
type Table map[string]Bound

// NewTable binds packages. Packages with the same Name are merged, a later
// action replacing an earlier one of the same name.
func NewTable(pkgs ...Package) Table {
	t := Table{}
	for _, p := range pkgs {
		b := t[p.Name]
		if b.Read == nil {
			b = Bound{Read: Actions{}, Write: Actions{}}
		}
		maps.Copy(b.Read, p.Read)
		maps.Copy(b.Write, p.Write)
		t[p.Name] = b
	}
	return t
}

// ReadOnly returns the table with writes that only say that they are none of its
// business. The result shares the read actions with t.
func (t Table) ReadOnly() Table {
	out := make(Table, len(t))
	for name, b := range t {
		out[name] = Bound{Read: b.Read}
		if len(b.Write) == 0 {
			continue
		}
		refused := make(Actions, len(b.Write))
		for do := range b.Write {
			refused[do] = refuse
		}
		out[name] = Bound{Read: b.Read, Write: refused}
	}
	return out
}

func refuse(_ context.Context, call Call) (any, error) {
	return nil, fmt.Errorf("the action %q of provider %q changes the world, which a rendering must not", call.Do, call.Provider)
}

// Lookup returns the action for a provider and a verb. write says that the
// action changes the world.
func (t Table) Lookup(provider, do string) (a Action, write, ok bool) {
	b, found := t[provider]
	if !found {
		return nil, false, false
	}
	if a, ok = b.Read[do]; ok {
		return a, false, true
	}
	a, ok = b.Write[do]
	return a, true, ok
}

// Func turns a typed function into an Action. Parameters and answer go through
// JSON, so the types state which fields the action understands; fields that the
// input type does not declare are ignored.
func Func[I, O any](f func(context.Context, I) (O, error)) Action {
	return func(ctx context.Context, call Call) (any, error) {
		var in I
		if err := Decode(call.Params, &in); err != nil {
			return nil, fmt.Errorf("parameters of %s.%s: %w", call.Provider, call.Do, err)
		}
		out, err := f(ctx, in)
		if err != nil {
			// A signal may come with data (the message so far, the object read).
			if v, encErr := Encode(out); encErr == nil {
				return v, err
			}
			return nil, err
		}
		return Encode(out)
	}
}

// Decode converts a JSON-like value into a typed one.
func Decode(params, into any) error {
	if params == nil {
		return nil
	}
	b, err := json.Marshal(params)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

// Encode converts a typed value into a JSON-like one. Values that are JSON-like
// already are returned as they are.
func Encode(v any) (any, error) {
	switch v.(type) {
	case nil, map[string]any, []any, string, bool, int64, float64:
		return v, nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return Unmarshal(b)
}
