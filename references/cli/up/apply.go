package up

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/oam"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/source"
)

// fieldManager owns the fields that users set with this command.
const fieldManager = "vela-cli"

// An object is one document ready to be applied.
type object struct {
	doc     source.Document
	content *unstructured.Unstructured
}

// prepare turns documents into what is sent, in the order in which it is sent,
// and reports what is odd about them.
func (o *Options) prepare(docs []source.Document) ([]object, error) {
	scheme := connect.Scheme()
	var objects []object
	for _, doc := range docs {
		content, warnings, err := normal(scheme, doc)
		if err != nil {
			return nil, err
		}
		warnings = append(slices.Clone(doc.Warnings), warnings...)
		if o.Strict && len(warnings) > 0 {
			return nil, fmt.Errorf("%s", strings.Join(warnings, "\n"))
		}
		for _, w := range warnings {
			o.Factory.IO.Warnf("%s", w)
		}
		if content.GetName() == "" {
			return nil, fmt.Errorf("%s: the %s has no name", doc.At("metadata.name"), content.GetKind())
		}
		objects = append(objects, object{doc, content})
	}
	slices.SortStableFunc(objects, func(a, b object) int { return cmp.Compare(rank(a.content), rank(b.content)) })
	return objects, nil
}

// normal drops fields that vela's kinds do not have, as the server would.
func normal(scheme *runtime.Scheme, doc source.Document) (*unstructured.Unstructured, []string, error) {
	gvk := doc.Object.GroupVersionKind()
	if !connect.IsVela(gvk) || !scheme.Recognizes(gvk) {
		return doc.Object, nil, nil
	}
	typed, err := scheme.New(gvk)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", doc.At("kind"), err)
	}
	warnings, err := doc.Decode(typed)
	if err != nil {
		return nil, nil, err
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", doc.At(""), err)
	}
	unstructured.RemoveNestedField(content, "status")
	unstructured.RemoveNestedField(content, "metadata", "creationTimestamp")
	out := &unstructured.Unstructured{Object: content}
	out.SetGroupVersionKind(gvk)
	return out, warnings, nil
}

// rank is the order of applying: what others refer to first.
func rank(u *unstructured.Unstructured) int {
	switch kind := u.GetKind(); {
	case kind == "Namespace" || kind == "CustomResourceDefinition":
		return 0
	case !connect.IsVela(u.GroupVersionKind()):
		return 1
	case strings.HasSuffix(kind, "Definition"):
		return 2
	case kind == "Policy":
		return 3
	case kind == "Workflow":
		return 4
	default:
		return 5
	}
}

// client discovers kinds only when there is one that is not vela's.
func (o *Options) client(objects []object) (client.WithWatch, error) {
	if slices.ContainsFunc(objects, func(x object) bool { return !connect.IsVela(x.content.GroupVersionKind()) }) {
		return o.Factory.AnyClient()
	}
	return o.Factory.Client()
}

// A delivery is an Application that was applied.
type delivery struct {
	key      client.ObjectKey
	doc      source.Document
	previous *v1beta1.WorkflowStatus // of the version before, when a new one was published
}

// apply sends one object; an Application is returned to be followed.
func (o *Options) apply(ctx context.Context, c client.WithWatch, x object) (*delivery, error) {
	u := x.content
	if err := o.place(c, x); err != nil {
		return nil, err
	}
	isApp := u.GroupVersionKind() == v1beta1.GroupVersion.WithKind(v1beta1.ApplicationKind)
	if isApp && o.PublishVersion != "" {
		annotations := u.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[oam.AnnotationPublishVersion] = o.PublishVersion
		u.SetAnnotations(annotations)
	}
	before := &unstructured.Unstructured{}
	before.SetGroupVersionKind(u.GroupVersionKind())
	err := c.Get(ctx, client.ObjectKeyFromObject(u), before)
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("%s: read %s: %w", x.doc.At(""), name(u), err)
	}
	exists := err == nil
	if err := c.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(fieldManager), client.ForceOwnership); err != nil {
		return nil, refused(x, err)
	}
	verb := "created"
	switch {
	case exists && before.GetResourceVersion() == u.GetResourceVersion():
		verb = "unchanged"
	case exists:
		verb = "changed"
	}
	o.Factory.IO.Notef("%s %s", name(u), verb)
	if !isApp {
		return nil, nil
	}
	d := &delivery{key: client.ObjectKeyFromObject(u), doc: x.doc}
	published := before.GetAnnotations()[oam.AnnotationPublishVersion] != u.GetAnnotations()[oam.AnnotationPublishVersion]
	if exists && published && before.GetGeneration() == u.GetGeneration() {
		var app v1beta1.Application
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(before.Object, &app); err == nil {
			d.previous = app.Status.Workflow
		}
	}
	return d, nil
}

// place gives a namespaced object its namespace: the flag, the document, the
// context; definitions without one are for everybody.
func (o *Options) place(c client.Client, x object) error {
	u := x.content
	namespaced, err := c.IsObjectNamespaced(u)
	if err != nil {
		return fmt.Errorf("%s: the cluster does not know %s %s: %w", x.doc.At("kind"), u.GetAPIVersion(), u.GetKind(), err)
	}
	if !namespaced {
		return nil
	}
	switch {
	case o.Namespace != "":
		u.SetNamespace(o.Namespace)
	case u.GetNamespace() == "" && rank(u) == 2:
		u.SetNamespace(o.Factory.SystemNamespace())
	case u.GetNamespace() == "":
		u.SetNamespace(o.Factory.Namespace())
	}
	return nil
}

// refused says which document the server did not take, and why.
func refused(x object, err error) error {
	where := x.doc.At("")
	var next []string
	if apierrors.IsNotFound(err) && strings.Contains(err.Error(), "namespaces ") {
		where = x.doc.At("metadata.namespace")
		next = append(next, "create the namespace first: kubectl create namespace "+x.content.GetNamespace())
	}
	failed := fmt.Errorf("%s: %s was not applied: %w", where, name(x.content), err)
	if len(next) > 0 {
		return console.Hint(failed, next...)
	}
	return failed
}

func name(u *unstructured.Unstructured) string {
	out := strings.ToLower(u.GetKind()) + " "
	if u.GetNamespace() != "" {
		out += u.GetNamespace() + "/"
	}
	return out + u.GetName()
}
