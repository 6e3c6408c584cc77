package author

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/definition"
)

// Vet compiles every text of a definition and evaluates its template, once with
// only the parameters that must be given and once with all of them.
func (d Definition) Vet(ctx context.Context, e Engines) []Problem {
	out := d.header()
	if d.Template != "" {
		out = append(out, d.template(ctx, e)...)
	}
	for _, rule := range []struct{ name, kind, gives string }{
		{definition.DetailsText, "details", ""},
		{definition.HealthPolicyText, "health", "isHealth"},
		{definition.CustomStatusText, "status", "message"},
	} {
		if d.text(rule.name) != "" {
			out = append(out, d.rule(ctx, e, rule.name, rule.kind, rule.gives)...)
		}
	}
	return ordered(out)
}

// header checks what is not CUE.
func (d Definition) header() []Problem {
	var out []Problem
	wrong := func(format string, args ...any) {
		out = append(out, Problem{File: d.File, Line: d.nameLine(), Message: fmt.Sprintf(format, args...)})
	}
	if errs := validation.IsDNS1123Subdomain(d.Name); len(errs) > 0 {
		wrong("%q is no name for a definition: %s", d.Name, errs[0])
	}
	obj, isComponent := d.Wire.(*v1beta1.ComponentDefinition)
	if isComponent && obj.Spec.Workload.Type == "" && obj.Spec.Workload.Definition == (v1beta1.WorkloadGVK{}) {
		wrong("a component names its workload: attributes.workload.definition with apiVersion and kind, or attributes.workload.type: %q", v1beta1.AutoDetectWorkload)
		out[len(out)-1].Warning = true // whatever output gives is its workload
	}
	stages := []string{"", string(v1beta1.TraitPreDispatch), string(v1beta1.TraitDefaultDispatch), string(v1beta1.TraitPostDispatch)}
	if d.Kind == definition.Trait && !slices.Contains(stages, d.Stage) {
		wrong("stage is %q, not one of %s", d.Stage, strings.Join(stages[1:], ", "))
	}
	if strings.TrimSpace(d.Template) == "" && d.Terraform == nil && d.Helm == nil && d.Kube == nil && d.Kind == definition.Component {
		wrong("a component needs a template")
	}
	return out
}

// nameLine is where a CUE file names its definition.
func (d Definition) nameLine() int {
	for i, line := range d.lines {
		line = strings.ReplaceAll(line, `"`, "")
		if strings.HasPrefix(line, d.Name+":") || strings.TrimSpace(line) == "name: "+d.Name {
			return i + 1
		}
	}
	return 0
}

func (d Definition) template(ctx context.Context, e Engines) []Problem {
	t, err := e.Compile(d.Definition)
	if err != nil {
		return d.problems(definition.TemplateText, err, false)
	}
	out := d.outdated(definition.TemplateText, t)
	s, err := t.Schema()
	if err != nil {
		return append(out, d.problems(definition.TemplateText, err, false)...)
	}
	if !t.HasParameter() && readsParameter.MatchString(d.Template) {
		return out // what it takes is not declared, so there is nothing to try it with
	}
	if least := d.try(ctx, t, Sample(s, Required), false); len(least) > 0 {
		return append(out, least...)
	}
	return append(out, d.try(ctx, t, Sample(s, Everything), true)...)
}

// readsParameter matches the use of a parameter.
var readsParameter = regexp.MustCompile(`\bparameter\b`)

// outdated is what works, but should be written in another way.
func (d Definition) outdated(text string, t *cue.Template) []Problem {
	var out []Problem
	for _, w := range t.Warnings() {
		p := d.place(text, w.Line, 0, "")
		p.Message, p.Warning = w.Message, true
		if w.Modern != "" {
			p.Message += "; write " + w.Modern
		}
		out = append(out, p)
	}
	return out
}

// try evaluates the template and reads all that it gives. warn says that what
// is wrong may be meant so.
func (d Definition) try(ctx context.Context, t *cue.Template, properties map[string]any, warn bool) []Problem {
	if t.Check(properties) != nil {
		return nil // the sample is wrong, not the template
	}
	step := d.Kind == definition.WorkflowStep
	in := cue.Input{Parameter: properties, Context: d.context(properties), ReadOnly: !step}
	res, err := t.Eval(ctx, in)
	if t.Calls() {
		return d.conflicts(res, err, warn) // what the world answers is not known
	}
	if err != nil {
		return d.judged(err, warn)
	}
	if res.Exists("processing.http") {
		return d.conflicts(res, nil, warn)
	}
	if step {
		return d.conflicts(res, nil, warn)
	}
	if messages, err := res.Errs(); err == nil && len(messages) > 0 {
		return nil // the definition itself refuses the sample
	}
	output, err := res.Output()
	out := d.judged(err, warn)
	_, err = res.Outputs()
	out = append(out, d.judged(err, warn)...)
	_, patches, err := res.Patch()
	out = append(out, d.judged(err, warn)...)
	_, err = res.PatchOutputs()
	out = append(out, d.judged(err, warn)...)
	if len(out) == 0 && !warn {
		out = d.gives(res, output, patches)
	}
	return out
}

// gives checks that a template gives what its kind is there for.
func (d Definition) gives(res *cue.Result, output map[string]any, patches bool) []Problem {
	p := d.place(definition.TemplateText, 1, 0, "")
	switch {
	case d.Kind == definition.Component && !res.Exists("output"):
		p.Message = "the template of a component gives its workload under output; this one gives none"
	case d.Kind == definition.Component && len(output) > 0 && (output["apiVersion"] == nil || output["kind"] == nil):
		p.Message = "output has no apiVersion or no kind"
	case d.Kind == definition.Trait && !patches && !res.Exists("outputs") && !res.Exists("patchOutputs") && !res.Exists("processing"):
		p.Message = "the template of a trait gives outputs, patch or patchOutputs; this one gives nothing with the parameters that must be given"
		p.Warning = true
	default:
		return nil
	}
	return []Problem{p}
}

// judged are the mistakes of an evaluation. Whoever reads the live object or an
// object of another definition is right to, although the sample has none.
func (d Definition) judged(err error, warn bool) []Problem {
	if err == nil {
		return nil
	}
	var own []error
	for _, e := range cue.Errors(err) {
		if e.InParameter || strings.Contains(e.Error(), "context.") {
			continue
		}
		own = append(own, e)
	}
	if len(own) == 0 {
		return nil
	}
	out := d.problems(definition.TemplateText, errors.Join(own...), warn)
	for i := range out {
		out[i].Tried = true
		if warn {
			out[i].Message += " (with every parameter given)"
		}
	}
	return out
}

// conflicts are the mistakes that no answer of a provider can heal.
func (d Definition) conflicts(res *cue.Result, err error, warn bool) []Problem {
	if err == nil && res != nil {
		err = res.Err()
	}
	var certain []error
	for _, e := range cue.Errors(err) {
		if e.Kind == cue.Conflict && !e.InParameter {
			certain = append(certain, e)
		}
	}
	return d.judged(errors.Join(certain...), warn)
}

// rule compiles a status rule and evaluates it over an object without status,
// as it is for a moment after it was created.
func (d Definition) rule(ctx context.Context, e Engines, name, kind, gives string) []Problem {
	t, err := e.Definitions.Compile(cue.Source{Kind: kind, Name: d.Name, Text: d.text(name)})
	if err != nil {
		return d.problems(name, err, false)
	}
	out := d.outdated(name, t)
	if gives == "" {
		return out
	}
	res, err := t.Eval(ctx, cue.Input{Context: d.context(nil), ReadOnly: true})
	if err == nil && !res.Exists(gives) && !strings.Contains(d.text(name), gives) { // it may come with the status
		p := d.place(name, 1, 0, "")
		p.Message = fmt.Sprintf("%s has to give the field %s", name, gives)
		out = append(out, p)
	}
	return out
}

// context is what a template sees while it is tried.
func (d Definition) context(properties map[string]any) map[string]any {
	workload := map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "example", "namespace": "default"},
		"spec": map[string]any{
			"replicas": int64(1),
			"selector": map[string]any{"matchLabels": map[string]any{"app": "example"}},
			"template": map[string]any{
				"metadata": map[string]any{"labels": map[string]any{"app": "example"}},
				"spec":     map[string]any{"containers": []any{map[string]any{"name": "example", "image": "nginx"}}},
			},
		},
	}
	return map[string]any{
		"name": "example", "namespace": "default", "appName": "example", "appRevision": "example-v1", "appRevisionNum": int64(1),
		"revision": "example-v1", "cluster": "local", "clusterVersion": map[string]any{"major": "1", "minor": int64(36), "gitVersion": "v1.36.0", "platform": "linux/amd64"},
		"appLabels": map[string]any{}, "appAnnotations": map[string]any{}, "publishVersion": "", "workflowName": "", "replicaKey": "",
		"components": []any{}, "componentType": "webservice", "parameter": properties,
		"output": workload, "outputs": map[string]any{},
		"stepName": "example", "stepSessionID": "example", "stepGroupName": "", "spanID": "example",
		"status":     map[string]any{"details": map[string]any{}, "healthy": true},
		"policyName": "example", "policyType": d.Name, "appComponents": []any{}, "appPolicies": []any{}, "custom": map[string]any{},
	}
}
