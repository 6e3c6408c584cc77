package preview

import (
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
)

// engines compile templates: those of components and traits, and those of
// workflow steps, which may import other packages under the same names.
type engines struct{ components, steps *cue.Engine }

func newEngines(f *connect.Factory) (engines, error) {
	builtin, err := definition.Builtin()
	if err != nil {
		return engines{}, err
	}
	o := cue.Options{Packages: all.DefinitionSchemas(), Trusted: builtin.Ours}
	if f != nil {
		o.Sandbox = f.Sandbox
	}
	e := engines{components: cue.NewEngine(o)}
	o.Packages = all.WorkflowSchemas()
	e.steps = cue.NewEngine(o)
	return e, nil
}
