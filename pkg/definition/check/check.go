// Package check says whether a definition can be used, before anybody uses it:
// its version, its workload, and whether each of its CUE texts compiles. It is
// one judgement for the admission webhook, the definition's own condition and
// `vela def vet`. It renders nothing and asks no cluster.
package check

import (
	"errors"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/schema"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/definition/revisions"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// Engines compile the texts of definitions: Steps those of workflow steps,
// Templates all others. Both are needed.
type Engines struct{ Templates, Steps *cue.Engine }

// A Report is what there is to say about one definition.
type Report struct {
	Definition definition.Definition
	Errors     []error  // each a fault with its place; nothing that it names can be used
	Warnings   []string // what works and should be changed
	Outdated   []string // of these, what newer CUE has another word for
	// Schema describes the properties; nil when the template does not compile.
	Schema *schema.Schema
}

// Err joins the errors, nil when there are none.
func (r Report) Err() error { return errors.Join(r.Errors...) }

// Object checks a wire object of a definition.
func Object(obj client.Object, e Engines) Report {
	d, err := definition.FromObject(obj)
	if err != nil {
		return Report{Errors: []error{fault.Invalid(v1beta1.ReasonInvalidDefinition, err)}}
	}
	r := Report{Definition: d}
	if _, err := revisions.Given(d); err != nil {
		r.fail("", err)
	}
	r.kind(obj)
	if d.Terraform != nil {
		r.Schema = module()
	}
	for _, t := range texts(d) {
		r.text(e, t)
	}
	return r
}

func (r *Report) fail(path string, err error) {
	var opts []fault.Option
	if path != "" {
		opts = append(opts, fault.At(path))
	}
	r.Errors = append(r.Errors, fault.Invalid(v1beta1.ReasonInvalidDefinition, err, opts...))
}

// kind checks what is special to one kind of definitions.
func (r *Report) kind(obj client.Object) {
	switch o := obj.(type) {
	case *v1beta1.ComponentDefinition:
		w := o.Spec.Workload
		if w.Type == "" && w.Definition == (v1beta1.WorkloadGVK{}) {
			r.fail("spec.workload", fmt.Errorf(
				"says no workload: write its definition (apiVersion and kind), or type: %s to take the kind from the output", v1beta1.AutoDetectWorkload))
		}
		if (w.Definition.APIVersion == "") != (w.Definition.Kind == "") {
			r.fail("spec.workload.definition", errors.New("needs both an apiVersion and a kind"))
		}
	case *v1beta1.TraitDefinition:
		switch o.Spec.Stage {
		case "", v1beta1.TraitPreDispatch, v1beta1.TraitDefaultDispatch, v1beta1.TraitPostDispatch:
		default:
			r.fail("spec.stage", fmt.Errorf("is %q, expected %s, %s or %s", o.Spec.Stage,
				v1beta1.TraitPreDispatch, v1beta1.TraitDefaultDispatch, v1beta1.TraitPostDispatch))
		}
	case *v1beta1.PolicyDefinition:
		if o.Spec.Scope != "" && o.Spec.Scope != v1beta1.PolicyScopeApplication {
			r.fail("spec.scope", fmt.Errorf("is %q, expected %s or nothing", o.Spec.Scope, v1beta1.PolicyScopeApplication))
		}
		if o.Spec.Global && o.Spec.Scope != v1beta1.PolicyScopeApplication {
			r.fail("spec.global", fmt.Errorf("only a policy with scope: %s can apply to every Application", v1beta1.PolicyScopeApplication))
		}
		if o.Spec.Priority != 0 && !o.Spec.Global {
			r.Warnings = append(r.Warnings, "spec.priority: orders global policies only, and this one is none")
		}
	}
}

// A snippet is one CUE text inside a definition.
type snippet struct{ path, kind, name, text string }

func texts(d definition.Definition) []snippet {
	all := []snippet{
		{"spec.schematic.cue.template", string(d.Kind), d.Name, d.Template},
		{"spec.status.healthPolicy", "health", d.Name, d.HealthPolicy},
		{"spec.status.customStatus", "status", d.Name, d.CustomStatus},
		{"spec.status.details", "details", d.Name, d.Details},
	}
	out := all[:0]
	for _, s := range all {
		if s.text != "" {
			out = append(out, s)
		}
	}
	return out
}

// source is a text as its engine knows it.
func (e Engines) source(s snippet) (*cue.Engine, cue.Source) {
	engine := e.Templates
	if s.kind == string(definition.WorkflowStep) {
		engine = e.Steps
	}
	return engine, cue.Source{Kind: s.kind, Name: s.name, Text: s.text}
}

// Troubled says that an engine has quarantined a text of the definition since
// it is known, which Object reports.
func Troubled(d definition.Definition, e Engines) bool {
	for _, s := range texts(d) {
		engine, src := e.source(s)
		if _, ok := engine.Trouble(src); ok {
			return true
		}
	}
	return false
}

// text compiles one text. The template also gives the schema.
func (r *Report) text(e Engines, s snippet) {
	engine, src := e.source(s)
	t, err := engine.Compile(src)
	if err != nil {
		r.mistakes(s, err)
		return
	}
	if trouble, ok := engine.Trouble(src); ok {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%s: is not evaluated for %d of those who use it: %s", s.path, trouble.Inputs, trouble.Why))
	}
	for _, w := range t.Warnings() {
		line := fmt.Sprintf("%s: line %d: %s", s.path, w.Line, w.Message)
		if w.Modern != "" {
			line += ": " + w.Modern
		}
		r.Outdated = append(r.Outdated, line)
		r.Warnings = append(r.Warnings, line)
	}
	if s.kind != string(r.Definition.Kind) {
		return
	}
	if r.Schema, err = t.Schema(); err != nil {
		r.mistakes(s, err)
	}
}

// mistakes adds what is wrong with a text, each with its place in it.
func (r *Report) mistakes(s snippet, err error) {
	list := cue.Errors(err)
	if len(list) == 0 {
		r.fail(s.path, err)
		return
	}
	for _, e := range list {
		plain := *e
		plain.DefinitionLine = 0
		line, column := e.DefinitionLine, e.DefinitionColumn
		if line == 0 {
			line, column = place(s.text, e.Path)
		}
		switch {
		case line > 0 && column > 0:
			r.fail(s.path, fmt.Errorf("line %d:%d: %w", line, column, &plain))
		case line > 0:
			r.fail(s.path, fmt.Errorf("line %d: %w", line, &plain))
		default:
			r.fail(s.path, &plain)
		}
	}
}
