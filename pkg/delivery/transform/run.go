package transform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// A use is one policy that runs.
type use struct {
	policy blueprint.Policy
	def    definition.Definition
	source string
}

func (u use) what() string { return fmt.Sprintf("policy %q", u.policy.Name) }

// record says which policy it is.
func (u use) record() v1beta1.AppliedApplicationPolicy {
	name, number, hash := u.revision()
	return v1beta1.AppliedApplicationPolicy{
		Name: u.policy.Name, Type: u.policy.Type, Namespace: u.def.Namespace, Source: u.source,
		DefinitionRevisionName: name, Revision: number, RevisionHash: hash,
	}
}

// revision is the revision of the definition, as far as it has one.
func (u use) revision() (name string, number int64, hash string) {
	if o, ok := u.def.Object.(*v1beta1.PolicyDefinition); ok && o.Status.LatestRevision != nil && u.def.Revision == "" {
		r := o.Status.LatestRevision
		return r.Name, r.Revision, r.RevisionHash
	}
	_, version, _ := strings.Cut(u.def.Revision, u.def.Name+"-v")
	number, err := strconv.ParseInt(version, 10, 64)
	if err != nil {
		number = 0 // a revision with a name of its own
	}
	hash = strings.TrimPrefix(u.def.Digest, "sha256:")
	return u.def.Revision, number, hash[:min(16, len(hash))]
}

// An output is what the template of a policy gives.
type output struct {
	Labels      map[string]string              `json:"labels,omitempty"`
	Annotations map[string]string              `json:"annotations,omitempty"`
	Components  []v1beta1.ApplicationComponent `json:"components,omitempty"`
	Workflow    *v1beta1.Workflow              `json:"workflow,omitempty"`
	Policies    []v1beta1.AppPolicy            `json:"policies,omitempty"`
	Ctx         map[string]any                 `json:"-"`
}

// run lets one policy work on the Application and records what it did.
func (t *transformer) run(ctx context.Context, u use) error {
	res, err := t.evaluate(ctx, u)
	if err != nil {
		return u.fail(err)
	}
	record := u.record()
	on, err := enabled(res)
	if err != nil {
		return u.fail(err)
	}
	if !on {
		record.Message = "its config.enabled is false"
		t.produced.Applied = append(t.produced.Applied, blueprint.Transformation{AppliedApplicationPolicy: record})
		return nil
	}
	given, err := u.output(res)
	if err != nil {
		return u.fail(err)
	}
	var out output
	if err := provider.Decode(given, &out); err != nil {
		return u.fail(u.wrong("output: %w", err))
	}
	if err := u.check(out); err != nil {
		return u.fail(err)
	}
	out.Ctx, _ = given["ctx"].(map[string]any) // whole numbers stay whole
	record.Applied, record.LabelsCount, record.AnnotationsCount = true, len(out.Labels), len(out.Annotations)
	record.HasContext, record.SpecModified = len(out.Ctx) > 0, t.take(out)
	t.produced.Applied = append(t.produced.Applied, blueprint.Transformation{AppliedApplicationPolicy: record, Output: given})
	return nil
}

func (t *transformer) evaluate(ctx context.Context, u use) (*cue.Result, error) {
	template, err := t.Engine.Compile(cue.Source{Kind: string(u.def.Kind), Name: u.def.Name, Text: u.def.Template})
	if err != nil {
		return nil, fault.Because(v1beta1.ReasonInvalidDefinition, fmt.Errorf("%s definition %q does not compile: %w", u.def.Kind, u.def.Name, err))
	}
	fields, err := t.context(u)
	if err != nil {
		return nil, err
	}
	var actions provider.Table
	if t.Actions != nil {
		actions = t.Actions(t.app.Namespace, u.def.Namespace == "" || u.def.Namespace == oam.SystemNamespace)
	}
	parameter := u.policy.Properties
	if parameter == nil {
		parameter = map[string]any{}
	}
	res, err := template.Eval(ctx, cue.Input{Parameter: parameter, Context: fields, Actions: actions.ReadOnly(), ReadOnly: true})
	if err != nil {
		return nil, err
	}
	messages, err := res.Errs()
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, m := range messages {
		errs = append(errs, u.wrong("%s", m))
	}
	return res, errors.Join(errs...)
}

// context is what the template sees: the Application as earlier policies left it.
func (t *transformer) context(u use) (map[string]any, error) {
	app := t.app
	name, number, hash := u.revision()
	fields := map[string]any{
		"name": app.Name, "namespace": app.Namespace, "appName": app.Name, "appRevision": "", "appRevisionNum": int64(0),
		"appLabels": values(app.Labels), "appAnnotations": values(app.Annotations),
		"publishVersion": app.Annotations[oam.AnnotationPublishVersion], "workflowName": workflowName(app),
		"parameter":  u.policy.Properties,
		"policyName": u.policy.Name, "policyType": u.policy.Type,
		"policyRevisionName": name, "policyRevision": number, "policyRevisionHash": hash,
	}
	if t.produced.Custom != nil {
		fields["custom"] = t.produced.Custom
	}
	for field, part := range map[string]any{
		"appComponents": app.Spec.Components, "components": app.Spec.Components, "appWorkflow": app.Spec.Workflow, "appPolicies": app.Spec.Policies,
	} {
		v, err := plain(part)
		if err != nil {
			return nil, err
		}
		fields[field] = v
	}
	return fields, nil
}

func workflowName(app *v1beta1.Application) string {
	if name := app.Annotations[oam.AnnotationWorkflowName]; name != "" || app.Spec.Workflow == nil {
		return name
	}
	return app.Spec.Workflow.Ref
}

// plain is v as a JSON-like value; what is not there is an empty list or object.
func plain(v any) (any, error) {
	if r := reflect.ValueOf(v); r.IsNil() {
		if r.Kind() == reflect.Slice {
			return []any{}, nil
		}
		return map[string]any{}, nil
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return provider.Unmarshal(data)
}

func values(in map[string]string) map[string]any {
	out := make(map[string]any, len(in))
	for k, v := range in {
		out[k] = v
	}
	return out
}

// enabled reads config.enabled, or enabled; a policy that says nothing is.
func enabled(res *cue.Result) (bool, error) {
	for _, path := range []string{"config.enabled", "enabled"} {
		if !res.Exists(path) {
			continue
		}
		on, ok, err := res.Bool(path)
		if err != nil {
			return false, err
		}
		if ok {
			return on, nil
		}
	}
	return true, nil
}

// output returns what the template gives.
func (u use) output(res *cue.Result) (map[string]any, error) {
	if !res.Exists("output") {
		return nil, nil
	}
	given, err := res.Output()
	if err != nil {
		return nil, err
	}
	known := []string{"annotations", "components", "ctx", "labels", "policies", "workflow"}
	for _, field := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(known, field) {
			var opts []fault.Option
			if near := blueprint.Nearest(field, known); near != "" {
				opts = append(opts, fault.Hint("did you mean %q?", near))
			}
			return nil, fault.Invalid(v1beta1.ReasonInvalidDefinition, fmt.Errorf("%s: output.%s of policy definition %q: a policy of scope Application gives only %s",
				u.what(), field, u.def.Name, strings.Join(known, ", ")), opts...)
		}
	}
	return given, nil
}

// wrong is a mistake of the policy.
func (u use) wrong(format string, args ...any) error {
	return fault.Invalid(v1beta1.ReasonInvalidPolicy, fmt.Errorf("%s: %w", u.what(), fmt.Errorf(format, args...)))
}

// check complains about labels and annotations that the API server would refuse
// for the whole Application, and those by which a policy would undo what happens
// because of it, again and again.
func (u use) check(out output) error {
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(out.Labels)) {
		for _, why := range append(validation.IsQualifiedName(key), validation.IsValidLabelValue(out.Labels[key])...) {
			errs = append(errs, u.wrong("output.labels: %q with the value %q: %s", key, out.Labels[key], why))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(out.Annotations)) {
		for _, why := range validation.IsQualifiedName(strings.ToLower(key)) {
			errs = append(errs, u.wrong("output.annotations: %q: %s", key, why))
		}
		switch key {
		case oam.AnnotationRestartWorkflow, oam.AnnotationPolicySkipGlobal, oam.AnnotationPolicyProduced:
			errs = append(errs, u.wrong("output.annotations: %q is for users, no policy can give it", key))
		}
	}
	return errors.Join(errs...)
}

// take changes the Application and reports whether its specification changed.
func (t *transformer) take(out output) bool {
	before := t.app.Spec.DeepCopy()
	merge(&t.app.Labels, &t.produced.Labels, out.Labels)
	merge(&t.app.Annotations, &t.produced.Annotations, out.Annotations)
	if out.Components != nil {
		t.app.Spec.Components = out.Components
	}
	if out.Workflow != nil {
		t.app.Spec.Workflow = out.Workflow
	}
	if out.Policies != nil {
		t.app.Spec.Policies = out.Policies
	}
	for k, v := range out.Ctx {
		if t.produced.Custom == nil {
			t.produced.Custom = map[string]any{}
		}
		t.produced.Custom[k] = v
	}
	changed := !reflect.DeepEqual(*before, t.app.Spec)
	t.respecified = t.respecified || changed
	return changed
}

func merge(of, produced *map[string]string, more map[string]string) {
	for _, into := range []*map[string]string{of, produced} {
		if len(more) > 0 && *into == nil {
			*into = map[string]string{}
		}
		maps.Copy(*into, more)
	}
}

// fail says which policy went wrong, in terms of its properties where it can.
func (u use) fail(err error) error {
	at := fault.At(u.policy.Origin.String())
	if fault.Reason(err) != "" {
		return fault.With(err, at)
	}
	all := cue.Errors(err)
	if len(all) == 0 { // not the policy: it could not be asked
		return fault.Because(v1beta1.ReasonInvalidPolicy, fmt.Errorf("%s: %w", u.what(), err), at)
	}
	var errs []error
	for _, e := range all {
		switch {
		case e.InParameter:
			errs = append(errs, blueprint.PropertyError(u.what(), u.policy.Origin, e))
		case e.Kind == cue.Provider: // what it reads may be there later
			errs = append(errs, fault.Because(v1beta1.ReasonInvalidPolicy, fmt.Errorf("%s: %w", u.what(), e), at))
		default:
			errs = append(errs, fault.Invalid(v1beta1.ReasonInvalidPolicy,
				fmt.Errorf("%s: %s definition %q cannot be evaluated: %w", u.what(), u.def.Kind, u.def.Name, e), at))
		}
	}
	return errors.Join(errs...)
}
