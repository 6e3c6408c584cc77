// Package charts carries the API of the control plane inside the binaries, so
// that vela-core and tests install the same bytes that the Helm chart ships. It
// only hands out what is in the folder below it.
package charts

import "embed"

// CRDs holds the definitions of every kind of the API, one file each.
//
//go:embed vela-core/crds/*.yaml
var CRDs embed.FS

// Views holds the texts of the views, one file each.
//
//go:embed vela-core/views/*.cue
var Views embed.FS
