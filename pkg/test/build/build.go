// Package build makes the objects that tests work on, short enough to read
// inside of a table:
//
//	app := build.App("default/shop").
//		Component("web", "webservice", `image: nginx`).
//		Trait("scaler", `replicas: 3`).
//		Policy("staging", "topology", `clusters: [staging]`).
//		Step("to-staging", "deploy", `policies: [staging]`).
//		Object()
//
// Properties are YAML. Whatever cannot be built is a mistake in the test and
// panics. Only tests import this package.
package build

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
)

// An Application is being built. Its methods change and return it.
type Application struct{ app v1beta1.Application }

// App starts an Application; name is "namespace/name", or a name in namespace
// default.
func App(name string) *Application {
	namespace, name := split(name)
	return &Application{v1beta1.Application{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1beta1.GroupVersion.String(), Kind: v1beta1.ApplicationKind},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
	}}
}

func split(name string) (namespace, rest string) {
	if namespace, rest, ok := strings.Cut(name, "/"); ok {
		return namespace, rest
	}
	return "default", name
}

// Object returns the Application.
func (a *Application) Object() *v1beta1.Application { return a.app.DeepCopy() }

// UID sets the identity that a server would give.
func (a *Application) UID(uid string) *Application {
	a.app.UID = types.UID(uid)
	return a
}

// Label adds a label.
func (a *Application) Label(key, value string) *Application {
	metav1.SetMetaDataLabel(&a.app.ObjectMeta, key, value)
	return a
}

// Annotate adds an annotation.
func (a *Application) Annotate(key, value string) *Application {
	metav1.SetMetaDataAnnotation(&a.app.ObjectMeta, key, value)
	return a
}

// Component adds a component.
func (a *Application) Component(name, typ, properties string) *Application {
	a.app.Spec.Components = append(a.app.Spec.Components, v1beta1.ApplicationComponent{Name: name, Type: typ, Properties: Raw(properties)})
	return a
}

// With changes the component that was added last.
func (a *Application) With(change func(*v1beta1.ApplicationComponent)) *Application {
	change(&a.app.Spec.Components[len(a.app.Spec.Components)-1])
	return a
}

// Trait adds a trait to the component that was added last.
func (a *Application) Trait(typ, properties string) *Application {
	return a.With(func(c *v1beta1.ApplicationComponent) {
		c.Traits = append(c.Traits, v1beta1.ApplicationTrait{Type: typ, Properties: Raw(properties)})
	})
}

// DependsOn lets the component that was added last wait for others.
func (a *Application) DependsOn(names ...string) *Application {
	return a.With(func(c *v1beta1.ApplicationComponent) { c.DependsOn = append(c.DependsOn, names...) })
}

// Policy adds a policy.
func (a *Application) Policy(name, typ, properties string) *Application {
	a.app.Spec.Policies = append(a.app.Spec.Policies, v1beta1.AppPolicy{Name: name, Type: typ, Properties: Raw(properties)})
	return a
}

// Step adds a workflow step; changes may set its other fields.
func (a *Application) Step(name, typ, properties string, changes ...func(*v1beta1.WorkflowStep)) *Application {
	s := Step(name, typ, properties)
	for _, change := range changes {
		change(&s)
	}
	w := a.workflow()
	w.Steps = append(w.Steps, s)
	return a
}

// Workflow refers to a Workflow object.
func (a *Application) Workflow(ref string) *Application {
	a.workflow().Ref = ref
	return a
}

func (a *Application) workflow() *v1beta1.Workflow {
	if a.app.Spec.Workflow == nil {
		a.app.Spec.Workflow = &v1beta1.Workflow{}
	}
	return a.app.Spec.Workflow
}

// Step returns a workflow step.
func Step(name, typ, properties string) v1beta1.WorkflowStep {
	return v1beta1.WorkflowStep{WorkflowStepBase: v1beta1.WorkflowStepBase{Name: name, Type: typ, Properties: Raw(properties)}}
}

// Policy returns a Policy object; name as in App.
func Policy(name, typ, properties string) *v1alpha1.Policy {
	namespace, name := split(name)
	return &v1alpha1.Policy{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.PolicyKind},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Type:       typ, Properties: Raw(properties),
	}
}

// Workflow returns a Workflow object; name as in App.
func Workflow(name string, steps ...v1beta1.WorkflowStep) *v1alpha1.Workflow {
	namespace, name := split(name)
	return &v1alpha1.Workflow{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.WorkflowKind},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Steps:      steps,
	}
}

// Raw returns YAML as free-form properties, nil for an empty text.
func Raw(text string) *runtime.RawExtension {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	data, err := yaml.YAMLToJSON([]byte(text))
	must(err, text)
	return &runtime.RawExtension{Raw: data}
}

// Object returns any object from YAML.
func Object(text string) *unstructured.Unstructured {
	data, err := yaml.YAMLToJSON([]byte(text))
	must(err, text)
	o := &unstructured.Unstructured{}
	must(json.Unmarshal(data, &o.Object), text)
	return o
}

// Manifest returns a manifest of an object with nothing but a kind and a name,
// in namespace default of the hub; name as in App. Kinds of apps and batch get
// their group.
func Manifest(kind, name string) manifest.Manifest {
	namespace, name := split(name)
	o := &unstructured.Unstructured{Object: map[string]any{}}
	o.SetAPIVersion(apiVersion(kind))
	o.SetKind(kind)
	o.SetNamespace(namespace)
	o.SetName(name)
	return manifest.New(manifest.Local, o)
}

func apiVersion(kind string) string {
	switch kind {
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet":
		return "apps/v1"
	case "Job", "CronJob":
		return "batch/v1"
	case "Ingress", "NetworkPolicy":
		return "networking.k8s.io/v1"
	case "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding":
		return "rbac.authorization.k8s.io/v1"
	}
	return "v1"
}

func must(err error, text string) {
	if err != nil {
		panic(fmt.Sprintf("build: %v in:\n%s", err, text))
	}
}
