// Package cue is the provider package "vela/cue": it merges values as traits
// are merged into workloads.
package cue

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

//go:embed cue.cue
var schema string

// Schema is the text that templates import.
func Schema() provider.Schema { return provider.Schema{Path: "vela/cue", Text: schema} }

// New returns the package.
func New() provider.Package {
	return provider.Package{Name: "cue", Schema: schema, Read: provider.Actions{"strategyUnify": unify}}
}

func unify(_ context.Context, call provider.Call) (any, error) {
	var in struct {
		Value map[string]any `json:"value"`
	}
	if err := provider.Decode(call.Params, &in); err != nil {
		return nil, fmt.Errorf("parameters of strategyUnify: %w", err)
	}
	p, err := call.Patch("patch")
	if err != nil || p == nil {
		return in.Value, err
	}
	return patch.Apply(in.Value, p.(patch.Patch))
}
