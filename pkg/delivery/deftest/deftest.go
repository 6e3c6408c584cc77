// Package deftest runs the tests that authors keep beside their definitions:
// txtar archives in which some files are the input (a few lines of an
// Application, live objects, the answers of providers) and the others are what
// has to come out. What ships with vela is written in the same form.
//
// It resolves, renders and judges with the stages of a delivery, so what a test
// says is what a user gets. The form of an archive is in
// docs/definition-tests.md. Nothing here knows the testing package: `vela def
// test` is one caller, tests in Go can be another.
package deftest

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"
	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/observe"
	"github.com/seed-c5f95f19/vela/pkg/delivery/render"
	"github.com/seed-c5f95f19/vela/pkg/helm"
)

// Files are the files of an archive by name.
type Files map[string]string

// Wanted reports whether a file of an archive is what has to come out.
func Wanted(name string) bool {
	return strings.HasPrefix(name, "want/") || strings.TrimSuffix(name, filepath.Ext(name)) == "want"
}

// Split returns the input of an archive and what has to come out.
func Split(a *txtar.Archive) (in, want Files) {
	in, want = Files{}, Files{}
	for _, f := range a.Files {
		if Wanted(f.Name) {
			want[f.Name] = string(f.Data)
		} else {
			in[f.Name] = string(f.Data)
		}
	}
	return in, want
}

// Update puts what came out into an archive, in the place of what was wanted.
func Update(a *txtar.Archive, out Files) {
	a.Files = slices.DeleteFunc(a.Files, func(f txtar.File) bool { return Wanted(f.Name) })
	for _, name := range slices.Sorted(maps.Keys(out)) {
		a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(out[name])})
	}
}

// Options say what archives are run against.
type Options struct {
	Definitions definition.Source
	// Subject is the definition that archives test which do not name any; its zero
	// value means that they have to.
	Subject definition.Ref
	// Charts is the folder of the Helm charts that templates may render.
	Charts string
	// Sandbox evaluates the texts; nil means that this process does.
	Sandbox cue.Sandbox
}

// A Runner runs archives. It is safe for concurrent use.
type Runner struct {
	defs       definition.Source
	subject    definition.Ref
	charts     provider.Table
	components *cue.Engine
	steps      *cue.Engine
	renderer   *render.Renderer
	observer   *observe.Observer
}

// New returns a runner.
func New(o Options) (*Runner, error) {
	stand, err := standIn()
	if err != nil {
		return nil, err
	}
	components := cue.NewEngine(cue.Options{Packages: all.DefinitionSchemas(), Sandbox: o.Sandbox})
	return &Runner{
		defs: definition.Chain(o.Definitions, stand), subject: o.Subject,
		charts:     all.Definition(all.Deps{Charts: helm.NewStore(helm.Options{Local: o.Charts})}),
		components: components, steps: cue.NewEngine(cue.Options{Packages: all.WorkflowSchemas(), Sandbox: o.Sandbox}),
		renderer: render.New(render.Options{Engine: components}), observer: observe.New(components),
	}, nil
}

// Run returns what comes out of the input of an archive. An error is about the
// archive: what the definitions refuse is part of the outcome.
func (r *Runner) Run(ctx context.Context, in Files) (Files, error) {
	out := Files{}
	known := 0
	for _, name := range slices.Sorted(maps.Keys(in)) {
		var err error
		switch folder, _, _ := strings.Cut(name, "/"); {
		case name == "app.yaml", name == "parameter.yaml":
			err = r.main(ctx, name, in, out)
		case folder == "properties":
			err = r.policyFile(ctx, name, in, out)
		case folder == "run":
			err = r.stepFile(ctx, name, in, out)
		case name == "live.yaml", folder == "live", slices.Contains([]string{"workload.yaml", "answers.yaml", "objects.yaml"}, name):
			continue // read with the application
		default:
			err = fmt.Errorf("is not a file of a test")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		known++
	}
	if known == 0 {
		return nil, fmt.Errorf("the archive has no input: want app.yaml, parameter.yaml, properties/ or run/")
	}
	return out, nil
}

// main runs the one input that gives objects.
func (r *Runner) main(ctx context.Context, name string, in, out Files) error {
	if name == "app.yaml" {
		a, err := application(in[name])
		if err != nil {
			return err
		}
		return r.application(ctx, a, in, out)
	}
	if r.subject.Name == "" {
		return fmt.Errorf("needs exactly one definition beside the archive; name it in app.yaml instead")
	}
	if _, both := in["app.yaml"]; both {
		return fmt.Errorf("stands beside app.yaml: one of them is the input")
	}
	var properties map[string]any
	if err := yaml.UnmarshalStrict([]byte(in[name]), &properties); err != nil {
		return err
	}
	switch r.subject.Kind {
	case definition.Policy:
		return r.policy(ctx, "want.yaml", policyInput{r.subject.Name, properties}, out)
	case definition.WorkflowStep:
		s := stepInput{Type: r.subject.Name, Properties: properties}
		if err := yaml.UnmarshalStrict([]byte(in["answers.yaml"]), &s.Answers); err != nil {
			return fmt.Errorf("answers.yaml: %w", err)
		}
		return r.step(ctx, "want.yaml", s, out)
	}
	a, err := r.around(properties, in["workload.yaml"])
	if err != nil {
		return err
	}
	return r.application(ctx, a, in, out)
}

// document writes a value the way all wanted files are written.
func document(v any) (string, error) {
	data, err := yaml.Marshal(v)
	return string(data), err
}
