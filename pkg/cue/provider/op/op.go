// Package op is the older dialect of the workflow packages: "vela/op" and
// "vela/ql" hold the definitions of several packages in one, and parameters and
// answers share one struct instead of standing in $params and $returns.
//
// The text names the providers of the newer packages, so that both dialects run
// the same actions.
package op

import (
	_ "embed"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

//go:embed op.cue
var schema string

// Schemas are the texts that templates import.
func Schemas() []provider.Schema {
	return []provider.Schema{{Path: "vela/op", Text: schema}, {Path: "vela/ql", Text: schema}}
}
