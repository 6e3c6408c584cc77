// Package author is what the commands for writers of definitions share: reading
// definitions from files with the place of every line, finding what is wrong
// with them, properties to try them with, and the page that describes them. It
// asks no cluster; the commands beside it do, when they have to.
package author

import (
	"fmt"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/definition"
)

// A Definition is one definition as its author wrote it.
type Definition struct {
	definition.Definition

	File   string
	Wire   client.Object // what goes into a cluster
	Source string        // the file, when it is CUE

	lines  []string // of the file
	places map[string]definition.Place
}

// String returns for example "trait scaler", for messages.
func (d Definition) String() string { return fmt.Sprintf("%s %s", d.Kind, d.Name) }

// text returns a text of the definition by its name.
func (d Definition) text(name string) string {
	switch name {
	case definition.HealthPolicyText:
		return d.HealthPolicy
	case definition.CustomStatusText:
		return d.CustomStatus
	case definition.DetailsText:
		return d.Details
	}
	return d.Template
}

// place makes file, line and column of a place in a text inside the definition.
// Where the column is not known, it is that of field, if the line has it.
func (d Definition) place(text string, line, col int, field string) Problem {
	p := Problem{File: d.File, Line: d.places[text].Line(max(line, 1))}
	if line <= 0 || p.Line <= 0 || p.Line > len(d.lines) {
		return p
	}
	written := d.lines[p.Line-1]
	own := strings.Split(d.text(text), "\n")
	if col > 0 && line <= len(own) && strings.HasSuffix(written, own[line-1]) {
		p.Col = col + len(written) - len(own[line-1]) // the indentation is not part of the text
	} else {
		p.Col = column(written, field)
	}
	return p
}

// Engines compile templates as the control plane does: those of components,
// traits and policies, and those of workflow steps, which import other packages.
type Engines struct{ Definitions, Steps *cue.Engine }

// NewEngines returns engines with every package that definitions can import.
// Texts are evaluated in the sandbox; nil means in this process, which some
// texts can end.
func NewEngines(s cue.Sandbox) Engines {
	return Engines{
		Definitions: cue.NewEngine(cue.Options{Packages: all.DefinitionSchemas(), Sandbox: s}),
		Steps:       cue.NewEngine(cue.Options{Packages: all.WorkflowSchemas(), Sandbox: s}),
	}
}

// Compile compiles the template of a definition.
func (e Engines) Compile(d definition.Definition) (*cue.Template, error) {
	engine := e.Definitions
	if d.Kind == definition.WorkflowStep {
		engine = e.Steps
	}
	return engine.Compile(cue.Source{Kind: string(d.Kind), Name: d.Name, Text: d.Template})
}

// Kinds are the kinds of definitions in the order in which people list them.
func Kinds() []definition.Kind {
	return []definition.Kind{definition.Component, definition.Trait, definition.Policy, definition.WorkflowStep}
}
