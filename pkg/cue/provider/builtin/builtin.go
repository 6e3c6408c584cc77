// Package builtin is the provider package "vela/builtin": templates of workflow
// steps wait, suspend, fail, end the workflow, say something, and read and write
// the values that steps share.
//
// What a step is told and what it remembers is behind Session, which the runner
// of CUE steps makes for every attempt.
package builtin

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

//go:embed builtin.cue
var schema string

// A Session is one attempt to execute a step. It is safe for concurrent use.
type Session interface {
	// Pause is asked when the template wants to pause at a path. It returns false
	// when that pause is over.
	Pause(path string) bool
	// Say sets what the step tells in its status.
	Say(message string)
	Var(path string) (any, error)
	SetVar(path string, value any) error
}

// Schema is the text that templates import.
func Schema() provider.Schema { return provider.Schema{Path: "vela/builtin", Text: schema} }

// New returns the package for one attempt.
func New(s Session) provider.Package {
	b := session{s}
	return provider.Package{Name: "builtin", Schema: schema, Read: provider.Actions{
		"wait":    provider.Func(b.wait),
		"suspend": b.suspend,
		"break":   provider.Func(b.end),
		"fail":    provider.Func(b.fail),
		"message": provider.Func(b.message),
		"var":     provider.Func(b.variable),
	}}
}

type session struct{ Session }

type messageIn struct {
	Message string `json:"message"`
}

func (b session) wait(_ context.Context, in struct {
	Continue bool   `json:"continue"`
	Message  string `json:"message"`
}) (any, error) {
	if in.Continue {
		return nil, nil
	}
	return nil, provider.Wait{Message: in.Message}
}

func (b session) suspend(_ context.Context, call provider.Call) (any, error) {
	var in struct {
		Duration string `json:"duration"`
		Message  string `json:"message"`
	}
	if err := provider.Decode(call.Params, &in); err != nil {
		return nil, fmt.Errorf("parameters of suspend: %w", err)
	}
	signal := provider.Suspend{Message: in.Message}
	if in.Duration != "" {
		d, err := time.ParseDuration(in.Duration)
		if err != nil {
			return nil, provider.Fail{Message: fmt.Sprintf("duration: expected a duration such as 30s or 1h, got %q", in.Duration)}
		}
		signal.For = d
	}
	if !b.Pause(call.Path) {
		return nil, nil
	}
	return nil, signal
}

func (b session) end(_ context.Context, in messageIn) (any, error) {
	return nil, provider.Break{Message: in.Message}
}

func (b session) fail(_ context.Context, in messageIn) (any, error) {
	return nil, provider.Fail{Message: in.Message}
}

func (b session) message(_ context.Context, in messageIn) (any, error) {
	b.Say(in.Message)
	return nil, nil
}

func (b session) variable(_ context.Context, in struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Value  any    `json:"value"`
}) (any, error) {
	switch in.Method {
	case "Put":
		return nil, b.SetVar(in.Path, in.Value)
	case "Get", "":
		v, err := b.Var(in.Path)
		if err != nil {
			return nil, err
		}
		return map[string]any{"value": v}, nil
	}
	return nil, fmt.Errorf("method: expected Get or Put, got %q", in.Method)
}
