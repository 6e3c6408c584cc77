package preview

import (
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
)

// engines compile templates: those of components and traits, and those of
// workflow steps, which may import other packages under the same names.
type engines struct{ components, steps *cue.Engine }

func newEngines() engines {
	return engines{
		components: cue.NewEngine(cue.Options{Packages: all.DefinitionSchemas()}),
		steps:      cue.NewEngine(cue.Options{Packages: all.WorkflowSchemas()}),
	}
}
