// Package util is the provider package "vela/util": small tools of workflow
// steps.
package util

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

//go:embed util.cue
var schema string

// A Log takes what steps log: data to write down, or where the logs of the step
// are.
type Log interface {
	Log(ctx context.Context, entry Entry)
}

// An Entry is one #Log of a step.
type Entry struct {
	Level  int            `json:"level"`
	Data   any            `json:"data,omitempty"`
	Source map[string]any `json:"source,omitempty"`
}

// Schema is the text that templates import.
func Schema() provider.Schema { return provider.Schema{Path: "vela/util", Text: schema} }

// New returns the package. Without a log, entries are dropped.
func New(log Log) provider.Package {
	return provider.Package{Name: "util", Schema: schema, Read: provider.Actions{
		"patch-k8s-object": patchObject,
		"string":           provider.Func(text),
		"log": provider.Func(func(ctx context.Context, e Entry) (any, error) {
			if log != nil {
				log.Log(ctx, e)
			}
			return nil, nil
		}),
	}}
}

func patchObject(_ context.Context, call provider.Call) (any, error) {
	var in struct {
		Value map[string]any `json:"value"`
	}
	if err := provider.Decode(call.Params, &in); err != nil {
		return nil, fmt.Errorf("parameters of patch-k8s-object: %w", err)
	}
	p, err := call.Patch("patch")
	if err != nil || p == nil {
		return map[string]any{"result": in.Value}, err
	}
	result, err := patch.Apply(in.Value, p.(patch.Patch))
	return map[string]any{"result": result}, err
}

// text turns bytes, which arrive as base64, into a string.
func text(_ context.Context, in struct {
	Bytes []byte `json:"bt"`
}) (any, error) {
	return map[string]any{"str": string(in.Bytes)}, nil
}
