// Package query is the provider package "vela/query", and its older dialect in
// "vela/ql": templates of workflow steps and views ask what an Application owns,
// what runs of it, how it is reached, and what its pods say.
//
// It only reads. What answers is a World, which the owner of the run implements;
// this package turns questions of templates into questions to it, and answers
// into the shapes that templates of KubeVela expect.
package query

import (
	_ "embed"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

//go:embed query.cue
var schema string

//go:embed flat.cue
var flat string

// Schema is the text that templates import.
func Schema() provider.Schema { return provider.Schema{Path: "vela/query", Text: schema} }

// Flat is the text of the older dialect, a part of the packages "vela/op" and
// "vela/ql".
func Flat() string { return flat }
