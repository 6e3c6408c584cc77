// Package installed finds definitions in the cluster for the commands of
// `vela def`: by name and type, their revisions, and who uses them.
package installed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// Manager owns the fields of definitions that people write with these commands.
const Manager = "vela-cli"

// Types are the values of --type.
func Types() []string { return []string{"component", "trait", "policy", "workflow-step", "workload"} }

// CheckType checks a value of --type; "" stands for any.
func CheckType(typ string) error { return console.OneOf("type", typ, append(Types(), "")...) }

// TypeOf says what --type calls an object.
func TypeOf(obj runtime.Object) string {
	switch obj.(type) {
	case *v1beta1.ComponentDefinition:
		return "component"
	case *v1beta1.TraitDefinition:
		return "trait"
	case *v1beta1.PolicyDefinition:
		return "policy"
	case *v1beta1.WorkflowStepDefinition:
		return "workflow-step"
	}
	return "workload"
}

// emptyOf returns the object and the list of a type.
func emptyOf(typ string) (client.Object, client.ObjectList) {
	switch typ {
	case "component":
		return &v1beta1.ComponentDefinition{}, &v1beta1.ComponentDefinitionList{}
	case "trait":
		return &v1beta1.TraitDefinition{}, &v1beta1.TraitDefinitionList{}
	case "policy":
		return &v1beta1.PolicyDefinition{}, &v1beta1.PolicyDefinitionList{}
	case "workflow-step":
		return &v1beta1.WorkflowStepDefinition{}, &v1beta1.WorkflowStepDefinitionList{}
	}
	return &v1beta1.WorkloadDefinition{}, &v1beta1.WorkloadDefinitionList{}
}

// List returns the definitions of a type, of all types when it is "", in a
// namespace, of all when that is "". They are sorted by type, namespace, name.
func List(ctx context.Context, c client.Reader, namespace, typ string) ([]client.Object, error) {
	var out []client.Object
	for _, t := range Types() {
		if typ != "" && typ != t {
			continue
		}
		_, list := emptyOf(t)
		if err := c.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return nil, fmt.Errorf("list %s definitions: %w", t, err)
		}
		var found []client.Object
		err := meta.EachListItem(list, func(o runtime.Object) error {
			found = append(found, o.(client.Object))
			return nil
		})
		if err != nil {
			return nil, err
		}
		slices.SortFunc(found, func(a, b client.Object) int {
			return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
		})
		out = append(out, found...)
	}
	return out, nil
}

// Get returns the definition of that name. With typ "" it has to be the only one.
func Get(ctx context.Context, c client.Reader, namespace, typ, name string) (client.Object, error) {
	var found []client.Object
	for _, t := range Types() {
		if typ != "" && typ != t {
			continue
		}
		obj, _ := emptyOf(t)
		err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, obj)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read %s %q: %w", t, name, err)
		}
		gvks, _, err := connect.Scheme().ObjectKinds(obj)
		if err != nil {
			return nil, err
		}
		obj.GetObjectKind().SetGroupVersionKind(gvks[0])
		found = append(found, obj)
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, missing(ctx, c, namespace, typ, name)
	}
	var types []string
	for _, o := range found {
		types = append(types, TypeOf(o))
	}
	return nil, console.Usagef("%q is the name of a %s; say which one with --type", name, strings.Join(types, " and of a "))
}

// missing says what is near to a name that is not there.
func missing(ctx context.Context, c client.Reader, namespace, typ, name string) error {
	all, err := List(ctx, c, namespace, typ)
	if err != nil {
		return err
	}
	var objs []runtime.Object
	for _, o := range all {
		objs = append(objs, o)
	}
	what := cmp.Or(typ, "definition")
	failed := fmt.Errorf("there is no %s %q in namespace %s", what, name, namespace)
	set, err := definition.Of(objs...)
	if err != nil {
		return failed // one that nobody can read must not hide what is asked
	}
	for _, kind := range []definition.Kind{definition.Component, definition.Trait, definition.Policy, definition.WorkflowStep} {
		_, err := set.Get(ctx, namespace, definition.Ref{Kind: kind, Name: name})
		var notFound *definition.NotFoundError
		if errors.As(err, &notFound) && len(notFound.Near) > 0 {
			return console.Hint(failed, fmt.Sprintf("did you mean the %s %q?", kind, notFound.Near[0]))
		}
	}
	return console.Hint(failed, "see what there is: vela def list -n "+namespace)
}

// Revisions returns the revisions of a definition, the oldest first.
func Revisions(ctx context.Context, c client.Reader, obj client.Object) ([]v1beta1.DefinitionRevision, error) {
	var list v1beta1.DefinitionRevisionList
	if err := c.List(ctx, &list, client.InNamespace(obj.GetNamespace())); err != nil {
		return nil, fmt.Errorf("list the revisions of %s %q: %w", TypeOf(obj), obj.GetName(), err)
	}
	var out []v1beta1.DefinitionRevision
	for _, r := range list.Items {
		d, err := definition.FromRevision(&r)
		if err == nil && d.Name == obj.GetName() && string(d.Kind) == TypeOf(obj) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b v1beta1.DefinitionRevision) int {
		return cmp.Or(cmp.Compare(a.Spec.Revision, b.Spec.Revision), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}

// Users returns the names of the Applications that use a definition, those
// that pin a version included, as namespace/name in order.
func Users(ctx context.Context, c client.Reader, obj client.Object, system string) ([]string, error) {
	d, err := definition.FromObject(obj)
	if err != nil {
		return nil, err
	}
	namespace := obj.GetNamespace()
	if namespace == system {
		namespace = "" // everybody can use it
	}
	var apps v1beta1.ApplicationList
	if err := c.List(ctx, &apps, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("list applications: %w", err)
	}
	var out []string
	for i := range apps.Items {
		// Parse tells what else is wrong with an Application; here only what it
		// uses counts.
		draft, _ := blueprint.Parse(ctx, &apps.Items[i], nil)
		uses := func(r definition.Ref) bool { return r.Kind == d.Kind && r.Base() == d.Name }
		if slices.ContainsFunc(draft.Uses(), uses) {
			out = append(out, apps.Items[i].Namespace+"/"+apps.Items[i].Name)
		}
	}
	slices.Sort(out)
	return out, nil
}

// Complete completes the first argument with the names of definitions.
func Complete(f *connect.Factory) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		const silent = cobra.ShellCompDirectiveNoFileComp
		c, err := f.Client()
		if err != nil || len(args) > 0 {
			return nil, silent
		}
		typ := ""
		if flag := cmd.Flag("type"); flag != nil {
			typ = flag.Value.String()
		}
		all, err := List(cmd.Context(), c, f.SystemNamespace(), typ)
		if err != nil {
			return nil, silent
		}
		var names []string
		for _, o := range all {
			names = append(names, o.GetName())
		}
		return names, silent
	}
}

// nearer returns the error that helps more: one that knows a similar name, or
// that is not about a name at all.
func nearer(a, b error) error {
	var first, second *definition.NotFoundError
	if a == nil || errors.As(a, &first) && !errors.As(b, &second) {
		return b
	}
	if first != nil && second != nil && len(first.Near) == 0 && len(second.Near) > 0 {
		return b
	}
	return a
}
