package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/transform"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// applications judges Applications.
type applications struct {
	Options
	decoder admission.Decoder
}

// Handle implements admission.Handler.
func (a applications) Handle(ctx context.Context, req admission.Request) admission.Response {
	app := &v1beta1.Application{}
	if err := a.decoder.Decode(req, app); err != nil {
		return bad(err)
	}
	var old *v1beta1.Application
	if req.Operation == admissionv1.Update {
		old = &v1beta1.Application{}
		if err := a.decoder.DecodeRaw(req.OldObject, old); err != nil {
			return bad(err)
		}
		if !app.DeletionTimestamp.IsZero() || same(app, old) {
			return admission.Allowed("")
		}
	}
	app.Namespace = req.Namespace // a dry-run of the API server may leave it out
	draft, errs, warnings := a.judge(ctx, app, old)
	if a.Permissions {
		errs = append(errs, a.permitted(ctx, req.UserInfo, draft)...)
	}
	if len(errs) > 0 {
		return denied(fault.Message(errors.Join(errs...)))
	}
	return admission.Allowed("").WithWarnings(warnings...)
}

// same reports whether what is judged is as it was: controllers write annotations
// too.
func same(app, old *v1beta1.Application) bool {
	for _, key := range []string{oam.AnnotationPublishVersion, oam.AnnotationAutoUpdate} {
		if app.Annotations[key] != old.Annotations[key] {
			return false
		}
	}
	return equality.Semantic.DeepEqual(app.Spec, old.Spec)
}

// judge returns what only an edit can put right, and what is worth a warning: what
// may still come by itself, such as a definition, is no reason to refuse.
func (a applications) judge(ctx context.Context, app, old *v1beta1.Application) (draft blueprint.Draft, errs []error, warnings []string) {
	options := a.Check
	options.Strict = a.Strict
	var b blueprint.Blueprint
	made, produced, err := transform.Apply(ctx, app, a.Transform)
	if err != nil && !fault.Terminal(err) { // a policy that reads clusters is left to the controller
		made, produced, err = app, &blueprint.Produced{}, nil
	}
	if err == nil {
		draft, err = blueprint.Parse(ctx, made, a.References)
		draft.Produced = produced
	}
	if err == nil {
		b, err = blueprint.Resolve(ctx, draft, a.Definitions, options)
	}
	for _, e := range fault.List(err) {
		switch {
		case fault.Terminal(e), a.Strict && fault.Reason(e) != "", a.Permissions && fault.Reason(e) == v1beta1.ReasonDefinitionMissing:
			errs = append(errs, e)
		case fault.Reason(e) == "": // the check itself failed
			ctrl.LoggerFrom(ctx).Error(e, "Check an Application", "namespace", app.Namespace, "name", app.Name)
			warnings = append(warnings, "not everything could be checked; the conditions of the Application will tell")
		default:
			warnings = append(warnings, lines(fault.Message(e))...)
		}
	}
	if err != nil {
		return draft, errs, warnings
	}
	for _, w := range b.Warnings {
		warnings = append(warnings, lines(w)...)
	}
	if old != nil && app.Annotations[oam.AnnotationForceParamMutations] != "true" {
		errs = append(errs, a.immutables(ctx, b, old)...)
	}
	return draft, errs, warnings
}

// lines are the lines of a text: a warning cannot have several.
func lines(s string) []string { return strings.Split(strings.TrimSpace(s), "\n") }

// complete gives steps without a name the names that they are reported under. It
// sets nothing that anybody could rely on for who acts.
func (a applications) complete(_ context.Context, req admission.Request) admission.Response {
	var app map[string]any // what the types do not know has to stay
	if err := json.Unmarshal(req.Object.Raw, &app); err != nil {
		return bad(err)
	}
	steps, _, err := unstructured.NestedFieldNoCopy(app, "spec", "workflow", "steps")
	if err != nil || !nameSteps(steps, "step") {
		return admission.Allowed("") // a wrong type is for the validation to say
	}
	changed, err := json.Marshal(app)
	if err != nil {
		return bad(err)
	}
	return admission.PatchResponseFromRaw(req.Object.Raw, changed)
}

// nameSteps names the steps of a list, and their sub steps, by where they are. It
// reports whether it changed any.
func nameSteps(list any, prefix string) (changed bool) {
	steps, _ := list.([]any)
	for i, s := range steps {
		step, _ := s.(map[string]any)
		if step == nil {
			continue
		}
		own := fmt.Sprintf("%s-%d", prefix, i)
		if name, given := step["name"]; !given || name == "" {
			step["name"], changed = own, true
		}
		changed = nameSteps(step["subSteps"], own) || changed
	}
	return changed
}
