// Package base64 is the provider package "vela/base64": it encodes and decodes
// text.
package base64

import (
	"context"
	_ "embed"
	"encoding/base64"
	"fmt"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

//go:embed base64.cue
var schema string

// Schema is the text that templates import.
func Schema() provider.Schema { return provider.Schema{Path: "vela/base64", Text: schema} }

// New returns the package.
func New() provider.Package {
	return provider.Package{Name: "base64", Schema: schema, Read: provider.Actions{
		"encode": provider.Func(func(_ context.Context, text string) (any, error) {
			return base64.StdEncoding.EncodeToString([]byte(text)), nil
		}),
		"decode": provider.Func(func(_ context.Context, text string) (any, error) {
			b, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				return nil, fmt.Errorf("expected base64: %w", err)
			}
			return string(b), nil
		}),
	}}
}
