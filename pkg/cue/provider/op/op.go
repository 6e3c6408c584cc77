// Package op is the older dialect of the workflow packages: "vela/op" and
// "vela/ql" hold the definitions of several packages in one, and parameters and
// answers share one struct instead of standing in $params and $returns.
//
// The text names the providers of the newer packages, so that both dialects run
// the same actions.
package op

import (
	_ "embed"
	"strings"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/query"
)

// The text is one, in several files.
var (
	//go:embed op.cue
	main string
	//go:embed config.cue
	config string
	//go:embed email.cue
	email string
	//go:embed envbinding.cue
	envBinding string
	//go:embed metrics.cue
	metrics string
	//go:embed terraform.cue
	terraform string
)

// Schemas are the texts that templates import.
func Schemas() []provider.Schema {
	text := strings.Join([]string{main, config, email, envBinding, metrics, terraform, query.Flat()}, "")
	return []provider.Schema{{Path: "vela/op", Text: text}, {Path: "vela/ql", Text: text}}
}
