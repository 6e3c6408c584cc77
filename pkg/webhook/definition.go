package webhook

import (
	"context"
	"errors"
	"fmt"

	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/definition/check"
	"github.com/seed-c5f95f19/vela/pkg/definition/revisions"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// definitions judges definitions of all kinds.
type definitions struct {
	decoder admission.Decoder
	engines check.Engines
	reader  client.Reader
	mapper  meta.RESTMapper
}

// Handle implements admission.Handler.
func (d definitions) Handle(ctx context.Context, req admission.Request) admission.Response {
	obj := objectOf(req.Kind.Kind)
	if obj == nil {
		return bad(fmt.Errorf("%s is no kind of definitions", req.Kind.Kind))
	}
	if err := d.decoder.Decode(req, obj); err != nil {
		return bad(err)
	}
	obj.SetNamespace(req.Namespace)
	if req.Operation == admissionv1.Update && !obj.GetDeletionTimestamp().IsZero() {
		return admission.Allowed("")
	}
	report := check.Object(obj, d.engines)
	if err := d.workload(obj); err != nil {
		report.Errors = append(report.Errors, err)
	}
	if len(report.Errors) == 0 {
		if err := d.name(ctx, report.Definition); errors.Is(err, revisions.ErrTaken) {
			report.Errors = append(report.Errors, fault.Invalid(v1beta1.ReasonInvalidDefinition, err,
				fault.Hint("revisions never change: give this content another version")))
		} else if err != nil { // the controller finds out, and says so on the definition
			ctrl.LoggerFrom(ctx).Error(err, "Look for the revision of a definition", "namespace", obj.GetNamespace(), "name", obj.GetName())
		}
	}
	if err := report.Err(); err != nil {
		return denied(fault.Message(err))
	}
	var warnings []string
	for _, w := range report.Warnings {
		warnings = append(warnings, lines(w)...)
	}
	return admission.Allowed("").WithWarnings(warnings...)
}

func objectOf(wireKind string) client.Object {
	for _, k := range []definition.Kind{definition.Component, definition.Trait, definition.Policy, definition.WorkflowStep} {
		if k.WireKind() == wireKind {
			return k.Object()
		}
	}
	return nil
}

// name checks that a given revision name does not stand for other content.
func (d definitions) name(ctx context.Context, def definition.Definition) error {
	given, err := revisions.Given(def)
	if err != nil || given == "" {
		return err
	}
	rev := v1beta1.DefinitionRevision{}
	if err := d.reader.Get(ctx, client.ObjectKey{Namespace: def.Namespace, Name: given}, &rev); err != nil {
		return client.IgnoreNotFound(err)
	}
	_, err = revisions.Next(def, given, []v1beta1.DefinitionRevision{rev})
	return err
}

// workload checks that a component definition that says its workload in two ways
// says the same. A kind that the cluster does not know is not judged.
func (d definitions) workload(obj client.Object) error {
	def, ok := obj.(*v1beta1.ComponentDefinition)
	if !ok {
		return nil
	}
	w := def.Spec.Workload
	if w.Type == "" || w.Type == v1beta1.AutoDetectWorkload || w.Definition.Kind == "" {
		return nil
	}
	gvk := schema.FromAPIVersionAndKind(w.Definition.APIVersion, w.Definition.Kind)
	mapping, err := d.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return nil
	}
	if resource := mapping.Resource.GroupResource().String(); resource != w.Type {
		return fault.Invalid(v1beta1.ReasonInvalidDefinition,
			fmt.Errorf("type is %q, but the definition %s %s is %q", w.Type, w.Definition.APIVersion, w.Definition.Kind, resource),
			fault.At("spec.workload"), fault.Hint("leave one of them out"))
	}
	return nil
}
