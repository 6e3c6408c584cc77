// Package time is the provider package "vela/time": it converts between dates
// and seconds since 1970.
package time

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

//go:embed time.cue
var schema string

// Schema is the text that templates import.
func Schema() provider.Schema { return provider.Schema{Path: "vela/time", Text: schema} }

// New returns the package.
func New() provider.Package {
	return provider.Package{Name: "time", Schema: schema, Read: provider.Actions{
		"timestamp": provider.Func(timestamp),
		"date":      provider.Func(date),
	}}
}

func timestamp(_ context.Context, in struct {
	Date   string `json:"date"`
	Layout string `json:"layout"`
}) (any, error) {
	layout := cmp.Or(in.Layout, time.RFC3339)
	t, err := time.Parse(layout, in.Date)
	if err != nil {
		return nil, fmt.Errorf("date: expected the form %q, got %q", layout, in.Date)
	}
	return map[string]any{"timestamp": t.Unix()}, nil
}

func date(_ context.Context, in struct {
	Timestamp int64  `json:"timestamp"`
	Layout    string `json:"layout"`
}) (any, error) {
	return map[string]any{"date": time.Unix(in.Timestamp, 0).UTC().Format(cmp.Or(in.Layout, time.RFC3339))}, nil
}
