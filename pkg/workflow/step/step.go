// Package step is the list of step types: the native ones, and everything else
// by its definition in CUE.
//
// A native type is used only as long as its definition is the one that comes
// with the program: who installs a definition of their own gets that.
package step

import (
	"fmt"
	"strings"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/oam"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
	"github.com/seed-c5f95f19/vela/pkg/workflow/step/component"
	"github.com/seed-c5f95f19/vela/pkg/workflow/step/custom"
	"github.com/seed-c5f95f19/vela/pkg/workflow/step/deploy"
	"github.com/seed-c5f95f19/vela/pkg/workflow/step/suspend"
)

// Options are what the steps of one run stand on.
type Options struct {
	// Engine has the texts of all.WorkflowSchemas.
	Engine *cue.Engine
	// Definition finds the definition of a step type.
	Definition func(stepType string) (Definition, error)
	// Deployer delivers for a step; nil where there is no Application.
	Deployer func(step string) oam.Deployer
	// Deps are the means of templates. The steps fill in Deployer, Session, Memory
	// and Allow.
	Deps all.Deps
}

// A Definition is the template of a step type.
type Definition struct {
	Name    string
	Text    string
	Builtin bool // it is the one that comes with the program
}

// Runners returns what finds the runner of a step type, for workflow.Env.
func Runners(o Options) func(stepType string) (workflow.Runner, error) {
	return func(stepType string) (workflow.Runner, error) {
		def, err := o.Definition(stepType)
		if native := o.native(stepType); native != nil && (err != nil || def.Builtin) {
			return native, nil
		}
		if err != nil {
			return nil, fmt.Errorf("step type %q: %w", stepType, err)
		}
		return custom.Runner{Engine: o.Engine, Name: def.Name, Text: def.Text, Actions: o.actions}, nil
	}
}

// native is the runner of a type that is written in Go, nil if it is not. This
// is the list.
func (o Options) native(stepType string) workflow.Runner {
	name, _, _ := strings.Cut(stepType, "@")
	switch name {
	case workflow.TypeSuspend:
		return suspend.Runner{Planner: o.planner}
	case "deploy":
		if o.Deployer != nil {
			return deploy.Runner{Deployer: o.Deployer}
		}
	case "apply-component", "builtin-apply-component":
		if o.Deployer != nil {
			return component.Runner{Deployer: o.Deployer, Engine: o.Engine}
		}
	}
	return nil
}

// planner finds who can say what a step is going to deliver.
func (o Options) planner(stepType string) suspend.Planner {
	def, err := o.Definition(stepType)
	if err == nil && !def.Builtin {
		return nil
	}
	p, _ := o.native(stepType).(suspend.Planner)
	return p
}

// actions are those of one attempt.
func (o Options) actions(run workflow.StepRun, s custom.Session, allow oam.Allow) provider.Table {
	d := o.Deps
	d.Session, d.Memory, d.Allow = s, s, allow
	if o.Deployer != nil {
		d.Deployer = o.Deployer(run.Name)
	}
	return all.Workflow(d)
}
